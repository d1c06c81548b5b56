/// Makes rules, and objects in which they may be found.
package enum OracleGenerator {
    private static let letters: [UInt8] = [0x61, 0x62, 0x61, 0x41]

    private static func bytes(_ count: Int, _ choices: inout Choices) -> [UInt8] {
        (0..<count).map { _ in choices.element(letters) }
    }

    private static func part(_ choices: inout Choices) -> OraclePattern.Part {
        switch choices.number(10) {
        case 0..<4: return .bytes(bytes(1 + choices.number(3), &choices))
        case 4: return .nibble(high: choices.once(in: 2), choices.element(letters))
        case 5: return .gap(0, nil)
        case 6:
            let least = choices.number(4)
            return .gap(least, choices.once(in: 3) ? nil : least + 1 + choices.number(3))
        case 7:
            let length = 1 + choices.number(2)
            return .choice((0..<2).map { _ in bytes(length, &choices) }, negated: choices.once(in: 2))
        case 8: return .gap(1 + choices.number(3), nil)
        default:
            // One length: how often one of several lengths matches is not said.
            let length = 1 + choices.number(3)
            return .choice((0..<3).map { _ in bytes(length, &choices) }, negated: false)
        }
    }

    /// A pattern with at least two bytes together behind its last varying gap.
    package static func pattern(_ choices: inout Choices) -> OraclePattern {
        var parts = (0..<choices.number(5)).map { _ in part(&choices) }
        parts.append(.bytes(bytes([2, 2, 3, 4, 7, 9][choices.number(6)], &choices)))
        for _ in 0..<choices.number(3) {
            let next = part(&choices)
            if case .gap = next { continue }
            parts.append(next)
        }
        // A gap at the edge says nothing, and two in a row are one.
        var kept: [OraclePattern.Part] = []
        for part in parts {
            if case .gap = part {
                guard let last = kept.last else { continue }
                if case .gap = last { continue }
            }
            kept.append(part)
        }
        var pattern = OraclePattern(kept)
        pattern.ignoresCase = choices.once(in: 4)
        pattern.wide = choices.once(in: 6)
        pattern.fullword = choices.once(in: 6)
        setOffset(&pattern, &choices)
        return pattern
    }

    private static func setOffset(_ pattern: inout OraclePattern, _ choices: inout Choices) {
        let (offset, shift) = (choices.number(12), choices.number(5))
        switch choices.number(8) {
        case 0:
            pattern.offset = shift == 0 ? "\(offset)" : "\(offset),\(shift)"
            pattern.starts = { _ in offset...(offset + shift) }
        case 1:
            pattern.offset = shift == 0 ? "EOF-\(offset)" : "EOF-\(offset),\(shift)"
            pattern.starts = { size in (size - offset)...(size - offset + shift) }
        default: break
        }
    }

    package static func rule(_ choices: inout Choices) -> OracleRule {
        let parts = (0..<(1 + choices.number(4))).map { _ in pattern(&choices) }
        // Every part must be named, the last one at least.
        var expression = leaf(parts.count - 1, &choices)
        for number in (0..<(parts.count - 1)).reversed() {
            let other = leaf(number, &choices)
            expression = choices.once(in: 2) ? .both(other, expression) : .either(other, expression)
            if choices.once(in: 4) {
                expression = .block(
                    expression, choices.element(["=", "<", ">"]), choices.number(4), choices.number(3))
            }
        }
        return OracleRule(parts: parts, expression: expression)
    }

    private static func leaf(_ number: Int, _ choices: inout Choices) -> OracleRule.Expression {
        guard choices.once(in: 3) else { return .part(number) }
        return .counted(number, choices.element(["=", "<", ">"]), choices.number(4))
    }

    package static func object(_ choices: inout Choices) -> [UInt8] {
        let isWide = choices.once(in: 4)
        return (0..<choices.number(48)).flatMap { _ -> [UInt8] in
            let byte = choices.element(letters + [0x20])
            return isWide && !choices.once(in: 12) ? [byte, 0] : [byte]
        }
    }
}
