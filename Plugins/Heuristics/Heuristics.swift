package import CModuleABI

package func heuristicsModule() -> UnsafePointer<em_module>? { nil }
