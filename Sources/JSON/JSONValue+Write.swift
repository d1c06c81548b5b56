extension JSONValue {
    /// How the text looks.
    package enum Style: Sendable {
        /// No blanks at all.
        case compact
        /// A line for each member and element, two spaces a level, without a final line end.
        case pretty
    }

    /// The text as UTF-8.
    package func bytes(_ style: Style = .compact) -> [UInt8] {
        var writer = Writer(style: style)
        writer.write(self, level: 0)
        return writer.output
    }

    /// The text.
    package func text(_ style: Style = .compact) -> String { String(decoding: bytes(style), as: UTF8.self) }

    private struct Writer {
        let style: Style
        var output: [UInt8] = []

        mutating func write(_ value: JSONValue, level: Int) {
            switch value {
            case .null: output += "null".utf8
            case .bool(let value): output += (value ? "true" : "false").utf8
            case .integer(let value): output += String(value).utf8
            case .number(let value): output += (value.isFinite ? "\(value)" : "null").utf8
            case .string(let value): write(value)
            case .array(let elements):
                container("[", "]", count: elements.count, level) { writer, index in
                    writer.write(elements[index], level: level + 1)
                }
            case .object(let members):
                let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                container("{", "}", count: sorted.count, level) { writer, index in
                    writer.write(sorted[index].key)
                    writer.output += (writer.style == .pretty ? ": " : ":").utf8
                    writer.write(sorted[index].value, level: level + 1)
                }
            }
        }

        private mutating func container(
            _ open: String, _ close: String, count: Int, _ level: Int, _ element: (inout Writer, Int) -> Void
        ) {
            output += open.utf8
            for index in 0..<count {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                newLine(level + 1)
                element(&self, index)
            }
            if count > 0 { newLine(level) }
            output += close.utf8
        }

        private mutating func newLine(_ level: Int) {
            guard style == .pretty else { return }
            output.append(0x0A)
            output += [UInt8](repeating: 0x20, count: 2 * level)
        }

        private mutating func write(_ text: String) {
            output.append(UInt8(ascii: "\""))
            for byte in text.utf8 {
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
                case 0x0A: output += "\\n".utf8
                case 0x0D: output += "\\r".utf8
                case 0x09: output += "\\t".utf8
                case 0..<0x20, 0x7F:
                    let digits = Array("0123456789abcdef".utf8)
                    output += "\\u00".utf8
                    output += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
                default: output.append(byte)
                }
            }
            output.append(UInt8(ascii: "\""))
        }
    }
}
