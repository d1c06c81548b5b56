public import CModuleABI
import Loader

/// The one exported symbol of em000.
@c @implementation
public func em_module_entry() -> UnsafePointer<em_module>? {
    loaderModule()
}
