/// What becomes of an object (user guide 7.1). `scan` is no end: the next step decides.
package enum Action: String, Sendable, CaseIterable {
    case scan, accept, `defer`, discard, reject
}

/// How far cleaning goes (`av_clean_mode`).
package enum CleanMode: String, Sendable, CaseIterable {
    case none, standard, strict, rigorous, delete
}

/// Whether to use TLS towards the next hop (`tls_server`).
package enum TLSPolicy: String, Sendable, CaseIterable {
    case no, may, encrypt
}

/// For which results a message is modified (`av_eml_…_modification`, `as_eml_…_modification`).
package struct StatusMask: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let clean = StatusMask(rawValue: 1 << 0)
    package static let cleaned = StatusMask(rawValue: 1 << 1)
    package static let deleted = StatusMask(rawValue: 1 << 2)
    package static let infected = StatusMask(rawValue: 1 << 3)
    package static let notScanned = StatusMask(rawValue: 1 << 4)
    package static let spam = StatusMask(rawValue: 1 << 5)
    package static let likelySpam = StatusMask(rawValue: 1 << 6)
    package static let likelyHam = StatusMask(rawValue: 1 << 7)
    package static let ham = StatusMask(rawValue: 1 << 8)

    /// Every result of the antivirus scan.
    package static let antivirus: StatusMask = [.clean, .cleaned, .deleted, .infected, .notScanned]
    /// Every result of the antispam scan.
    package static let antispam: StatusMask = [.spam, .likelySpam, .likelyHam, .ham]

    /// The words of esets.cfg.
    package static let names: [(name: String, status: StatusMask)] = [
        ("clean", .clean), ("cleaned", .cleaned), ("deleted", .deleted), ("infected", .infected),
        ("notscanned", .notScanned), ("spam", .spam), ("likely_spam", .likelySpam), ("likely_ham", .likelyHam),
        ("ham", .ham),
    ]

    /// Reads `yes`, `no`, or a `:`-list of statuses, all of which must lie in `family`; nil if it is none of these.
    package init?(_ text: String, family: StatusMask) {
        switch text {
        case "yes": self = family
        case "no", "": self = []
        default:
            var mask: StatusMask = []
            for word in text.split(separator: ":", omittingEmptySubsequences: true) {
                let name = String(word).trimmedASCII
                guard let status = StatusMask.names.first(where: { $0.name == name })?.status, family.contains(status)
                else { return nil }
                mask.insert(status)
            }
            self = mask
        }
    }
}
