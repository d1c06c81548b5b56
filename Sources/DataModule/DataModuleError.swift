package import Platform

/// Why a data module could not be written.
package struct DataModuleError: Error, Sendable, CustomStringConvertible {
    /// What to tell the administrator, in one sentence.
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    package init(_ error: SystemError) {
        description = error.description
    }
}
