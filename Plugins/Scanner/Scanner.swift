package import CModuleABI
package func scannerModule() -> UnsafePointer<em_module>? { nil }
