/// The esets.cfg that is shipped: every parameter, commented, with its default and what it means.
package enum DefaultConfiguration {
    /// The text of the file.
    package static var text: String {
        var text = """
            # Configuration of esets. See esets.cfg(5).
            #
            # A line beginning with "#" or ";" is a comment. A commented parameter shows its default; remove the
            # "#" to set another value. Parameters of [global] that have to do with scanning are the defaults of
            # all agents; a value in an agent's own section counts more.
            # Changes take effect when the daemon reads the file again: esets_daemon --reload.


            """
        for (name, section) in Sections.names {
            text += "[\(name)]\n\n" + body(section)
        }
        // A section makes a source, so none is shown.
        text += """
            # Further sources of updates (mirrors of ClamAV's databases, lists, channels, maps) are sections of their
            # own, [update:NAME]: see esets.cfg(5), "Sources of updates".

            """
        return text
    }

    /// What stands under one header. Agents show the scanner options only as a reference to [global].
    private static func body(_ section: Sections) -> String {
        var text = ""
        let own = ParameterTable.parameters(in: section).filter {
            $0.obsolete == nil && (section == .global || !$0.sections.contains(.global))
        }
        for group in Parameter.Group.allCases {
            let members = own.filter { $0.group == group }
            guard !members.isEmpty else { continue }
            text += "# --- \(group.rawValue) ---\n\n"
            for parameter in members {
                text += wrapped(parameter.meaning) + "#\(written(parameter))\n\n"
            }
        }
        if section != .global && Sections.scanning.contains(section) {
            text += "# Every scanner option of [global] may stand here too.\n\n"
        }
        return text
    }

    /// `name = value` as it would be set.
    package static func written(_ parameter: Parameter) -> String {
        let value = parameter.isQuoted ? "\"\(parameter.defaultValue)\"" : parameter.defaultValue
        return "\(parameter.name) = \(value)"
    }

    /// Comment lines of at most 100 columns.
    private static func wrapped(_ text: String) -> String {
        var result = ""
        var line = "#"
        for word in text.split(separator: " ") {
            if line.count + 1 + word.count > 100 {
                result += line + "\n"
                line = "#"
            }
            line += " " + word
        }
        return result + line + "\n"
    }
}
