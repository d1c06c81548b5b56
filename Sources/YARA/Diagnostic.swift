/// A place in a rule file.
package struct SourcePlace: Sendable, Equatable {
    /// Name of the file.
    package let file: String
    /// Line and column (in bytes), from 1.
    package let line: Int
    package let column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}

/// What is wrong with a rule, and where.
package struct YARAError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Whether the text breaks the language, or is right and uses what this version does not evaluate.
    package enum Kind: Sendable { case malformed, unsupported }

    package let kind: Kind
    package let place: SourcePlace
    /// A few words; for unsupported things without names of the rule, so that equal reasons can be counted.
    package let reason: String

    package init(_ kind: Kind = .malformed, at place: SourcePlace, _ reason: String) {
        self.kind = kind
        self.place = place
        self.reason = reason
    }

    /// "rules.yar:12:7: a string that no rule defines"
    package var description: String { "\(place.file):\(place.line):\(place.column): \(reason)" }
}
