/// Parses YARA's regular expressions: bytes, not characters; no back references and no look-around.
struct RegexParser {
    private let bytes: [UInt8]
    private let place: SourcePlace
    private let dotMatchesAll: Bool
    private var position = 0
    private var depth = 0
    /// Whether a greedy or a lazy repetition was seen: YARA allows one kind only.
    private var greed: Bool?

    private static let depthLimit = 64
    private static let repeatLimit = 32_767

    private init(_ bytes: [UInt8], dotMatchesAll: Bool, place: SourcePlace) {
        self.bytes = bytes
        self.place = place
        self.dotMatchesAll = dotMatchesAll
    }

    static func parse(
        _ bytes: [UInt8], ignoresCase: Bool, dotMatchesAll: Bool, at place: SourcePlace
    ) throws(YARAError) -> Regex {
        var parser = RegexParser(bytes, dotMatchesAll: dotMatchesAll, place: place)
        let root = try parser.alternation()
        guard parser.position == bytes.count else { throw parser.error("a closing bracket too many") }
        return Regex(root: root, ignoresCase: ignoresCase)
    }

    private func error(_ reason: String) -> YARAError {
        YARAError(
            at: SourcePlace(file: place.file, line: place.line, column: place.column + 1 + position),
            "regular expression: \(reason)")
    }

    private func peek(_ distance: Int = 0) -> UInt8? {
        position + distance < bytes.count ? bytes[position + distance] : nil
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    private mutating func alternation() throws(YARAError) -> Regex.Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw error("more than 64 levels of brackets") }
        var branches = [try sequence()]
        while take(UInt8(ascii: "|")) { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .alternation(branches)
    }

