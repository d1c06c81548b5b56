/// Why an edit cannot be made.
package struct ConfigurationEditError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

extension ConfigurationFile {
    /// Whether a section with that header stands in the file; "global" also when values stand before any header.
    package func hasSection(_ header: String) -> Bool { !ranges(of: header).isEmpty }

    /// The headers in the file, in order.
    package var headers: [String] {
        lines.compactMap { if case .header(let name) = $0.content { name } else { nil } }
    }

    /// Sets a value: in place if the name (or an alias of it) is set in the section, else after its commented
    /// default, else at the section's end. Everything else in the file stays as it is.
    ///
    /// - Parameters:
    ///   - name: the parameter, or an alias of it.
    ///   - value: without quotes.
    ///   - header: the section.
    ///   - quoted: whether a new value is written in double quotes.
    /// - Throws: when the section is missing or no way of writing gives the value back.
    package mutating func set(
        _ name: String, to value: String, in header: String, quoted: Bool
    ) throws(ConfigurationEditError) {
        let places = ranges(of: header)
        guard let last = places.last else { throw ConfigurationEditError("there is no section [\(header)]") }
        guard LineParser.written(name: name, value: value, quoted: quoted) != nil else {
            throw ConfigurationEditError("the value of \(name) cannot be written in one line")
        }
        let lineNumbers = places.flatMap { Array($0) }
        if let index = lineNumbers.last(where: { isParameter($0, name) }) {
            try replaceValue(at: index, with: value, quoted: quoted)
            return
        }
        guard let bytes = LineParser.written(name: name, value: value, quoted: quoted) else { return }
        let commented = lineNumbers.last { index in
            if case .commentedParameter(let shown) = lines[index].content { shown == name } else { false }
        }
        insert(bytes, after: commented ?? lastParameter(in: last))
    }

    /// Removes every line that sets the name (or an alias of it) in a section.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    package mutating func unset(_ name: String, in header: String) -> Bool {
        let found = ranges(of: header).flatMap { Array($0) }.filter { isParameter($0, name) }
        for index in found.reversed() { lines.remove(at: index) }
        return !found.isEmpty
    }

    /// Adds an empty section at the end of the file.
    package mutating func createSection(_ header: String) throws(ConfigurationEditError) {
        guard ranges(of: header).isEmpty else { throw ConfigurationEditError("there is a section [\(header)] already") }
        let bytes = Array("[\(header)]".utf8)
        guard LineParser.content(of: bytes) == .header(header) else {
            throw ConfigurationEditError("\"\(header)\" cannot be the name of a section")
        }
        endLastLine()
        if let last = lines.last, last.content != .blank { lines.append(line([])) }
        lines.append(line(bytes))
    }

    /// Removes a section: its header, its values and its comments, but not the comment that stands right before
    /// the next header.
    package mutating func deleteSection(_ header: String) throws(ConfigurationEditError) {
        let places = ranges(of: header)
        guard !places.isEmpty else { throw ConfigurationEditError("there is no section [\(header)]") }
        for range in places.reversed() { lines.removeSubrange(range) }
    }

    /// Moves a section behind all others: of user sections, the first one that matches counts.
    package mutating func moveLast(_ header: String) throws(ConfigurationEditError) {
        let places = ranges(of: header)
        guard !places.isEmpty else { throw ConfigurationEditError("there is no section [\(header)]") }
        var moved = places.flatMap { Array(lines[$0]) }
        for range in places.reversed() { lines.removeSubrange(range) }
        while moved.last?.content == .blank { moved.removeLast() }
        for index in moved.indices where moved[index].ending == .none { moved[index].ending = newLine }
        endLastLine()
        if let last = lines.last, last.content != .blank { lines.append(line([])) }
        lines += moved
    }

    // MARK: Lines

    /// The lines of all sections with a header, headers included. A comment block that touches the next header
    /// belongs to that one.
    private func ranges(of header: String) -> [Range<Int>] {
        var starts: [(header: String?, index: Int)] = [(nil, 0)]
        for (index, line) in lines.enumerated() {
            if case .header(let name) = line.content { starts.append((name, index)) }
        }
        var result: [Range<Int>] = []
        for (number, start) in starts.enumerated() {
            guard start.header == header || start.header == nil && header == "global" else { continue }
            let isLast = number + 1 == starts.count
            var end = isLast ? lines.count : starts[number + 1].index
            if !isLast { while end > start.index + 1, lines[end - 1].content == .comment { end -= 1 } }
            let range = start.index..<max(start.index, end)
            if start.header == nil, !range.contains(where: isAnyParameter) { continue }
            result.append(range)
        }
        return result
    }

    private func isAnyParameter(_ index: Int) -> Bool {
        if case .parameter = lines[index].content { true } else { false }
    }

    private func isParameter(_ index: Int, _ name: String) -> Bool {
        guard case .parameter(let found, _) = lines[index].content else { return false }
        return found == name
            || ParameterTable.canonicalName(found).map { $0 == ParameterTable.canonicalName(name) } ?? false
    }

    /// The last line of a section that shows or sets a parameter, or its header.
    private func lastParameter(in range: Range<Int>) -> Int {
        range.last { index in
            switch lines[index].content {
            case .parameter, .commentedParameter, .header: true
            case .blank, .comment, .malformed: false
            }
        } ?? range.lowerBound
    }

    /// Keeps the indentation, the spelling of the name, and what follows the value.
    private mutating func replaceValue(
        at index: Int, with value: String, quoted: Bool
    ) throws(ConfigurationEditError) {
        let old = lines[index].bytes
        guard case .parameter(let name, let oldValue) = lines[index].content,
            let equals = old.firstIndex(of: UInt8(ascii: "=")),
            case .success(let parts) = LineParser.value(old[(equals + 1)...]),
            let written = LineParser.written(name: name, value: value, quoted: quoted),
            let newEquals = written.firstIndex(of: UInt8(ascii: "="))
        else { throw ConfigurationEditError("line \(index + 1) cannot be changed") }
        if oldValue == value { return }
        var bytes = Array(old[..<parts.range.lowerBound])
        if bytes.last == UInt8(ascii: "=") { bytes.append(UInt8(ascii: " ")) }
        bytes += LineParser.trimmed(written[(newEquals + 1)...])
        let rest = old[parts.range.upperBound...]
        if parts.range.isEmpty, let first = rest.first, !isBlank(first) { bytes.append(UInt8(ascii: " ")) }
        bytes += rest
        // A comment after the value could swallow or change it: then the line is written anew.
        if LineParser.content(of: bytes) != .parameter(name: name, value: value) { bytes = written }
        lines[index].bytes = bytes
        lines[index].content = LineParser.content(of: bytes)
    }

    private mutating func insert(_ bytes: [UInt8], after index: Int) {
        if index < lines.count, lines[index].ending == .none { lines[index].ending = newLine }
        lines.insert(line(bytes), at: min(index + 1, lines.count))
    }

    private mutating func endLastLine() {
        if let last = lines.indices.last, lines[last].ending == .none { lines[last].ending = newLine }
    }

    private func line(_ bytes: [UInt8]) -> Line {
        Line(bytes: bytes, ending: newLine, content: LineParser.content(of: bytes))
    }
}
