/// One option of a program, as it is parsed and as the help shows it.
package struct ProgramOption: Sendable {
    package enum Kind: Sendable, Equatable {
        /// `--name`
        case flag
        /// `--name` and `--no-name`
        case toggle
        /// `--name=VALUE` and `--name VALUE`; the text is what the help calls the value.
        case value(String)
        /// `--name` and `--name=VALUE`, never `--name VALUE`.
        case optionalValue(String)
    }

    /// Without dashes.
    package let name: String
    package let kind: Kind
    /// A letter for `-x`, or nil.
    package let short: Character?
    /// What it does, a phrase without a final period.
    package let help: String
    /// Understood for old callers, not shown.
    package let isHidden: Bool

    package init(_ name: String, _ kind: Kind = .flag, short: Character? = nil, help: String, isHidden: Bool = false) {
        self.name = name
        self.kind = kind
        self.short = short
        self.help = help
        self.isHidden = isHidden
    }

    /// What every program has.
    package static let common: [ProgramOption] = [
        ProgramOption("cfg", .value("FILE"), help: "configuration file in place of @ETCDIR@/esets.cfg"),
        ProgramOption("root", .value("DIR"), help: "directory below which everything lies (also ESETS_ROOT)"),
        ProgramOption("help", short: "h", help: "show this help"),
        ProgramOption("version", short: "v", help: "show the version"),
    ]

    /// `-h, --help`, `--[no-]subdir`, `--cfg=FILE`
    var label: String {
        let prefix = short.map { "-\($0), " } ?? ""
        switch kind {
        case .flag: return "\(prefix)--\(name)"
        case .toggle: return "\(prefix)--[no-]\(name)"
        case .value(let value): return "\(prefix)--\(name)=\(value)"
        case .optionalValue(let value): return "\(prefix)--\(name)[=\(value)]"
        }
    }
}
