/// One parameter of esets.cfg: what it is called, where it may stand, what it may be.
package struct Parameter: Sendable {
    package let name: String
    /// Where it may stand. A value in [global] is the default of the agents whose section is listed too.
    package let sections: Sections
    package let kind: Kind
    /// The built-in value, as it would be written in the file, without quotes.
    package let defaultValue: String
    /// One or two sentences for the shipped file and the manual page.
    package let meaning: String
    /// The heading under which the shipped file and the interfaces show it.
    package let group: Group
    /// For a parameter without effect that old files have: what replaced it.
    package let obsolete: String?

    package init(
        _ name: String, _ sections: Sections, _ kind: Kind, _ defaultValue: String, _ group: Group, _ meaning: String,
        obsolete: String? = nil
    ) {
        self.name = name
        self.sections = sections
        self.kind = kind
        self.defaultValue = defaultValue
        self.meaning = meaning
        self.group = group
        self.obsolete = obsolete
    }

    /// Groups of parameters, as the guide's interface names them.
    package enum Group: String, Sendable, CaseIterable {
        case daemon = "Daemon options"
        case logging = "Logging options"
        case scheduler = "Scheduler options"
        case samples = "Sample options"
        case remote = "Remote administration options"
        case reports = "Report options"
        case update = "Update options"
        case upstream = "Sources of updates"
        case mirror = "Mirror options"
        case agent = "Agent options"
        case tls = "TLS options"
        case actions = "Actions"
        case targets = "Targets"
        case limits = "Limits"
        case modification = "Modification masks and E-mails"
        case antispam = "Antispam options"
        case users = "User-specific configuration"
        case obsolete = "Obsolete options"
    }

    /// What a whole number counts.
    package enum Unit: String, Sendable {
        case count = "", bytes, seconds, minutes, days, points
    }

    /// What a value may be.
    package enum Kind: Sendable {
        /// `yes` or `no`.
        case flag
        /// A whole number; with the unit bytes also with a suffix k, M or G (powers of 1024).
        case integer(ClosedRange<Int>, Unit)
        /// A number of threads or processes, 0…1024; 0 = one per CPU, at least two.
        case threads
        /// A TCP port; 0 never.
        case port
        /// Any text.
        case text
        /// A password: any text, never shown.
        case secret
        /// Text with %variables%, `\n`, `\t` and `\\`.
        case template
        /// An absolute path of ours: tokens are replaced, and it lies under the root.
        case path
        /// An absolute path of a program that is not ours: never moved under the root.
        case program
        /// A file, absolute or relative to `@ETCDIR@`.
        case configurationFile
        /// A host name or an address, or nothing.
        case host
        /// `host:port`, or nothing.
        case endpoint
        /// Texts with a separator between.
        case list(separator: String)
        /// Some of these words, `:` between them.
        case words([String])
        /// One of these words.
        case choice([String])
        /// One of these actions, or nothing where `optional`.
        case action([Action], optional: Bool)
        case cleanMode
        /// `yes`, `no` or statuses of this family, `:` between them.
        case mask(StatusMask)
        /// Addresses, networks and ranges (`1.2.3.4`, `10.0.0.0/8`, `10.0.0.1-10.0.0.9`), `,` between them.
        case addresses
        /// `zone:answer` pairs, `,` between them.
        case blockLists
        /// `domain:address` pairs, `:` between everything.
        case notifiedUsers
        /// Tasks of the scheduler.
        case schedule
        /// `syslog`, `stderr` or `file:PATH`.
        case logTarget
        /// The name of a group section.
        case group
    }

    /// Whether the shipped file and `esets_set` write its values in double quotes.
    package var isQuoted: Bool {
        switch kind {
        case .flag, .integer, .threads, .port: false
        default: true
        }
    }

    /// Whether its value is kept from listings.
    package var isSecret: Bool {
        if case .secret = kind { true } else { false }
    }
}
