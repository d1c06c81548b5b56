package import Platform
package import TUF

/// Why a repository cannot be read or changed. What clients see is as it was.
package struct RepositoryError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// What was asked for makes no sense for this repository.
        case request
        /// A key is missing, damaged, or locked by a passphrase.
        case keys
        /// A file that shall be published is not what it should be.
        case source
        /// Files of the repository cannot be read or written.
        case files
        /// The repository itself is damaged.
        case damaged
    }

    package let kind: Kind
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    package init(_ error: SystemError) { self.init(.files, error.description) }
    package init(_ error: TUFError) { self.init(.damaged, error.description) }
}

/// Runs something that works on files of the repository.
func files<Value>(_ body: () throws(SystemError) -> Value) throws(RepositoryError) -> Value {
    do throws(SystemError) { return try body() } catch { throw RepositoryError(error) }
}
