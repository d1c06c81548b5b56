package import CModuleABI

/// What a call across the ABI answered, as an error of Swift. Public only because subclasses in other targets name it in what they override.
public struct ModuleError: Error {
    package let status: em_status

    package init(_ status: em_status) {
        self.status = status
    }

    /// No memory, or none left in the scan's budget.
    package static var memory: ModuleError { ModuleError(EM_E_MEMORY) }
    /// The caller broke a rule of the ABI.
    package static var argument: ModuleError { ModuleError(EM_E_ARGUMENT) }
    /// A limit was met.
    package static var limit: ModuleError { ModuleError(EM_E_LIMIT) }
    /// The scan ends now.
    package static var cancelled: ModuleError { ModuleError(EM_E_CANCELLED) }
    /// A data module is missing or damaged.
    package static var data: ModuleError { ModuleError(EM_E_DATA) }
    package static var `internal`: ModuleError { ModuleError(EM_E_INTERNAL) }
    package static var unsupported: ModuleError { ModuleError(EM_E_UNSUPPORTED) }
}
