/// What the virus check means for a whole object. The raw value is the word of the modification masks.
package enum AntivirusStatus: String, Sendable, CaseIterable {
    case clean
    /// A threat was repaired in place. Reserved for engines that repair: removing is `deleted`.
    case cleaned
    /// Every threat was removed with the part that held it.
    case deleted
    case infected
    /// Something could not be scanned, and nothing else is wrong.
    case notScanned = "notscanned"

    /// The value of %avstatus% and of the log field.
    package var text: String {
        switch self {
        case .clean: "clean"
        case .cleaned: "clean (cleaned)"
        case .deleted: "clean (deleted)"
        case .infected: "infected"
        case .notScanned: "not scanned"
        }
    }
}

/// What the antispam check means for a message. The raw value is the word of the modification masks.
package enum AntispamStatus: String, Sendable, CaseIterable {
    case ham
    case likelyHam = "likely_ham"
    case likelySpam = "likely_spam"
    case spam

    /// The value of %asstatus%: only what is judged spam is called so.
    package var text: String { self == .spam ? "SPAM" : "OK" }
}
