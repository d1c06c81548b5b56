package import CModuleABI

package func loaderModule() -> UnsafePointer<em_module>? { nil }
