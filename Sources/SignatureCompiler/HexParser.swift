import Bytes
import CModuleABI

/// Reads the text of a body signature part by part. Linear, no recursion.
struct HexParser {
    /// Gaps from here on are refused, so that sums fit 32 bits.
    static let gapLimit: UInt64 = 1 << 31

    private let text: ByteView
    /// A zero byte follows every byte of the text: the subsignature modifier `w`.
    private let isWide: Bool
    private var at = 0

    init(_ text: ByteView, isWide: Bool = false) {
        self.text = text
        self.isWide = isWide
    }

    /// The next part, nil at the end. Literals, masked bytes and `??` come in runs.
    mutating func next() throws(LineError) -> HexPattern.Element? {
        guard at < text.count else { return nil }
        switch text[at] {
        case UInt8(ascii: "*"):
            at += 1
            return .gap(least: 0, most: nil)
        case UInt8(ascii: "{"): return try gap(closing: UInt8(ascii: "}"))
        case UInt8(ascii: "["): return try gap(closing: UInt8(ascii: "]"))
        case UInt8(ascii: "!"):
            at += 1
            guard at < text.count, text[at] == UInt8(ascii: "(") else { throw .malformed("'!' without '('") }
            return try group(negated: true)
        case UInt8(ascii: "("): return try group(negated: false)
        default: return try bytes()
        }
    }

    // MARK: - Bytes

    /// A run of bytes of one kind: exact, free, or with a mask.
    private mutating func bytes() throws(LineError) -> HexPattern.Element {
        let (value, mask) = try byte(in: text, &at)
        var values = [value]
        var masks = [mask]
        let kind = Kind(mask, isWide: isWide)
        if isWide { widen(&values, &masks) }
        while at < text.count, isByteStart(text[at]) {
            let before = at
            let (value, mask) = try byte(in: text, &at)
            guard Kind(mask, isWide: isWide) == kind else {
                at = before
                break
            }
            values.append(value)
            masks.append(mask)
            if isWide { widen(&values, &masks) }
        }
        switch kind {
        case .exact: return .literal(values)
        case .free: return .gap(least: UInt32(values.count), most: UInt32(values.count))
        case .masked: return .masked(values: values, masks: masks)
        }
    }

    private enum Kind {
        case exact, free, masked

        init(_ mask: UInt8, isWide: Bool) {
            self = mask == 0xff ? .exact : mask == 0 && !isWide ? .free : .masked
        }
    }

    private func widen(_ values: inout [UInt8], _ masks: inout [UInt8]) {
        values.append(0)
        masks.append(0xff)
    }

    private func isByteStart(_ character: UInt8) -> Bool {
        character == UInt8(ascii: "?") || Number.hex(character) != nil
    }

    /// Two nibbles, each a hex digit or `?`.
    private func byte(in text: ByteView, _ at: inout Int) throws(LineError) -> (UInt8, UInt8) {
        var value: UInt8 = 0
        var mask: UInt8 = 0
        for _ in 0..<2 {
            guard at < text.count else { throw .malformed("an odd number of hex digits") }
            let character = text[at]
            if let digit = Number.hex(character) {
                value = value << 4 | digit
                mask = mask << 4 | 0x0f
            } else if character == UInt8(ascii: "?") {
                value <<= 4
                mask <<= 4
            } else if Self.isPunctuation(character) {
                throw .malformed("an odd number of hex digits")
            } else {
                throw .malformed("a character that is neither hex digit nor wildcard")
            }
            at += 1
        }
        return (value, mask)
    }

    private static func isPunctuation(_ character: UInt8) -> Bool {
        ByteView("*{[(!|)").firstIndex(of: character) != nil
    }

    // MARK: - Gaps

