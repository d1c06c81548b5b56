package import Platform

/// Why a generation cannot be read, written or used.
package struct GenerationError: Error, Sendable, CustomStringConvertible {
    /// A sentence that names the file and says what to do.
    package let description: String

    package init(_ description: String) {
        self.description = description
    }

    package init(_ cause: SystemError) {
        description = cause.description
    }
}
