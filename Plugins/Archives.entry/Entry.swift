import Archives
public import CModuleABI

/// The one exported symbol of em003.
@c @implementation
public func em_module_entry() -> UnsafePointer<em_module>? {
    archivesModule()
}
