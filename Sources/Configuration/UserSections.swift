/// The sections of one user file, ready to be asked which one applies.
///
/// The first section in file order that matches wins. Sections are found through the one fact that narrows
/// most (an address, a domain), so that a file with many thousand users costs no more than a few look-ups.
struct UserSections: Sendable {
    struct Section: Sendable {
        let header: String
        let pattern: UserPattern
        /// Own values and those of its groups.
        let values: [String: Settings.Value]
        /// The same for sections that share their values.
        let policy: Int
    }

    private let sections: [Section]
    /// Positions of sections by "0a…" (address in field 0), "0d…" (domain), "1a…", "1d…", or "" (neither).
    private let index: [String: [Int]]

    init(_ sections: [Section]) {
        self.sections = sections
        var index: [String: [Int]] = [:]
        for (position, section) in sections.enumerated() {
            index[UserSections.key(of: section.pattern), default: []].append(position)
        }
        self.index = index
    }

    private static func key(of pattern: UserPattern) -> String {
        for (position, field) in pattern.fields.enumerated() {
            if case .address(let text) = field { return "\(position)a\(text)" }
        }
        for (position, field) in pattern.fields.enumerated() {
            if case .domain(let text) = field { return "\(position)d\(text)" }
        }
        return ""
    }

    /// All values that sections or their groups set for a name.
    func values(of name: String) -> [String] { sections.compactMap { $0.values[name]?.text } }

    /// The first section that matches.
    func first(
        first: MailAddress?, second: MailAddress?, addresses: (IPAddress?, IPAddress?, IPAddress?)
    ) -> Section? {
        var keys = [""]
        for (position, address) in [first, second].enumerated() {
            guard let address else { continue }
            keys.append("\(position)a\(address.text)")
            if let domain = address.domain { keys.append("\(position)d\(domain)") }
        }
        var best = Int.max
        for key in keys {
            for position in index[key] ?? [] {
                if position >= best { break }
                if sections[position].pattern.matches(first: first, second: second, addresses: addresses) {
                    best = position
                    break
                }
            }
        }
        return best == Int.max ? nil : sections[best]
    }
}
