public import CModuleABI
import Scanner

/// The one exported symbol of em001.
@c @implementation
public func em_module_entry() -> UnsafePointer<em_module>? {
    scannerModule()
}
