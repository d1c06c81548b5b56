/// A rule as it stands in a file, checked.
package struct SpamRule: Sendable, Equatable {
    /// One condition; all of a rule's must hold.
    package struct Predicate: Sendable, Equatable {
        /// EM_ANTISPAM_HEADER … EM_ANTISPAM_RULE.
        package var subject: UInt32
        /// EM_ANTISPAM_PRESENT … EM_ANTISPAM_AT_MOST.
        package var operation: UInt32
        package var isNegated = false
        /// Of a header field or fact, lower case.
        package var name: [UInt8] = []
        package var number: Int64 = 0
        /// What text is compared with.
        package var texts: [[UInt8]] = []
        /// Indexes of earlier rules.
        package var rules: [Int] = []
    }

    package var name: String
    package var description = ""
    /// Thousandths of a point on the scale of as_score_spam.
    package var points: Int32?
    package var isSilent = false
    package var predicates: [Predicate] = []
    /// Where it begins, for messages.
    package var file: String
    package var line: Int
}
