/// Where update files come from, and what each kind of source may bring.
package enum UpstreamKind: String, Sendable, CaseIterable {
    /// A TUF repository: everything, code too. (Code also carries its publisher's own signature.)
    case repository
    /// A mirror of ClamAV's databases: containers, which are signed.
    case clamav
    /// Plain files of signatures or YARA rules, and archives of them.
    case list
    /// An update channel of SpamAssassin: archives of rules.
    case spamassassin
    /// Lists of domains, addresses and links of senders of spam.
    case maps

    /// Endings of files that it may bring at all; what it brings is narrowed further by `update_formats`. Endings of
    /// archives stand for what they hold, which must be allowed too.
    package var formats: Set<String> {
        switch self {
        case .repository: []
        case .clamav: ["cvd", "cld"]
        case .list: Formats.signatures.union(Formats.archives)
        case .spamassassin: ["cf", "tar.gz"]
        case .maps: Formats.maps
        }
    }
}

/// Endings of files, and what they are for.
package enum Formats {
    /// Files of signatures as lines of text.
    package static let signatures: Set<String> = [
        "hdb", "hsb", "hdu", "hsu", "mdb", "msb", "mdu", "msu", "imp", "ndb", "ndu", "ldb", "ldu", "idb", "crb", "cdb",
        "ftm", "pdb", "wdb", "gdb", "fp", "sfp", "ign", "ign2", "yar", "yara",
    ]
    package static let archives: Set<String> = ["zip", "tar.gz", "tgz", "gz"]
    package static let maps: Set<String> = ["domains", "addresses", "links"]
    package static let antispam: Set<String> = ["rules", "counts", "cf"]

    /// The ending of a name, lower case: "ndb", "tar.gz"; "" without one.
    package static func ending(of name: String) -> String {
        let name = name.lowercased()
        if name.hasSuffix(".tar.gz") { return "tar.gz" }
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
        return String(name[name.index(after: dot)...])
    }
}
