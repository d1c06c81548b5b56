/// Parses the inside of `{ … }`: bytes, nibbles, `~`, jumps, alternatives.
struct HexStringParser {
    private let bytes: [UInt8]
    private let places: [SourcePlace]
    private let start: SourcePlace
    private var position = 0
    private var depth = 0

    private static let depthLimit = 32

    static func parse(_ body: (bytes: [UInt8], places: [SourcePlace]), at place: SourcePlace) throws(YARAError) -> Regex
    {
        var parser = HexStringParser(bytes: body.bytes, places: body.places, start: place)
        let parts = try parser.sequence(isInside: false)
        guard parser.position == body.bytes.count else { throw parser.error("a closing bracket too many") }
        guard let first = parts.first, let last = parts.last else { throw parser.error("it is empty") }
        if Self.isJump(first) || Self.isJump(last) { throw parser.error("it begins or ends with a jump") }
        return Regex(root: parts.count == 1 ? first : .sequence(parts), ignoresCase: false)
    }

    private init(bytes: [UInt8], places: [SourcePlace], start: SourcePlace) {
        self.bytes = bytes
        self.places = places
        self.start = start
    }

    private static func isJump(_ node: Regex.Node) -> Bool {
        if case .repetition = node { return true }
        return false
    }

    private func error(_ reason: String) -> YARAError {
        YARAError(at: position < places.count ? places[position] : places.last ?? start, "hex string: \(reason)")
    }

    private func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func sequence(isInside: Bool) throws(YARAError) -> [Regex.Node] {
        var parts: [Regex.Node] = []
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "|"), UInt8(ascii: ")"):
                guard isInside else { throw error("| or ) outside of brackets") }
                return parts
            case UInt8(ascii: "("): parts.append(try alternatives())
            case UInt8(ascii: "["):
                let jump = try jump()
                if isInside, case .repetition(_, _, let most, _) = jump, most == nil {
                    throw error("an unbounded jump inside alternatives")
                }
                if case .repetition(_, 1, 1, _)? = Optional(jump) {
                    parts.append(.set(.all))
                } else {
                    parts.append(jump)
                }
            default: parts.append(try byteOrMask())
            }
        }
        return parts
    }

    private mutating func alternatives() throws(YARAError) -> Regex.Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw error("more than 32 levels of brackets") }
        position += 1
        var branches: [Regex.Node] = []
        while true {
            let parts = try sequence(isInside: true)
            guard !parts.isEmpty else { throw error("an empty alternative") }
            branches.append(parts.count == 1 ? parts[0] : .sequence(parts))
            guard let byte = peek() else { throw error("a bracket that is not closed") }
            position += 1
            if byte == UInt8(ascii: ")") { break }
        }
        return branches.count == 1 ? branches[0] : .alternation(branches)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let byte = peek(), byte &- 0x30 < 10 {
            value = min((value ?? 0) * 10 + Int(byte &- 0x30), 1 << 31)
            position += 1
        }
        return value
    }

    private mutating func jump() throws(YARAError) -> Regex.Node {
        position += 1
        let low = number()
        var high: Int?
        if peek() == UInt8(ascii: "-") {
            position += 1
            high = number()
        } else {
            guard let low else { throw error("a jump without a number") }
            high = low
        }
        guard peek() == UInt8(ascii: "]") else { throw error("a jump that is not closed") }
        if let high, high < low ?? 0 { throw error("a jump whose limits are exchanged") }
        guard (low ?? 0) < 1 << 31, (high ?? 0) < 1 << 31 else { throw error("a jump of 2 GiB or more") }
        if low == 0, high == 0 { throw error("a jump of no byte") }
        position += 1
        return .repetition(.set(.all), least: low ?? 0, most: high, isGreedy: false)
    }

    private mutating func byteOrMask() throws(YARAError) -> Regex.Node {
        let isNegated = peek() == UInt8(ascii: "~")
        if isNegated { position += 1 }
        let (high, highMask) = try nibble()
        let (low, lowMask) = try nibble()
        let (value, mask) = (high << 4 | low, highMask << 4 | lowMask)
        guard isNegated else {
            if mask == 0 { return .set(.all) }
            return mask == 0xff ? .byte(value) : .masked(value: value, mask: mask)
        }
        guard mask != 0 else { throw error("~?? matches nothing") }
        var set = ByteSet()
        for byte in UInt8(0)...255 where byte & mask != value { set.insert(byte) }
        return .set(set)
    }

    private mutating func nibble() throws(YARAError) -> (UInt8, UInt8) {
        guard let byte = peek() else { throw error("half a byte at the end") }
        if byte == UInt8(ascii: "?") {
            position += 1
            return (0, 0)
        }
        guard let digit = Lexer.digit(byte) else { throw error("what is no hex digit") }
        position += 1
        return (UInt8(digit), 0x0f)
    }
}
