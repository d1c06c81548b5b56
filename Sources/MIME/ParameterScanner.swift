#if MODULE_WORLD
    import BytesE
#else
    import Bytes
#endif

/// Cuts a structured header value into its main value and `name=value` pairs.
struct ParameterScanner {
    private let bytes: ByteView
    private var index = 0
    /// A comment that is never closed is text; searching for its end again and again would be quadratic.
    private var commentsEnd = true

    init(_ bytes: ByteView) {
        self.bytes = bytes
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte <= 0x20 }

    /// The media type or disposition.
    mutating func mainValue() -> [UInt8] {
        var result: [UInt8] = []
        while index < bytes.count, bytes[index] != 0x3B, bytes[index] != 0x2C {
            if skipComment() { continue }
            let byte = bytes[index]
            if isSpace(byte) {
                // "multipart / mixed" is one value, "multipart/mixed boundary=x" is two.
                if wordAheadHasEquals() { break }
                // What was looked over is not looked over again.
                while index < bytes.count, isSpace(bytes[index]) { index += 1 }
                continue
            } else if byte != 0x22, result.count < 255 {
                result.append(asciiLowercased(byte))
            }
            // "boundary=x" with nothing before it is a parameter.
            if byte == 0x3D {
                index = 0
                return []
            }
            index += 1
        }
        return result
    }

    /// Whether the next word is a parameter's name.
    private func wordAheadHasEquals() -> Bool {
        var ahead = index
        while ahead < bytes.count, isSpace(bytes[ahead]) { ahead += 1 }
        let stop = min(bytes.count, ahead + 64)
        while ahead < stop, !isSpace(bytes[ahead]), bytes[ahead] != 0x3B {
            if bytes[ahead] == 0x3D { return true }
            ahead += 1
        }
        return false
    }

    /// The next name with its candidate values, which are none for a stray word; nil at the end.
    mutating func next() -> (name: [UInt8], values: [[UInt8]])? {
        skipSeparators(semicolons: true)
        guard index < bytes.count else { return nil }
        var name: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            if byte == 0x3D || byte == 0x3B || isSpace(byte) { break }
            if name.count < 256 { name.append(byte) }
            index += 1
        }
        skipSeparators(semicolons: false)
        guard index < bytes.count, bytes[index] == 0x3D else { return (name, []) }
        index += 1
        skipSeparators(semicolons: false)
        guard index < bytes.count else { return (name, [[]]) }
        return (name, bytes[index] == 0x22 ? quotedValues() : tokenValues())
    }

    /// Values of a quoted string: unescaped; as it stands, for clients that do not unescape ("C:\new\file.exe"); and
    /// with what hangs on behind the closing quote.
    private mutating func quotedValues() -> [[UInt8]] {
        index += 1
        let from = index
        var unescaped: [UInt8] = []
        var raw: [UInt8] = []
        var isClosed = false
        while index < bytes.count {
            var byte = bytes[index]
            if byte == 0x22 {
                isClosed = true
                index += 1
                break
            }
            if byte == 0x0D || byte == 0x0A {
                index += 1
                continue
            }
            raw.append(byte)
            if byte == 0x5C, index + 1 < bytes.count {
                index += 1
                byte = bytes[index]
                raw.append(byte)
            }
            unescaped.append(byte)
            index += 1
        }
        var values = [unescaped]
        if raw != unescaped { values.append(raw) }
        // Where text ends with a NUL, it ends there.
        if let end = unescaped.firstIndex(of: 0) { values.append([UInt8](unescaped[..<end])) }
        if isClosed {
            let tail = takeWord()
            if !tail.isEmpty { values.append(unescaped + tail) }
        } else {
            // The closing quote is missing: up to the end, or up to the next parameter.
            index = bytes.firstIndex(of: 0x3B, from: from) ?? bytes.count
            values.append(bytes.slice(from, index).trimmed.array)
        }
        return values
    }

    /// Values of an unquoted one: up to the first space or semicolon; with a comment sign in it; with spaces or a
    /// semicolon in it when no parameter follows there; without single quotes.
    private mutating func tokenValues() -> [[UInt8]] {
        let from = index
        let word = takeWord()
        var values = [word]
        if let comment = word.firstIndex(of: 0x28) { values.append([UInt8](word[..<comment])) }
        if word.count > 2, word.first == 0x27, word.last == 0x27 { values.append([UInt8](word[1..<(word.count - 1)])) }
        // Up to the next semicolon, when no name follows.
        let semicolon = bytes.firstIndex(of: 0x3B, from: index) ?? bytes.count
        if semicolon > index, bytes.slice(index, semicolon).firstIndex(of: 0x3D) == nil {
            let phrase = bytes.slice(from, semicolon).trimmed
            // "us-ascii (a comment)" is no phrase.
            let isComment = bytes.slice(index, semicolon).trimmed.hasPrefix(ByteView("("))
            if phrase.count > word.count, !isComment {
                values.append(phrase.array)
                index = semicolon
            }
        }
        if semicolon < bytes.count, index == semicolon {
            let after = bytes.firstIndex(of: 0x3B, from: semicolon + 1) ?? bytes.count
            let segment = bytes.slice(semicolon + 1, after)
            if !segment.isEmpty, !isSpace(segment[0]), segment.firstIndex(of: 0x3D) == nil {
                values.append(bytes.slice(from, after).trimmed.array)
            }
        }
        return values
    }

    /// Everything up to the next space or semicolon.
    private mutating func takeWord() -> [UInt8] {
        let from = index
        while index < bytes.count, !isSpace(bytes[index]), bytes[index] != 0x3B { index += 1 }
        return bytes.slice(from, index).array
    }

    private mutating func skipSeparators(semicolons: Bool) {
        while index < bytes.count {
            let byte = bytes[index]
            if isSpace(byte) || semicolons && (byte == 0x3B || byte == 0x2C) {
                index += 1
            } else if !skipComment() {
                return
            }
        }
    }

    /// Skips a comment (RFC 822 §3.3, nested) if one begins here and is closed.
    private mutating func skipComment() -> Bool {
        guard commentsEnd, bytes[index] == 0x28 else { return false }
        var depth = 0
        var ahead = index
        while ahead < bytes.count {
            switch bytes[ahead] {
            case 0x5C: ahead += 1
            case 0x28: depth += 1
            case 0x29:
                depth -= 1
                if depth == 0 {
                    index = ahead + 1
                    return true
                }
            default: break
            }
            ahead += 1
        }
        commentsEnd = false
        return false
    }
}
