/// Why a delta cannot be made or applied.
package struct DeltaError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// It is no delta, or is damaged.
        case malformed
        /// It belongs to another old file.
        case otherFile
        /// It is larger than it may be, or needs more memory.
        case limit
        /// The new file cannot be written.
        case sink
    }

    package let kind: Kind
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
