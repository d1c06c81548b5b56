/// The part of esets.cfg(5) that lists every parameter, in mdoc(7).
package enum ParameterManual {
    /// The line after which the list stands in the manual page, and the one before which it ends.
    package static let begin = ".\\\" BEGIN PARAMETERS (esets_set --print-manual)"
    package static let end = ".\\\" END PARAMETERS"

    /// The list, group by group.
    package static var text: String {
        var text = ""
        for group in Parameter.Group.allCases {
            text += ".Ss \(group.rawValue)\n.Bl -tag -width Ds\n"
            for parameter in ParameterTable.all where parameter.group == group { text += entry(parameter) }
            text += ".El\n"
        }
        return text
    }

    private static func entry(_ parameter: Parameter) -> String {
        var text = ".It Ic \(parameter.name) No = Ar \(type(parameter.kind))\n"
        text += sentences(parameter.meaning)
        if let instead = parameter.obsolete { text += sentences("Without effect; use \(instead).") }
        let value = parameter.isQuoted ? "\"\(parameter.defaultValue)\"" : parameter.defaultValue
        return text + sentences("Default: \(value).") + sentences("May stand in \(places(parameter.sections)).")
    }

    private static func places(_ sections: Sections) -> String {
        var rest = sections
        var names: [String] = []
        if rest.contains(.global) { names.append("[global]") }
        if rest.contains(.scanning) {
            names.append("the section of every scanning agent")
            rest.subtract(.scanning)
        }
        names += Sections.names.filter { rest.contains($0.section) && $0.section != .global }.map { "[\($0.name)]" }
        if rest.contains(.upstream) { names.append("[update:NAME]") }
        if rest.contains(.user) { names.append("a user section") }
        guard let last = names.last, names.count > 1 else { return names.first ?? "" }
        return names.dropLast().joined(separator: ", ") + " and " + last
    }

    private static func type(_ kind: Parameter.Kind) -> String {
        switch kind {
        case .flag: "yes | no"
        case .integer(let range, let unit):
            unit == .count
                ? "\(range.lowerBound)..\(range.upperBound)"
                : "\(unit.rawValue) Pq \(range.lowerBound)..\(range.upperBound)"
        case .threads: "number"
        case .port: "port"
        case .text, .secret: "text"
        case .template: "template"
        case .path, .program: "path"
        case .configurationFile: "file"
        case .host: "host"
        case .endpoint: "host:port"
        case .list, .words, .blockLists, .notifiedUsers: "list"
        case .choice(let words): words.count > 4 ? "word" : words.joined(separator: " | ")
        case .action: "action"
        case .cleanMode: "mode"
        case .mask: "mask"
        case .addresses: "addresses"
        case .schedule: "tasks"
        case .logTarget: "syslog | stderr | file:path"
        case .group: "name"
        }
    }

    /// Every sentence on a line of its own, as mdoc wants it.
    private static func sentences(_ text: String) -> String {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            // A sentence of its own, and no line above 79 columns.
            let begins = line.hasSuffix(".") && word.first?.isUppercase == true
            if !line.isEmpty, begins || line.utf8.count + word.utf8.count > 75 {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        lines.append(line)
        return lines.map { escaped($0) + "\n" }.joined()
    }

    /// Backslashes printed as such; no line taken for a request.
    private static func escaped(_ text: String) -> String {
        let printed = text.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\e")
        return printed.hasPrefix(".") || printed.hasPrefix("'") ? "\\&" + printed : printed
    }
}
