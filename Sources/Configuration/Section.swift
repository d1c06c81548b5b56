/// The sections of esets.cfg in which a parameter may stand.
package struct Sections: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let global = Sections(rawValue: 1 << 0)
    package static let smtp = Sections(rawValue: 1 << 1)
    package static let pop3 = Sections(rawValue: 1 << 2)
    package static let imap = Sections(rawValue: 1 << 3)
    package static let smfi = Sections(rawValue: 1 << 4)
    package static let mda = Sections(rawValue: 1 << 5)
    package static let gwia = Sections(rawValue: 1 << 6)
    package static let mird = Sections(rawValue: 1 << 7)
    package static let wwwi = Sections(rawValue: 1 << 8)
    package static let zmfi = Sections(rawValue: 1 << 9)
    package static let cgp = Sections(rawValue: 1 << 10)
    package static let pipe = Sections(rawValue: 1 << 11)
    package static let cli = Sections(rawValue: 1 << 12)
    /// A user or group section of a `user_config` file.
    package static let user = Sections(rawValue: 1 << 13)
    package static let clamd = Sections(rawValue: 1 << 14)
    /// A source of updates, [update:NAME].
    package static let upstream = Sections(rawValue: 1 << 15)

    /// Agents that scan something.
    package static let scanning: Sections = [.smtp, .pop3, .imap, .smfi, .mda, .gwia, .zmfi, .cgp, .pipe, .cli]
    /// Agents that the daemon starts as processes.
    package static let services: Sections = [.smtp, .pop3, .imap, .smfi, .clamd, .gwia, .mird, .wwwi]
    /// Agents that learn an address (sender, recipient, login or client) to choose a user section by.
    package static let withUsers: Sections = [.smtp, .pop3, .imap, .smfi, .mda, .pipe, .cgp]

    /// Names in esets.cfg, in the order of the shipped file.
    package static let names: [(name: String, section: Sections)] = [
        ("global", .global), ("smtp", .smtp), ("pop3", .pop3), ("imap", .imap), ("smfi", .smfi), ("mda", .mda),
        ("gwia", .gwia), ("mird", .mird), ("wwwi", .wwwi), ("zmfi", .zmfi), ("cgp", .cgp), ("pipe", .pipe),
        ("cli", .cli), ("clamd", .clamd),
    ]

    /// Sections of the sibling product for file servers: they may stand in a shared file and mean nothing here.
    package static let sibling: Set<String> = ["dac", "fac", "pac"]

    /// The section with a name, or nil.
    package static func named(_ name: String) -> Sections? {
        if upstreamName(name) != nil { return .upstream }
        return names.first { $0.name == name }?.section
    }

    /// "NAME" of "update:NAME": letters, digits, "-" and "_", which are also the name of a folder.
    package static func upstreamName(_ section: String) -> String? {
        guard section.begins(with: "update:") else { return nil }
        let name = section.utf8.dropFirst("update:".utf8.count)
        let isName = name.allSatisfy { byte in
            byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
        return isName && !name.isEmpty && name.count <= 64 ? String(decoding: name, as: UTF8.self) : nil
    }

    /// The names of the sections in this set.
    package var sectionNames: [String] {
        Sections.names.filter { contains($0.section) }.map(\.name) + (contains(.upstream) ? ["update:NAME"] : [])
            + (contains(.user) ? ["user"] : [])
    }
}
