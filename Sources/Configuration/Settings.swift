/// The values in force for one agent, or for one user of it.
///
/// A cheap value: it shares one immutable table with all its copies. Asking for a parameter that does not exist,
/// or with a getter that does not fit its type, is a programming error and traps.
package struct Settings: Sendable {
    /// Where a value comes from.
    package struct Origin: Sendable, Equatable {
        package let file: String
        package let line: Int
    }

    struct Value: Sendable {
        /// As written, without quotes.
        let text: String
        /// nil for the built-in default.
        let origin: Origin?
        let parameter: Parameter
    }

    /// Section name of the agent, or "global".
    package let agent: String
    /// Header of the user section that applies, e.g. "rcpt@example.com"; nil without one.
    package let userSection: String?
    /// Settings with the same number, from the same `Configuration`, are the same policy.
    package let policy: Int
    let paths: Paths
    /// Every parameter that counts for the agent.
    let base: [String: Value]
    /// What the user section and its groups set; shared by all sections that add nothing to their group.
    let overrides: [String: Value]

    /// A text, host name, template or path. Paths have their tokens replaced and lie under the root; templates
    /// have `\n`, `\t` and `\\` replaced.
    package func text(_ name: String) -> String {
        let value = self[name]
        switch value.parameter.kind {
        case .path: return value.text.isEmpty ? "" : paths.resolve(value.text)
        case .program: return paths.expand(value.text)
        case .configurationFile: return value.text.isEmpty ? "" : paths.configurationPath(of: value.text)
        case .template: return Settings.unescape(value.text)
        case .schedule: return paths.expand(value.text)
        default: return value.text
        }
    }

    /// A whole number in its unit (bytes, seconds …); `num_thrd = 0` is given as the number of CPUs, at least 2.
    package func number(_ name: String) -> Int {
        let value = self[name]
        switch value.parameter.kind {
        case .integer(_, let unit): return Values.integer(value.text, unit) ?? 0
        case .port: return Values.integer(value.text, .count) ?? 0
        case .threads:
            let count = Values.integer(value.text, .count) ?? 0
            return count > 0 ? count : max(2, Values.processorCount)
        default: preconditionFailure("\(name) is not a number")
        }
    }

    /// A yes or no.
    package func flag(_ name: String) -> Bool {
        guard case .flag = self[name].parameter.kind else { preconditionFailure("\(name) is not yes or no") }
        return self[name].text == "yes"
    }

    /// The parts of a list, blanks around them removed, empty ones left out. Lists of addresses, block lists,
    /// words and pairs are given as texts too.
    package func list(_ name: String) -> [String] {
        let value = self[name]
        guard let separator = Values.separator(of: value.parameter.kind) else {
            preconditionFailure("\(name) is not a list")
        }
        return Values.split(value.text, separator)
    }

    /// An action; traps for one that may be unset (`action_as`): ask `optionalAction`.
    package func action(_ name: String) -> Action {
        guard case .action(_, optional: false) = self[name].parameter.kind, let action = optionalAction(name) else {
            preconditionFailure("\(name) is not an action that is always set")
        }
        return action
    }

    /// An action, or nil when it is unset (`action_as`: no antispam check).
    package func optionalAction(_ name: String) -> Action? {
        guard case .action = self[name].parameter.kind else { preconditionFailure("\(name) is not an action") }
        return Action(rawValue: self[name].text)
    }

    /// For which results a message is modified.
    package func mask(_ name: String) -> StatusMask {
        guard case .mask(let family) = self[name].parameter.kind else { preconditionFailure("\(name) is not a mask") }
        return StatusMask(self[name].text, family: family) ?? []
    }

    /// `av_clean_mode`.
    package var cleanMode: CleanMode { CleanMode(rawValue: self["av_clean_mode"].text) ?? .standard }

    /// `tls_server` of [smtp].
    package var tlsServer: TLSPolicy { TLSPolicy(rawValue: self["tls_server"].text) ?? .no }

    /// Addresses, networks and ranges.
    package func addresses(_ name: String) -> [AddressRange] {
        guard case .addresses = self[name].parameter.kind else { preconditionFailure("\(name) has no addresses") }
        return Values.split(self[name].text, ",").compactMap(AddressRange.init)
    }

    /// The tasks of the scheduler.
    package var scheduledTasks: [ScheduledTask] {
        (try? ScheduledTask.parse(text("scheduler_tasks")).get()) ?? []
    }

    /// Where the value was set; nil for the built-in default.
    package func origin(of name: String) -> Origin? { self[name].origin }

    /// Whether a file sets the parameter.
    package func isSet(_ name: String) -> Bool { self[name].origin != nil }

    /// The parameters that count here, by name.
    package var names: [String] { base.keys.sorted() }

    /// The value as it is written in the file, without quotes.
    package func written(_ name: String) -> String { self[name].text }

    private subscript(name: String) -> Value {
        if let value = overrides[name] ?? base[name] { return value }
        guard let canonical = ParameterTable.aliases[name], let value = overrides[canonical] ?? base[canonical] else {
            preconditionFailure("[\(agent)] has no parameter \(name)")
        }
        return value
    }

    /// Replaces `\n`, `\t` and `\\`; other backslashes stay.
    static func unescape(_ text: String) -> String {
        var output: [UInt8] = []
        var escaped = false
        for byte in text.utf8 {
            if escaped {
                escaped = false
                switch byte {
                case UInt8(ascii: "n"): output.append(0x0A)
                case UInt8(ascii: "t"): output.append(0x09)
                case UInt8(ascii: "\\"): output.append(byte)
                default: output += [UInt8(ascii: "\\"), byte]
                }
            } else if byte == UInt8(ascii: "\\") {
                escaped = true
            } else {
                output.append(byte)
            }
        }
        if escaped { output.append(UInt8(ascii: "\\")) }
        return String(decoding: output, as: UTF8.self)
    }
}
