import Bytes
import CModuleABI

/// A list of what senders of spam use: domains, addresses or links, one a line. It becomes one rule.
package enum MapFile: String, Sendable, CaseIterable {
    /// Hosts of links, and everything below them. Lines of a hosts file (`0.0.0.0 name`) are understood.
    case domains
    /// Addresses of clients.
    case addresses
    /// Whole links.
    case links

    /// What a listing is worth, as one of a DNS list is.
    static let points: Int32 = 50_000
    private static let entryLimit = 5_000_000

    /// - Parameters:
    ///   - file: names the rule, MAP_FILE, and the map in messages.
    ///   - skipped: how many lines were none.
    package func rule(_ file: String, _ text: [UInt8], skipped: inout Int) throws(SpamCompilerError) -> SpamRule? {
        var entries: Set<[UInt8]> = []
        for line in text.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
            let words = line.prefix { $0 != UInt8(ascii: "#") }.split(whereSeparator: { $0 == 0x20 || $0 == 0x09 })
            guard let word = words.last else { continue }
            guard let entry = entry(word.map { asciiLowercased($0) }) else {
                skipped += 1
                continue
            }
            entries.insert(entry)
            guard entries.count <= Self.entryLimit else {
                throw SpamCompilerError(file, "a map may have \(Self.entryLimit) entries")
            }
        }
        guard !entries.isEmpty else { return nil }
        var predicate = SpamRule.Predicate(subject: subject, operation: EM_ANTISPAM_LISTED)
        predicate.texts = entries.sorted { $0.lexicographicallyPrecedes($1) }
        var rule = SpamRule(name: Self.name(file), file: file, line: 1)
        rule.description = "listed in \(file)"
        rule.points = Self.points
        rule.predicates = [predicate]
        return rule
    }

    private var subject: UInt32 {
        switch self {
        case .domains: EM_ANTISPAM_LINK_HOST
        case .addresses: EM_ANTISPAM_CLIENT
        case .links: EM_ANTISPAM_LINK
        }
    }

    private func entry(_ word: [UInt8]) -> [UInt8]? {
        var word = word[...]
        switch self {
        case .domains:
            if word.starts(with: [UInt8(ascii: "*")]) { word = word.dropFirst() }
            if word.starts(with: [UInt8(ascii: ".")]) { word = word.dropFirst() }
            if word.last == UInt8(ascii: ".") { word = word.dropLast() }
            // A whole top-level domain would be a slip.
            guard word.contains(UInt8(ascii: ".")), word.count <= 253,
                word.allSatisfy({ $0 &- 0x61 < 26 || $0 &- 0x30 < 10 || $0 == 0x2d || $0 == 0x2e || $0 == 0x5f })
            else { return nil }
        case .addresses:
            guard word.count >= 2, word.count <= 45, word.contains(where: { $0 == 0x2e || $0 == 0x3a }),
                word.allSatisfy({ $0 &- 0x61 < 6 || $0 &- 0x30 < 10 || $0 == 0x2e || $0 == 0x3a })
            else { return nil }
        case .links:
            guard word.count >= 8, word.count <= 1024, word.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
                word.contains(UInt8(ascii: ":"))
            else { return nil }
        }
        return Array(word)
    }

    private static func name(_ file: String) -> String {
        let letters = file.utf8.prefix(60).map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): byte & 0xdf
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
            default: UInt8(ascii: "_")
            }
        }
        return "MAP_" + String(decoding: letters, as: UTF8.self)
    }
}
