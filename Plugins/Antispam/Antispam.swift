package import CModuleABI

package func antispamModule() -> UnsafePointer<em_module>? { nil }
