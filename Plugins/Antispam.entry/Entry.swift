public import CModuleABI
import Antispam

/// The one exported symbol of em005.
@c @implementation
public func em_module_entry() -> UnsafePointer<em_module>? {
    antispamModule()
}
