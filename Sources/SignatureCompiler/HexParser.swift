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
        guard closing == UInt8(ascii: "}") || most.map({ least <= $0 }) ?? true else {
            throw .malformed("a gap whose minimum is above its maximum")
        }
        // ClamAV takes a maximum of 0 in braces for none.
        return .gap(least: least, most: closing == UInt8(ascii: "}") && most == 0 ? nil : most)
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
        guard least <= most || most == 0 else { throw .malformed("a gap whose minimum is above its maximum") }
        return (least, most)
    }

    private static func number(_ text: ByteView) throws(LineError) -> UInt32 {
        guard let value = Number.decimal(text) else { throw .malformed("a gap whose length is no number") }
        guard value < gapLimit else { throw .unsupported("a gap of 2 GiB or more") }
        return UInt32(value)
    }

    // MARK: - Groups

    /// Alternatives inside alternatives, and all strings that they stand for.
    private static let depthLimit = 15
    private static let alternativeLimit = 4096
    private static let sizeLimit = 1 << 20

    /// A class or alternatives.
    private mutating func group(negated: Bool) throws(LineError) -> HexPattern.Element {
        let end = try closing(of: text, at: at)
        let inside = text.slice(at + 1, end)
        at = end + 1
        if inside.count == 1 {
            switch inside[0] {
            case UInt8(ascii: "B"): return .assertion(kind: EM_ELEMENT_BOUNDARY, negated: negated, before: false)
            case UInt8(ascii: "L"): return .assertion(kind: EM_ELEMENT_LINE, negated: negated, before: false)
            case UInt8(ascii: "W"): return .assertion(kind: EM_ELEMENT_NONWORD, negated: negated, before: false)
            default: break
            }
        }
        guard !inside.isEmpty, inside[0] != UInt8(ascii: "|") else { throw .malformed("an empty first alternative") }
        var list = try alternatives(inside, depth: 0)
        for i in list.indices where list[i].masks.allSatisfy({ $0 == 0xff }) { list[i].masks = [] }
        if negated {
            guard list.allSatisfy({ $0.masks.isEmpty }) else { throw .malformed("wildcards in negated alternatives") }
            guard list.allSatisfy({ $0.values.count == list[0].values.count }) else {
                throw .malformed("negated alternatives of different lengths")
            }
        }
        return .alternatives(list, negated: negated)
    }

    /// The parenthesis that closes the one at a place.
    private func closing(of text: ByteView, at start: Int) throws(LineError) -> Int {
        var depth = 0
        for i in start..<text.count {
            if text[i] == UInt8(ascii: "(") { depth += 1 }
            if text[i] == UInt8(ascii: ")") {
                depth -= 1
                if depth == 0 { return i }
            }
        }
        throw .malformed("a parenthesis that does not close")
    }

    /// All strings between the bars. Masks have the length of the values.
    private func alternatives(_ text: ByteView, depth: Int) throws(LineError) -> [HexPattern.Alternative] {
        guard depth < Self.depthLimit else { throw .unsupported("alternatives nested too deep") }
        var list: [HexPattern.Alternative] = []
        var start = 0
        var nested = 0
        for i in 0...text.count {
            let character = i < text.count ? text[i] : UInt8(ascii: "|")
            if character == UInt8(ascii: "(") { nested += 1 }
            if character == UInt8(ascii: ")") { nested -= 1 }
            guard i == text.count || (character == UInt8(ascii: "|") && nested == 0) else { continue }
            list += try alternative(text.slice(start, i), depth: depth)
            guard list.count <= Self.alternativeLimit else {
                throw .unsupported("more than 4,096 alternatives in one place")
            }
            start = i + 1
        }
        return list
    }

    /// Bytes with wildcards, gaps of a fixed length and alternatives, or nothing: all strings that they stand for.
    private func alternative(_ text: ByteView, depth: Int) throws(LineError) -> [HexPattern.Alternative] {
        var results = [HexPattern.Alternative(values: [], masks: [])]
        var at = 0
        while at < text.count {
            guard results.count * results[0].values.count <= Self.sizeLimit else {
                throw .unsupported("more than 1 MiB of alternatives in one place")
            }
            if text[at] == UInt8(ascii: "{") {
                guard let end = text.firstIndex(of: UInt8(ascii: "}"), from: at) else {
                    throw .malformed("a gap that does not end")
                }
                let (least, most) = try Self.range(text.slice(at + 1, end))
                guard least == most, least < 128 else { throw .malformed("a gap of variable length in an alternative") }
                let free = [UInt8](repeating: 0, count: Int(least))
                for i in results.indices {
                    results[i].values += free
                    results[i].masks += free
                }
                at = end + 1
            } else if text[at] == UInt8(ascii: "(") {
                let end = try closing(of: text, at: at)
                let choices = try alternatives(text.slice(at + 1, end), depth: depth + 1)
                guard results.count * choices.count <= Self.alternativeLimit else {
                    throw .unsupported("more than 4,096 alternatives in one place")
                }
                var joined: [HexPattern.Alternative] = []
                for result in results {
                    for choice in choices {
                        joined.append(
                            HexPattern.Alternative(
                                values: result.values + choice.values, masks: result.masks + choice.masks))
                    }
                }
                results = joined
                at = end + 1
            } else {
                var (values, masks): ([UInt8], [UInt8]) = ([], [])
                let (value, mask) = try byte(in: text, &at)
                values.append(value)
                masks.append(mask)
                if isWide { widen(&values, &masks) }
                for i in results.indices {
                    results[i].values += values
                    results[i].masks += masks
                }
            }
        }
        return results
    }
}