    private mutating func sequence() throws(YARAError) -> Regex.Node {
        var parts: [Regex.Node] = []
        while let byte = peek(), byte != UInt8(ascii: "|"), byte != UInt8(ascii: ")") {
            parts.append(try repeated(try single()))
        }
        return parts.isEmpty ? .empty : parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func repeated(_ node: Regex.Node) throws(YARAError) -> Regex.Node {
        var node = node
        while let byte = peek() {
            var (least, most): (Int, Int?) = (0, nil)
            switch byte {
            case UInt8(ascii: "*"): position += 1
            case UInt8(ascii: "+"):
                position += 1
                least = 1
            case UInt8(ascii: "?"):
                position += 1
                most = 1
            case UInt8(ascii: "{"):
                guard let bounds = try readBounds() else { return node }
                (least, most) = bounds
            default: return node
            }
            switch node {
            case .start, .end, .boundary, .notBoundary: throw error("a repetition of what has no length")
            default: break
            }
            let isGreedy = !take(UInt8(ascii: "?"))
            if let greed, greed != isGreedy { throw error("greedy and lazy repetitions together") }
            greed = isGreedy
            node = .repetition(node, least: least, most: most, isGreedy: isGreedy)
        }
        return node
    }

    /// `{n}`, `{n,}`, `{,m}`, `{n,m}`; nil (nothing read) when it is none: then `{` stands for itself.
    private mutating func readBounds() throws(YARAError) -> (Int, Int?)? {
        var at = position + 1
        func number() -> (Int?, Int) {
            var (value, end) = (0, at)
            while end < bytes.count, bytes[end] &- 0x30 < 10 {
                value = min(value * 10 + Int(bytes[end] &- 0x30), Self.repeatLimit + 1)
                end += 1
            }
            return (end == at ? nil : value, end)
        }
        let (low, afterLow) = number()
        at = afterLow
        guard at < bytes.count else { return nil }
        if bytes[at] == UInt8(ascii: "}"), let low {
            position = at + 1
            guard low <= Self.repeatLimit else { throw error("a repetition of more than 32,767 times") }
            return (low, low)
        }
        guard bytes[at] == UInt8(ascii: ",") else { return nil }
        at += 1
        let (high, afterHigh) = number()
        at = afterHigh
        guard at < bytes.count, bytes[at] == UInt8(ascii: "}"), low != nil || high != nil else { return nil }
        position = at + 1
        guard (low ?? 0) <= Self.repeatLimit, (high ?? 0) <= Self.repeatLimit else {
            throw error("a repetition of more than 32,767 times")
        }
        if let high, high < low ?? 0 { throw error("a repetition whose limits are exchanged") }
        return (low ?? 0, high)
    }

    private mutating func single() throws(YARAError) -> Regex.Node {
        guard let byte = peek() else { return .empty }
        switch byte {
        case UInt8(ascii: "("):
            position += 1
            if peek() == UInt8(ascii: "?") { throw error("(?…) is not supported") }
            let inner = try alternation()
            guard take(UInt8(ascii: ")")) else { throw error("a bracket that is not closed") }
            return inner
        case UInt8(ascii: "["): return .set(try set())
        case UInt8(ascii: "."):
            position += 1
            return .set(dotMatchesAll ? .all : .notNewline)
        case UInt8(ascii: "^"):
            position += 1
            return .start
        case UInt8(ascii: "$"):
            position += 1
            return .end
        case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"): throw error("a repetition of nothing")
        case UInt8(ascii: "\\"):
            if peek(1) == UInt8(ascii: "b") || peek(1) == UInt8(ascii: "B") {
                position += 2
                return bytes[position - 1] == UInt8(ascii: "b") ? .boundary : .notBoundary
            }
            switch try escape() {
            case .byte(let value): return .byte(value)
            case .set(let set): return .set(set)
            }
        default:
            position += 1
            return .byte(byte)
        }
    }

    private enum Escaped {
        case byte(UInt8)
        case set(ByteSet)
    }

    private mutating func escape() throws(YARAError) -> Escaped {
        position += 1
        guard let byte = peek() else { throw error("a backslash at the end") }
        position += 1
        switch byte {
        case UInt8(ascii: "w"): return .set(.word)
        case UInt8(ascii: "W"): return .set(ByteSet.word.inverted)
        case UInt8(ascii: "d"): return .set(.digit)
        case UInt8(ascii: "D"): return .set(ByteSet.digit.inverted)
        case UInt8(ascii: "s"): return .set(.space)
        case UInt8(ascii: "S"): return .set(ByteSet.space.inverted)
        case UInt8(ascii: "t"): return .byte(0x09)
        case UInt8(ascii: "n"): return .byte(0x0a)
        case UInt8(ascii: "r"): return .byte(0x0d)
        case UInt8(ascii: "f"): return .byte(0x0c)
        case UInt8(ascii: "a"): return .byte(0x07)
        case UInt8(ascii: "x"):
            guard let high = peek().flatMap(Lexer.digit), let low = peek(1).flatMap(Lexer.digit) else {
                throw error("an escape without two hex digits")
            }
            position += 2
            return .byte(UInt8(high << 4 | low))
        default:
            if byte &- 0x31 < 9 { throw error("a back reference") }
            return .byte(byte)
        }
    }

    private mutating func set() throws(YARAError) -> ByteSet {
        position += 1
        let isNegated = take(UInt8(ascii: "^"))
        var result = ByteSet()
        var isFirst = true
        while let byte = peek(), byte != UInt8(ascii: "]") || isFirst {
            isFirst = false
            guard let low = try member(into: &result) else { continue }
            if peek() == UInt8(ascii: "-"), let next = peek(1), next != UInt8(ascii: "]") {
                position += 1
                guard let high = try member(into: &result), high >= low else {
                    throw error("a range in [] that is none")
                }
                result.insert(low...high)
            } else {
                result.insert(low)
            }
        }
        guard take(UInt8(ascii: "]")) else { throw error("[ that is not closed") }
        return isNegated ? result.inverted : result
    }

    /// A single byte of a set, or nil after a class was added.
    private mutating func member(into set: inout ByteSet) throws(YARAError) -> UInt8? {
        guard let byte = peek() else { throw error("[ that is not closed") }
        guard byte == UInt8(ascii: "\\") else {
            position += 1
            return byte
        }
        if peek(1) == UInt8(ascii: "b") {
            position += 2
            return 0x08
        }
        switch try escape() {
        case .byte(let value): return value
        case .set(let members):
            set.formUnion(members)
            return nil
        }
    }
}
