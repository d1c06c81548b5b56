/// Cuts a rule file into tokens. Pure; one pass.
struct Lexer {
    private let bytes: [UInt8]
    private let file: String
    private(set) var position = 0
    private var line = 1
    private var lineStart = 0

    private static let nameLimit = 128
    private static let textLimit = 65_536

    init(_ bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
    }

    var place: SourcePlace { SourcePlace(file: file, line: line, column: position - lineStart + 1) }

    private func peek(_ distance: Int = 0) -> UInt8? {
        position + distance < bytes.count ? bytes[position + distance] : nil
    }

    private mutating func advance() {
        if bytes[position] == 0x0a {
            line += 1
            lineStart = position + 1
        }
        position += 1
    }

    /// Skips blanks and comments.
    mutating func skipBlanks() throws(YARAError) {
        while let byte = peek() {
            if byte == 0x20 || (0x09...0x0d).contains(byte) {
                advance()
            } else if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "/") {
                while let next = peek(), next != 0x0a { advance() }
            } else if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                let start = place
                advance()
                advance()
                while true {
                    guard let next = peek() else { throw YARAError(at: start, "a comment without end") }
                    if next == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") { break }
                    advance()
                }
                advance()
                advance()
            } else {
                return
            }
        }
    }

    /// The next token. `regexAllowed`: whether `/` begins a regular expression.
    mutating func next() throws(YARAError) -> Token {
        try skipBlanks()
        let start = place
        guard let byte = peek() else { return Token(kind: .end, place: start) }
        if Self.isNameStart(byte) {
            let name = try readName()
            if let keyword = Keyword.byName[name] { return Token(kind: .keyword(keyword), place: start) }
            return Token(kind: .identifier(name), place: start)
        }
        if byte &- 0x30 < 10 { return Token(kind: try readNumber(), place: start) }
        switch byte {
        case UInt8(ascii: "\""): return Token(kind: .text(try readText()), place: start)
        case UInt8(ascii: "/"): return Token(kind: try readRegex(), place: start)
        case UInt8(ascii: "$"):
            advance()
            var name = try readStringName()
            if peek() == UInt8(ascii: "*") {
                advance()
                name += "*"
            }
            return Token(kind: .string(name), place: start)
        case UInt8(ascii: "#"):
            advance()
            return Token(kind: .count(try readStringName()), place: start)
        case UInt8(ascii: "@"):
            advance()
            return Token(kind: .offset(try readStringName()), place: start)
        case UInt8(ascii: "!") where peek(1) != UInt8(ascii: "="):
            advance()
            return Token(kind: .length(try readStringName()), place: start)
        default: break
        }
        for symbol in ["==", "!=", "<=", ">=", "<<", ">>", ".."] where matches(symbol) {
            advance()
            advance()
            return Token(kind: .symbol(symbol), place: start)
        }
        guard byte > 0x20, byte < 0x7f else { throw YARAError(at: start, "a byte that is no part of the language") }
        advance()
        return Token(kind: .symbol(String(UnicodeScalar(byte))), place: start)
    }

    /// The content between the braces of a hex string, after `{` was read; comments are blanked out.
    mutating func readHexBody() throws(YARAError) -> (bytes: [UInt8], places: [SourcePlace]) {
        var result: [UInt8] = []
        var places: [SourcePlace] = []
        let start = place
        while true {
            try skipBlanks()
            guard let byte = peek() else { throw YARAError(at: start, "a hex string without end") }
            if byte == UInt8(ascii: "}") {
                advance()
                return (result, places)
            }
            guard result.count < Self.textLimit else {
                throw YARAError(.unsupported, at: start, "a hex string of more than 64 KiB")
            }
            result.append(byte)
            places.append(place)
            advance()
        }
    }

    /// Steps over a byte that could not be read.
    mutating func skipOne() {
        if position < bytes.count { advance() }
    }

    // MARK: - Pieces

    private func matches(_ symbol: String) -> Bool {
        let utf8 = Array(symbol.utf8)
        return peek() == utf8[0] && peek(1) == utf8[1]
    }

    static func isNameStart(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 || byte == 0x5f }
    static func isNamePart(_ byte: UInt8) -> Bool { isNameStart(byte) || byte &- 0x30 < 10 }

    private mutating func readName() throws(YARAError) -> String {
        let (start, begin) = (place, position)
        while let byte = peek(), Self.isNamePart(byte) { advance() }
        guard position - begin <= Self.nameLimit else { throw YARAError(at: start, "a name of more than 128 bytes") }
        return String(decoding: bytes[begin..<position], as: UTF8.self)
    }

    private mutating func readStringName() throws(YARAError) -> String {
        guard let byte = peek(), Self.isNamePart(byte) else { return "" }
        return try readName()
    }

    private mutating func readNumber() throws(YARAError) -> Token.Kind {
        let start = place
        var radix: Int64 = 10
        if peek() == 0x30, let letter = peek(1) {
            if letter == UInt8(ascii: "x") { radix = 16 }
            if letter == UInt8(ascii: "o") { radix = 8 }
            if radix != 10 {
                advance()
                advance()
            }
        }
        let begin = position
        var value: Int64 = 0
        while let byte = peek(), let digit = Self.digit(byte), digit < radix {
            let (product, overflow) = value.multipliedReportingOverflow(by: radix)
            let (sum, carry) = product.addingReportingOverflow(digit)
            guard !overflow, !carry else { throw YARAError(at: start, "a number beyond 64 bits") }
            value = sum
            advance()
        }
        guard position > begin else { throw YARAError(at: start, "a number without digits") }
        if radix == 10, peek() == UInt8(ascii: "."), let digit = peek(1), digit &- 0x30 < 10 {
            advance()
            while let byte = peek(), byte &- 0x30 < 10 { advance() }
            let text = String(decoding: bytes[begin..<position], as: UTF8.self)
            guard let double = Double(text) else { throw YARAError(at: start, "a number that is none") }
            return .double(double)
        }
        if radix == 10, let unit = peek(), peek(1) == UInt8(ascii: "B") {
            let factor: Int64? = unit == UInt8(ascii: "K") ? 1024 : unit == UInt8(ascii: "M") ? 1_048_576 : nil
            if let factor {
                let (product, overflow) = value.multipliedReportingOverflow(by: factor)
                guard !overflow else { throw YARAError(at: start, "a number beyond 64 bits") }
                advance()
                advance()
                value = product
            }
        }
        if let byte = peek(), Self.isNamePart(byte) { throw YARAError(at: start, "a number followed by letters") }
        return .integer(value)
    }

    static func digit(_ byte: UInt8) -> Int64? {
        if byte &- 0x30 < 10 { return Int64(byte &- 0x30) }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? Int64(letter) + 10 : nil
    }

    private mutating func readText() throws(YARAError) -> [UInt8] {
        let start = place
        advance()
        var result: [UInt8] = []
        while let byte = peek() {
            guard byte != 0x0a else { break }
            guard result.count < Self.textLimit else {
                throw YARAError(.unsupported, at: start, "a text of more than 64 KiB")
            }
            if byte == UInt8(ascii: "\"") {
                advance()
                return result
            }
            if byte != UInt8(ascii: "\\") {
                result.append(byte)
                advance()
                continue
            }
            let here = place
            advance()
            guard let escape = peek() else { break }
            advance()
            switch escape {
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "n"): result.append(0x0a)
            case UInt8(ascii: "r"): result.append(0x0d)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): result.append(escape)
            case UInt8(ascii: "x"):
                guard let high = peek().flatMap(Self.digit), let low = peek(1).flatMap(Self.digit) else {
                    throw YARAError(at: here, "an escape without two hex digits")
                }
                advance()
                advance()
                result.append(UInt8(high << 4 | low))
            default: throw YARAError(at: here, "an unknown escape")
            }
        }
        throw YARAError(at: start, "a text without end")
    }

    private mutating func readRegex() throws(YARAError) -> Token.Kind {
        let start = place
        advance()
        var pattern: [UInt8] = []
        while let byte = peek(), byte != 0x0a {
            guard pattern.count < Self.textLimit else {
                throw YARAError(.unsupported, at: start, "a regular expression of more than 64 KiB")
            }
            if byte == UInt8(ascii: "/") {
                advance()
                guard !pattern.isEmpty else { throw YARAError(at: start, "an empty regular expression") }
                var (ignoresCase, dotMatchesAll) = (false, false)
                while let flag = peek(), flag == UInt8(ascii: "i") || flag == UInt8(ascii: "s") {
                    if flag == UInt8(ascii: "i") { ignoresCase = true } else { dotMatchesAll = true }
                    advance()
                }
                return .regex(pattern: pattern, ignoresCase: ignoresCase, dotMatchesAll: dotMatchesAll)
            }
            if byte == UInt8(ascii: "\\"), let escaped = peek(1), escaped != 0x0a {
                if escaped != UInt8(ascii: "/") { pattern.append(byte) }
                pattern.append(escaped)
                advance()
                advance()
                continue
            }
            pattern.append(byte)
            advance()
        }
        throw YARAError(at: start, "a regular expression without end")
    }
}
