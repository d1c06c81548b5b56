public import CModuleABI
import Heuristics

/// The one exported symbol of em004.
@c @implementation
public func em_module_entry() -> UnsafePointer<em_module>? {
    heuristicsModule()
}
