import Glibc

/// A parsed command line. Asking for an option that the program does not declare traps.
package struct Arguments: Sendable {
    package struct Occurrence: Sendable, Equatable {
        package let name: String
        /// nil for an option without one.
        package let value: String?
        /// `--no-name`
        package let isNegated: Bool
    }

    let program: Program
    /// Every option in the order of the command line.
    package internal(set) var occurrences: [Occurrence] = []
    /// Everything that is no option, and all that follows "--".
    package internal(set) var operands: [String] = []

    init(program: Program) { self.program = program }

    /// Whether an option was given (and, for a toggle, not negated last).
    package func has(_ name: String) -> Bool { last(name).map { !$0.isNegated } ?? false }

    /// The value of a toggle: what was said last, or nil when nothing was said.
    package func toggle(_ name: String) -> Bool? { last(name).map { !$0.isNegated } }

    /// The last value of an option; nil when it was not given, or without one.
    package func value(_ name: String) -> String? { last(name)?.value }

    /// All values of an option, in order.
    package func values(_ name: String) -> [String] {
        checkDeclared(name)
        return occurrences.filter { $0.name == name }.compactMap(\.value)
    }

    /// The last value as a number in a range.
    package func number(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
        guard let text = value(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError(
                "--\(name) must be a number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
        }
        return number
    }

    /// The last value, which must be one of some words.
    package func choice(_ name: String, _ words: [String]) throws(UsageError) -> String? {
        guard let text = value(name) else { return nil }
        guard words.contains(text) else {
            throw UsageError("--\(name) must be \(words.joined(separator: ", ")), not \"\(text)\"")
        }
        return text
    }

    /// `--cfg`, made absolute; nil when it was not given.
    package var configurationFile: String? { value("cfg").map(Arguments.absolute) }

    /// `--root`, else ESETS_ROOT, made absolute; nil for the installed system.
    package var root: String? {
        let text = value("root") ?? getenv("ESETS_ROOT").map { String(cString: $0) } ?? ""
        return text.isEmpty || text == "/" ? nil : Arguments.absolute(text)
    }

    /// A path that does not depend on the working directory.
    package static func absolute(_ path: String) -> String {
        guard path.utf8.first != UInt8(ascii: "/"), let directory = getcwd(nil, 0) else { return path }
        defer { free(directory) }
        return String(cString: directory) + "/" + path
    }

    private func last(_ name: String) -> Occurrence? {
        checkDeclared(name)
        return occurrences.last { $0.name == name }
    }

    private func checkDeclared(_ name: String) {
        precondition(program.options.contains { $0.name == name }, "\(program.name) declares no option --\(name)")
    }
}
