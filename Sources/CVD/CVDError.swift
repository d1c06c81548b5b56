/// Why a container of signatures is refused.
package struct CVDError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// It is no container, or breaks the format.
        case malformed
        /// It was changed after it was signed, or is signed by nobody who is trusted.
        case signature
        /// It is larger than a container may be.
        case limit
        /// Whoever takes the members could not.
        case sink
    }

    package let kind: Kind
    /// What is wrong, in a sentence without the file's name.
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
