/// Text that came from a message or a scanner, made fit to stand in headers, notices and replies.
enum SafeText {
    /// Longest value that is shown, in characters (Unicode scalars).
    static let valueLimit = 300

    /// The text on one line: control characters, line and paragraph separators and direction overrides
    /// become spaces, so that nothing can begin a new header field or disguise what is shown.
    static func line(_ text: String, limit: Int = valueLimit) -> String {
        // Nearly every text: nothing in it needs care.
        if text.utf8.count <= limit, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
        var result = String.UnicodeScalarView()
        var count = 0
        for scalar in text.unicodeScalars {
            guard count < limit else {
                result.append("…")
                break
            }
            result.append(isHarmful(scalar) ? " " : scalar)
            count += 1
        }
        return String(result)
    }

    /// The same, but line feeds stay: for text of the administrator in bodies.
    static func lines(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where scalar != "\r" {
            result.append(scalar != "\n" && scalar != "\t" && isHarmful(scalar) ? " " : scalar)
        }
        return String(result)
    }

    /// The bytes with everything outside printable ASCII replaced by "?".
    static func ascii(_ text: String) -> [UInt8] {
        text.unicodeScalars.map { scalar in
            if scalar == "…" { return 0x7E }
            return scalar.value == 0x0A || scalar.value == 0x09 || (0x20..<0x7F).contains(scalar.value)
                ? UInt8(truncatingIfNeeded: scalar.value) : 0x3F
        }
    }

    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF, 0xFFF9...0xFFFB: true
        default: false
        }
    }
}