    /// {n} {-n} {n-} {n-m}, or the same in brackets.
    private mutating func gap(closing: UInt8) throws(LineError) -> HexPattern.Element {
        guard let end = text.firstIndex(of: closing, from: at) else { throw .malformed("a gap that does not end") }
        let inside = text.slice(at + 1, end)
        at = end + 1
        let (least, most) = try Self.range(inside)
        return .gap(least: least, most: most)
    }

    private static func range(_ inside: ByteView) throws(LineError) -> (UInt32, UInt32?) {
        guard let dash = inside.firstIndex(of: UInt8(ascii: "-")) else {
            let length = try number(inside)
            return (length, length)
        }
        let (low, high) = (inside.prefix(dash), inside.dropFirst(dash + 1))
        guard !low.isEmpty || !high.isEmpty else { throw .malformed("a gap without a number") }
        let least = low.isEmpty ? 0 : try number(low)
        guard !high.isEmpty else { return (least, nil) }
        let most = try number(high)
        guard least <= most else { throw .malformed("a gap whose minimum is above its maximum") }
        return (least, most)
    }

    private static func number(_ text: ByteView) throws(LineError) -> UInt32 {
        guard let value = Number.decimal(text) else { throw .malformed("a gap whose length is no number") }
        guard value < gapLimit else { throw .unsupported("a gap of 2 GiB or more") }
        return UInt32(value)
    }

    // MARK: - Groups

    /// A class or alternatives.
    private mutating func group(negated: Bool) throws(LineError) -> HexPattern.Element {
        guard let end = text.firstIndex(of: UInt8(ascii: ")"), from: at) else {
            throw .malformed("a parenthesis that does not close")
        }
        let inside = text.slice(at + 1, end)
        if inside.firstIndex(of: UInt8(ascii: "(")) != nil { throw .unsupported("alternatives inside alternatives") }
        at = end + 1
        if inside.count == 1 {
            switch inside[0] {
            case UInt8(ascii: "B"): return .assertion(kind: EM_ELEMENT_BOUNDARY, negated: negated, before: false)
            case UInt8(ascii: "L"): return .assertion(kind: EM_ELEMENT_LINE, negated: negated, before: false)
            case UInt8(ascii: "W"): return .assertion(kind: EM_ELEMENT_NONWORD, negated: negated, before: false)
            default: break
            }
        }
        var list: [HexPattern.Alternative] = []
        var start = 0
        while start <= inside.count {
            let stop = inside.firstIndex(of: UInt8(ascii: "|"), from: start) ?? inside.count
            list.append(try alternative(inside.slice(start, stop)))
            start = stop + 1
        }
        if negated {
            guard list.allSatisfy({ $0.masks.isEmpty }) else { throw .malformed("wildcards in negated alternatives") }
            guard list.allSatisfy({ $0.values.count == list[0].values.count }) else {
                throw .malformed("negated alternatives of different lengths")
            }
        }
        return .alternatives(list, negated: negated)
    }

    /// Bytes with wildcards and gaps of a fixed length.
    private func alternative(_ text: ByteView) throws(LineError) -> HexPattern.Alternative {
        guard !text.isEmpty else { throw .malformed("an empty alternative") }
        var result = HexPattern.Alternative(values: [], masks: [])
        var at = 0
        while at < text.count {
            if text[at] == UInt8(ascii: "{") {
                guard let end = text.firstIndex(of: UInt8(ascii: "}"), from: at) else {
                    throw .malformed("a gap that does not end")
                }
                let (least, most) = try Self.range(text.slice(at + 1, end))
                guard least == most, least < 128 else { throw .malformed("a gap of variable length in an alternative") }
                result.values += [UInt8](repeating: 0, count: Int(least))
                result.masks += [UInt8](repeating: 0, count: Int(least))
                at = end + 1
            } else {
                let (value, mask) = try byte(in: text, &at)
                result.values.append(value)
                result.masks.append(mask)
                if isWide { widen(&result.values, &result.masks) }
            }
        }
        if result.masks.allSatisfy({ $0 == 0xff }) { result.masks = [] }
        return result
    }
}
