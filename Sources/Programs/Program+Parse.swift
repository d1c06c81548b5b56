/// A command line that is wrong: what and, where possible, what was meant.
package struct UsageError: Error, Sendable, Equatable {
    package let message: String

    package init(_ message: String) { self.message = message }
}

extension Program {
    /// Parses arguments without the program's name. Options and operands may be mixed; "--" ends the options.
    /// `--name VALUE` takes the next argument whatever it looks like.
    package func parse(_ arguments: [String]) throws(UsageError) -> Arguments {
        var result = Arguments(program: self)
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            if argument == "--" {
                result.operands += arguments[index...]
                break
            }
            guard argument.utf8.count > 1, argument.utf8.first == UInt8(ascii: "-") else {
                result.operands.append(argument)
                continue
            }
            let isLong = argument.utf8.starts(with: "--".utf8)
            let match = isLong ? try long(argument) : try short(argument)
            var value = match.value
            if case .value(let label) = match.option.kind, value == nil {
                guard index < arguments.count else {
                    throw UsageError("option --\(match.option.name) needs a value: --\(match.option.name)=\(label)")
                }
                value = arguments[index]
                index += 1
            }
            result.occurrences.append(.init(name: match.option.name, value: value, isNegated: match.isNegated))
        }
        return result
    }

    private struct Match {
        let option: ProgramOption
        let value: String?
        var isNegated = false
    }

    private func long(_ argument: String) throws(UsageError) -> Match {
        let text = argument.dropFirst(2)
        let equals = text.firstIndex(of: "=")
        let name = String(equals.map { text[..<$0] } ?? text)
        let value = equals.map { String(text[text.index(after: $0)...]) }
        if let option = options.first(where: { $0.name == name }) {
            if value != nil && (option.kind == .flag || option.kind == .toggle) {
                throw UsageError("option --\(name) takes no value")
            }
            return Match(option: option, value: value)
        }
        if name.hasPrefix("no-"), value == nil,
            let option = options.first(where: { $0.kind == .toggle && "no-" + $0.name == name })
        {
            return Match(option: option, value: nil, isNegated: true)
        }
        throw UsageError("unknown option --\(name)" + hint(name))
    }

    private func short(_ argument: String) throws(UsageError) -> Match {
        let letters = argument.dropFirst()
        guard let letter = letters.first, let option = options.first(where: { $0.short == letter }) else {
            throw UsageError("unknown option \(argument)")
        }
        let rest = letters.dropFirst()
        switch option.kind {
        case .value, .optionalValue: return Match(option: option, value: rest.isEmpty ? nil : String(rest))
        case .flag, .toggle:
            guard rest.isEmpty else { throw UsageError("unknown option \(argument)") }
            return Match(option: option, value: nil)
        }
    }

    /// "; did you mean --x?" when one option begins like it or differs in one letter.
    private func hint(_ name: String) -> String {
        let near = options.filter { !$0.isHidden }.map(\.name).first { candidate in
            name.utf8.count >= 3 && candidate.hasPrefix(name) || Program.differInOneLetter(candidate, name)
        }
        return near.map { "; did you mean --\($0)?" } ?? ""
    }

    /// One letter changed, added or missing.
    static func differInOneLetter(_ first: String, _ second: String) -> Bool {
        let a = Array(first.utf8)
        let b = Array(second.utf8)
        guard abs(a.count - b.count) <= 1 else { return false }
        var head = 0
        while head < min(a.count, b.count), a[head] == b[head] { head += 1 }
        var tail = 0
        while tail < min(a.count, b.count) - head, a[a.count - 1 - tail] == b[b.count - 1 - tail] { tail += 1 }
        return max(a.count, b.count) - head - tail == 1
    }

    func checkOperands(_ arguments: Arguments) throws(UsageError) {
        let count = arguments.operands.count
        if count > operands.upperBound {
            throw UsageError("unexpected argument \"\(arguments.operands[operands.upperBound])\"")
        }
        if count < operands.lowerBound { throw UsageError("an argument is missing: \(name) \(usage)") }
    }
}
