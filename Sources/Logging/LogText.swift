/// Texts of strangers (names of files, addresses, replies of servers) made fit for one line of a log.
enum LogText {
    /// A message longer than this is cut: syslog daemons take 8 KiB.
    static let maximumLength = 8_000
    /// A single value is cut at this length, so that one hostile field does not push the others out.
    static let maximumValueLength = 1_000

    /// Keeps the first `maximumLength` bytes, without half a character at the end.
    static func cut(_ bytes: inout [UInt8]) {
        guard bytes.count > maximumLength else { return }
        bytes.removeSubrange(maximumLength...)
        while let last = bytes.last, last & 0xC0 == 0x80 { bytes.removeLast() }
        if let last = bytes.last, last >= 0xC0 { bytes.removeLast() }
    }

    /// Appends a text, control characters as `\xNN`, so that nobody forges a second line.
    static func append(_ text: String, to output: inout [UInt8]) {
        append(text, quotes: false, limit: maximumLength, to: &output)
    }

    /// Appends what stands between quotes, with `\"` and `\\`.
    static func appendInQuotes(_ text: String, to output: inout [UInt8]) {
        append(text, quotes: true, limit: maximumValueLength, to: &output)
    }

    /// The digit of the four lowest bits.
    static func hexadecimalDigit(_ value: UInt32) -> UInt8 {
        let digit = UInt8(truncatingIfNeeded: value & 15)
        return digit < 10 ? 0x30 + digit : 0x57 + digit
    }

    private static func append(_ text: String, quotes: Bool, limit: Int, to output: inout [UInt8]) {
        // Nearly every text: nothing in it needs care.
        if text.utf8.count < limit,
            text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && !(quotes && ($0 == 0x22 || $0 == 0x5C)) })
        {
            output += text.utf8
            return
        }
        let end = output.count + limit
        for scalar in text.unicodeScalars {
            guard output.count < end else {
                output += "…".utf8
                break
            }
            switch scalar.value {
            case 0..<0x20, 0x7F..<0xA0:
                output += [UInt8(ascii: "\\"), UInt8(ascii: "x")]
                output += [hexadecimalDigit(scalar.value >> 4), hexadecimalDigit(scalar.value)]
            // Line and paragraph separators, and marks that turn the direction of what follows.
            case 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069:
                output += "\\u{\(String(scalar.value, radix: 16))}".utf8
            case 0x22 where quotes, 0x5C where quotes:
                output += [UInt8(ascii: "\\"), UInt8(scalar.value)]
            default:
                output += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
        }
    }
}
