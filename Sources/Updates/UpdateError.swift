package import DataModule
package import Generations
package import Platform
package import SpamCompiler

/// Why an update did not happen. Nothing was changed.
package struct UpdateError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// The sources cannot be read.
        case sources
        /// A module cannot be made, or what was made is not good.
        case module
        /// Another update runs.
        case busy
        /// Files cannot be written.
        case files
        /// The configuration is wrong.
        case configuration
    }

    package let kind: Kind
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    package init(_ error: GenerationError) { self.init(.files, error.description) }
    package init(_ error: SystemError) { self.init(.files, error.description) }
    package init(_ error: DataModuleError) { self.init(.module, error.description) }
    package init(_ error: SpamCompilerError) { self.init(.sources, error.description) }
}
