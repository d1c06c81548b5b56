/// Why metadata or a target is refused. What is trusted so far did not change.
package struct TUFError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
        /// The file is not what the specification says it is.
        case malformed
        /// Fewer good signatures than are needed.
        case signature
        /// Its time is over: it may be withheld news (freeze), or the clock is wrong.
        case expired
        /// Older than what was seen before.
        case rollback
        /// Not the version that was asked for, or that the file before it names (mix-and-match).
        case version
        /// Another length or hash than the file before it names.
        case content
        /// Longer than allowed (endless data).
        case tooLong
        /// Not there.
        case missing
        /// More roles, rotations or delegations than allowed.
        case limit
        /// A target that its role may not bring.
        case notAllowed
    }

    package let kind: Kind
    /// The file, e.g. "3.snapshot.json", or the target.
    package let subject: String
    /// The reason, without the subject.
    package let reason: String

    package init(_ kind: Kind, _ subject: String, _ reason: String) {
        self.kind = kind
        self.subject = subject
        self.reason = reason
    }

    /// "timestamp.json: version 3 is older than version 5, which was seen before"
    package var description: String { "\(subject): \(reason)" }
}
