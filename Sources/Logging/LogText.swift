/// Texts of strangers (names of files, addresses, replies of servers) made fit for one line of a log.
enum LogText {
    /// A message longer than this is cut: syslog daemons take 8 KiB.
    static let maximumLength = 8_000
    /// A single value is cut at this length, so that one hostile field does not push the others out.
    static let maximumValueLength = 1_000

    /// The first `maximumLength` bytes, without half a character at the end.
    static func cut(_ text: String) -> [UInt8] {
        var bytes = Array(text.utf8.prefix(maximumLength))
        guard bytes.count < text.utf8.count else { return bytes }
        while let last = bytes.last, last & 0xC0 == 0x80 { bytes.removeLast() }
        if let last = bytes.last, last >= 0xC0 { bytes.removeLast() }
        return bytes
    }

    /// Control characters as `\xNN`, so that nobody forges a second line.
    static func plain(_ text: String) -> String { escaped(text, quotes: false, limit: maximumLength) }

    /// What stands between quotes, with `\"` and `\\`.
    static func inQuotes(_ text: String) -> String { escaped(text, quotes: true, limit: maximumValueLength) }

    private static func escaped(_ text: String, quotes: Bool, limit: Int) -> String {
        // Nearly every text: nothing in it needs care.
        if text.utf8.count < limit,
            text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && !(quotes && ($0 == 0x22 || $0 == 0x5C)) })
        {
            return text
        }
        var output: [UInt8] = []
        for scalar in text.unicodeScalars {
            guard output.count < limit else {
                output += "…".utf8
                break
            }
            switch scalar.value {
            case 0..<0x20, 0x7F..<0xA0:
                let digits = Array("0123456789abcdef".utf8)
                output += [UInt8(ascii: "\\"), UInt8(ascii: "x")]
                output += [digits[Int(scalar.value >> 4)], digits[Int(scalar.value & 15)]]
            // Line and paragraph separators, and marks that turn the direction of what follows.
            case 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069:
                output += "\\u{\(String(scalar.value, radix: 16))}".utf8
            case 0x22 where quotes, 0x5C where quotes:
                output += [UInt8(ascii: "\\"), UInt8(scalar.value)]
            default:
                output += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
