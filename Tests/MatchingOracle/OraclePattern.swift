/// A body pattern, how it is written, and the plainest way to find it.
package struct OraclePattern {
    /// A part of a pattern.
    package enum Part {
        case bytes([UInt8])
        case nibble(high: Bool, UInt8)
        case gap(Int, Int?)
        case choice([[UInt8]], negated: Bool)
        /// A zero byte that the modifier `w` puts behind another.
        case zero
        /// No letter or digit beside: the modifier `f`.
        case noWord(before: Bool, wide: Bool)
    }

    package private(set) var parts: [Part]
    package var ignoresCase = false
    package var wide = false
    package var fullword = false
    /// Where it may begin, as the format has it, and as a range for an object's size.
    package var offset = "*"
    package var starts: @Sendable (Int) -> ClosedRange<Int>? = { 0...$0 }

    package init(_ parts: [Part]) {
        self.parts = parts
    }

    // MARK: - As text

    package var text: String { parts.map(Self.text).joined() }

    private static func text(_ part: Part) -> String {
        switch part {
        case .bytes(let bytes): return hexText(bytes)
        case .nibble(let high, let value):
            let digit = String(high ? value >> 4 : value & 15, radix: 16)
            return high ? digit + "?" : "?" + digit
        case .gap(let least, let most):
            if least == 0, most == nil { return "*" }
            guard let most else { return "{\(least)-}" }
            return most == least ? "{\(least)}" : least == 0 ? "{-\(most)}" : "{\(least)-\(most)}"
        case .choice(let list, let negated):
            return (negated ? "!" : "") + "(\(list.map(hexText).joined(separator: "|")))"
        case .zero, .noWord: return ""
        }
    }

    package static func hexText(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    // MARK: - As meaning

    /// What the modifiers make of the parts.
    private var meant: [Part] {
        var result: [Part] = fullword ? [.noWord(before: true, wide: wide)] : []
        for part in parts {
            guard wide else {
                result.append(part)
                continue
            }
            switch part {
            case .bytes(let bytes): result.append(.bytes(bytes.flatMap { [$0, 0] }))
            case .nibble: result += [part, .zero]
            case .choice(let list, let negated):
                result.append(.choice(list.map { $0.flatMap { [$0, 0] } }, negated: negated))
            default: result.append(part)
            }
        }
        if fullword { result.append(.noWord(before: false, wide: wide)) }
        return result
    }

    /// Places where a match counts: where it begins, or, with a varying gap, where what follows the last such gap does.
    package func places(_ object: [UInt8]) -> Set<Int> {
        let parts = meant
        let lastGap = parts.lastIndex { part in
            if case .gap(let least, let most) = part { return most != least }
            return false
        }
        guard let allowed = starts(object.count) else { return [] }
        var result: Set<Int> = []
        for start in allowed where start >= 0 && start <= object.count {
            guard let lastGap else {
                if !ends(parts[...], object, [start]).isEmpty { result.insert(start) }
                continue
            }
            for place in ends(parts[...lastGap], object, [start])
            where !ends(parts[(lastGap + 1)...], object, [place]).isEmpty { result.insert(place) }
        }
        return result
    }

    private func ends(_ parts: ArraySlice<Part>, _ object: [UInt8], _ places: Set<Int>) -> Set<Int> {
        var places = places
        for part in parts { places = Set(places.flatMap { ends(part, object, $0) }) }
        return places
    }

    /// Where a part that begins at a place can end.
    private func ends(_ part: Part, _ object: [UInt8], _ at: Int) -> [Int] {
        switch part {
        case .bytes(let bytes): return has(bytes, object, at) ? [at + bytes.count] : []
        case .zero: return at < object.count && object[at] == 0 ? [at + 1] : []
        case .nibble(let high, let value):
            guard at < object.count else { return [] }
            return (high ? object[at] >> 4 == value >> 4 : object[at] & 15 == value & 15) ? [at + 1] : []
        case .gap(let least, let most):
            let last = min(object.count, most.map { at + $0 } ?? object.count)
            return at + least <= last ? Array((at + least)...last) : []
        case .choice(let list, let negated):
            guard negated else { return list.filter { has($0, object, at) }.map { at + $0.count } }
            let length = list[0].count
            guard at + length <= object.count else { return [] }
            return list.contains { has($0, object, at) } ? [] : [at + length]
        case .noWord(let before, let wide): return isWordBeside(object, at, before: before, wide: wide) ? [] : [at]
        }
    }

    private func has(_ bytes: [UInt8], _ object: [UInt8], _ at: Int) -> Bool {
        guard at + bytes.count <= object.count else { return false }
        return zip(bytes, object[at...]).allSatisfy { $0 == $1 || ignoresCase && Self.lower($0) == Self.lower($1) }
    }

    private func isWordBeside(_ object: [UInt8], _ at: Int, before: Bool, wide: Bool) -> Bool {
        if before {
            guard at > 0 else { return false }
            guard wide else { return Self.isWord(object[at - 1]) }
            return at > 1 && Self.isWord(object[at - 2]) && object[at - 1] == 0
        }
        guard at < object.count else { return false }
        guard wide, at + 1 < object.count else { return Self.isWord(object[at]) }
        return Self.isWord(object[at]) && object[at + 1] == 0
    }

    private static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte + 0x20 : byte }
    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(lower(byte))
    }
}
