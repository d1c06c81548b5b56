import Antispam
public import CModuleABI

/// The one exported symbol of em005.
@c @implementation
public func em_module_entry() -> UnsafePointer<em_module>? {
    antispamModule()
}
