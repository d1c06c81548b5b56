/// Understands one line of a configuration file.
enum LineParser {
    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    static func content(of line: [UInt8]) -> ConfigurationFile.Content {
        guard line.count <= ConfigurationFile.maximumLineLength else {
            return .malformed("the line is longer than \(ConfigurationFile.maximumLineLength) bytes")
        }
        let text = trimmed(line[...])
        guard let first = text.first else { return .blank }
        if isCommentMark(first) { return comment(text) }
        guard String(validating: text, as: UTF8.self) != nil else {
            return .malformed("the line is not valid UTF-8")
        }
        guard !text.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else {
            return .malformed("the line has a control character")
        }
        return first == UInt8(ascii: "[") ? header(text) : parameter(text)
    }

    /// `#name = …`, or any other comment.
    private static func comment(_ text: ArraySlice<UInt8>) -> ConfigurationFile.Content {
        let rest = trimmed(text.drop(while: isCommentMark))
        guard let equals = rest.firstIndex(of: UInt8(ascii: "=")) else { return .comment }
        let name = trimmed(rest[..<equals])
        return isName(name) ? .commentedParameter(name: String(decoding: name, as: UTF8.self)) : .comment
    }

    private static func header(_ text: ArraySlice<UInt8>) -> ConfigurationFile.Content {
        guard let end = text.firstIndex(of: UInt8(ascii: "]")) else { return .malformed("\"]\" is missing") }
        let rest = trimmed(text[(end + 1)...])
        guard rest.isEmpty || isCommentMark(rest[rest.startIndex]) else {
            return .malformed("only a comment may follow \"]\"")
        }
        let name = trimmed(text[(text.startIndex + 1)..<end])
        return name.isEmpty ? .malformed("the section has no name") : .header(String(decoding: name, as: UTF8.self))
    }

    private static func parameter(_ text: ArraySlice<UInt8>) -> ConfigurationFile.Content {
        guard let equals = text.firstIndex(of: UInt8(ascii: "=")) else {
            return .malformed("neither \"name = value\" nor \"[section]\"")
        }
        let name = trimmed(text[..<equals])
        guard isName(name) else {
            return .malformed("the name of a parameter has only letters, digits and \"_\"")
        }
        switch value(text[(equals + 1)...]) {
        case .success(let parts):
            return .parameter(name: String(decoding: name, as: UTF8.self), value: parts.value)
        case .failure(let problem):
            return .malformed(problem.text)
        }
    }

    struct Problem: Error { let text: String }

    /// The value in what follows "=", and where it stands there (quotes included).
    static func value(_ text: ArraySlice<UInt8>) -> Result<(value: String, range: Range<Int>), Problem> {
        guard let start = text.firstIndex(where: { !isBlank($0) }) else {
            return .success(("", text.endIndex..<text.endIndex))
        }
        if text[start] == quote { return quoted(text, from: start) }
        if isCommentMark(text[start]) { return .success(("", start..<start)) }
        var end = start
        while end < text.endIndex, !(isCommentMark(text[end]) && isBlank(text[end - 1])) { end += 1 }
        let value = trimmed(text[start..<end])
        return .success((String(decoding: value, as: UTF8.self), start..<value.endIndex))
    }

    private static func quoted(
        _ text: ArraySlice<UInt8>, from start: Int
    ) -> Result<(value: String, range: Range<Int>), Problem> {
        var value: [UInt8] = []
        var index = start + 1
        while index < text.endIndex, text[index] != quote {
            if text[index] == backslash, index + 1 < text.endIndex {
                if text[index + 1] != quote { value.append(backslash) }
                index += 1
            }
            value.append(text[index])
            index += 1
        }
        guard index < text.endIndex else { return .failure(Problem(text: "the closing quote is missing")) }
        let end = index + 1
        // The guide ends a quoted value with ";" in one place.
        let rest = trimmed(text[end...])
        guard rest.isEmpty || isCommentMark(rest[rest.startIndex]) else {
            return .failure(Problem(text: "only a comment may follow the closing quote"))
        }
        return .success((String(decoding: value, as: UTF8.self), start..<end))
    }

    /// `name = value` as it is written. nil when no way of writing gives the value back.
    static func written(name: String, value: String, quoted: Bool) -> [UInt8]? {
        let text = quoted ? "\"" + value.replacingQuotes + "\"" : value
        let line = Array("\(name) = \(text)".utf8)
        guard content(of: line) == .parameter(name: name, value: value) else { return nil }
        return line
    }

    /// Letters, digits and "_", not beginning with a digit.
    static func isName(_ text: ArraySlice<UInt8>) -> Bool {
        guard let first = text.first, !(first &- 0x30 < 10), text.count <= 128 else { return false }
        return text.allSatisfy { $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26 || $0 == UInt8(ascii: "_") }
    }

    static func isCommentMark(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") }

    static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var slice = text
        while let first = slice.first, isBlank(first) { slice = slice.dropFirst() }
        while let last = slice.last, isBlank(last) { slice = slice.dropLast() }
        return slice
    }
}

extension String {
    /// With `\"` for every `"`.
    fileprivate var replacingQuotes: String {
        split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
    }
}
