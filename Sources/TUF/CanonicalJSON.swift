package import JSON

/// The one text of a JSON value that signatures are made over: no blanks, names in the order of their bytes, only quotes
/// and backslashes escaped, no fractions (wiki.laptop.org/go/Canonical_JSON, as the TUF specification section 4.2 has it).
package enum CanonicalJSON {
    /// nil for a value with a number that is no 64-bit integer.
    package static func encode(_ value: JSONValue) -> [UInt8]? {
        var output: [UInt8] = []
        return write(value, to: &output) ? output : nil
    }

    // The parser bounds the depth.
    private static func write(_ value: JSONValue, to output: inout [UInt8]) -> Bool {
        switch value {
        case .null: output += "null".utf8
        case .bool(let value): output += (value ? "true" : "false").utf8
        case .integer(let value): output += String(value).utf8
        case .number: return false
        case .string(let text): write(text, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                guard write(element, to: &output) else { return false }
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (index, member) in sorted.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                write(member.key, to: &output)
                output.append(UInt8(ascii: ":"))
                guard write(member.value, to: &output) else { return false }
            }
            output.append(UInt8(ascii: "}"))
        }
        return true
    }

    private static func write(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { output.append(UInt8(ascii: "\\")) }
            output.append(byte)
        }
        output.append(UInt8(ascii: "\""))
    }
}
