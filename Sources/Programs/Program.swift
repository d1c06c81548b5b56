import Glibc

/// The command line of one program, declared once: parsing, `--help`, `--version` and usage errors follow from it.
package struct Program: Sendable {
    package let name: String
    /// What it does, one sentence.
    package let summary: String
    /// What may follow the name, e.g. "[OPTIONS..] FILES..".
    package let usage: String
    /// Own options; those of `ProgramOption.common` are added.
    package let options: [ProgramOption]
    /// How many operands there may be.
    package let operands: ClosedRange<Int>
    /// Text after the options in the help: exit codes, examples.
    package let notes: String

    package init(
        _ name: String, _ summary: String, usage: String, options: [ProgramOption], operands: ClosedRange<Int> = 0...0,
        notes: String = ""
    ) {
        self.name = name
        self.summary = summary
        self.usage = usage
        self.options = options + ProgramOption.common.filter { common in !options.contains { $0.name == common.name } }
        self.operands = operands
        self.notes = notes
    }

    /// Any number of operands.
    package static let anyNumber = 0...Int.max

    /// The arguments of this process. Shows help or version and ends with 0; on a usage error says what is wrong
    /// on standard error and ends with 64.
    package func arguments() -> Arguments {
        do throws(UsageError) {
            let arguments = try parse(Array(CommandLine.arguments.dropFirst()))
            if arguments.has("help") { finish(help) }
            if arguments.has("version") { finish(versionLine + "\n") }
            try checkOperands(arguments)
            return arguments
        } catch {
            fail(usage: error)
        }
    }

    /// Says what is wrong with the command line and ends with 64.
    package func fail(usage error: UsageError) -> Never {
        Console.error("\(name): \(error.message)\nTry '\(name) --help'.")
        exit(ExitCode.usage)
    }

    /// Says what failed and ends.
    package func fail(_ message: String, code: Int32 = ExitCode.failure) -> Never {
        Console.error("\(name): \(message)")
        exit(code)
    }

    private func finish(_ text: String) -> Never {
        Console.write(text)
        exit(ExitCode.success)
    }

    /// "esets_set (esets) 1.0.0": the last word is the version.
    package var versionLine: String { "\(name) (\(Product.name)) \(Product.version)" }

    /// The text of `--help`.
    package var help: String {
        let shown = options.filter { !$0.isHidden }
        let width = min(32, shown.map(\.label.utf8.count).max() ?? 0)
        var text = "Usage: \(name) \(usage)\n\(summary)\n\nOptions:\n"
        for option in shown {
            let label = option.label
            let gap =
                label.utf8.count > width
                ? "\n" + String(repeating: " ", count: width + 4)
                : String(repeating: " ", count: width + 2 - label.utf8.count)
            text += "  \(label)\(gap)\(option.help)\n"
        }
        return notes.isEmpty ? text : text + "\n\(notes)\n"
    }
}
