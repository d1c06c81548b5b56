package import CModuleABI

package func archivesModule() -> UnsafePointer<em_module>? { nil }
