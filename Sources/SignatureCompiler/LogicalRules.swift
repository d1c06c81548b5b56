import Bytes
import CModuleABI
import DataModule

/// Logical signatures as rules.
extension RuleTable {
    /// Matches of parts that macro subsignatures look at.
    private static let macroLimit: UInt32 = 4096

    /// Why a signature cannot be found, or nil.
    static func obstacle(_ line: LogicalLine) -> LineError? {
        for part in line.parts {
            guard case .body(let patterns, let place, _) = part else { continue }
            for pattern in patterns where !PatternTable.isFindable(pattern, at: place) {
                return .unsupported("no two bytes without wildcards together")
            }
        }
        return nil
    }

    /// Adds a logical signature and the patterns of its parts.
    mutating func add(
        _ line: LogicalLine, signature: UInt32, patterns: inout PatternTable
    ) throws(DataModuleError) {
        let target = line.description.target
        let limits = Self.limits(line)
        var rule = Rule(signature: signature, kind: UInt8(EM_RULE_LOGICAL), target: target, trigger: .never)
        rule.operations = line.expression.operations
        rule.conditions = line.description.conditions
        rule.flags = line.description.retypes ? UInt16(EM_RULE_RETYPES) : 0
        var literals = [UInt32?](repeating: nil, count: line.parts.count)
        for (number, part) in line.parts.enumerated() {
            var entry = em_rule_part()
            switch part {
            case .body(let forms, let place, let text):
                entry.kind = EM_PART_PATTERN
                entry.a = try bodySlot(forms, place, text, target, limits[number], &patterns)
            case .regex(let regex):
                entry.kind = EM_PART_REGEX
                var record = em_regex()
                record.bytes = try patterns.place(regex.expression.array)
                record.length = UInt32(regex.expression.count)
                record.options = regex.options
                if let outline = regex.outline {
                    let literal = outline.literal
                    if literal.count >= 4 {
                        record.literal = try patterns.place(literal)
                        record.literal_length = UInt32(literal.count)
                        literals[number] = try literalSlot(literal, target, &patterns)
                    } else if regex.options & EM_REGEX_ANCHORED == 0, let sieve = ExpressionSieve(outline) {
                        record.sieve = try place(sieve, &patterns)
                        record.sieve_length = EM_SIEVE_SIZE
                    }
                }
                record.offset = regex.place.offset
                record.shift = regex.place.shift
                record.section = regex.place.section
                record.base = regex.place.base
                entry.a = add(record, trigger: regex.trigger.operations)
            case .compare(let compare):
                entry.kind = EM_PART_COMPARE
                entry.a = add(compare)
            case .image(let hash):
                entry.kind = EM_PART_PATTERN
                entry.a = try imageSlot(hash, target: target)
            case .macro(let group, let least, let most):
                entry.kind = EM_PART_MACRO
                entry.a = try macroSlot(UInt8(group), target: target)
                entry.b = least
                entry.c = most
            }
            rule.parts.append(entry)
        }
        rule.trigger = RuleTrigger(line.expression.operations) {
            Self.trigger($0, line, rule.parts, literals, depth: 0)
        }
        try add(rule)
    }

    /// Where a sieve lies in BYTES. Many signatures are variants of each other.
    private mutating func place(
        _ sieve: ExpressionSieve, _ patterns: inout PatternTable
    ) throws(DataModuleError) -> UInt32 {
        if let place = sieves[sieve] { return place }
        let place = try patterns.place(sieve.bytes)
        sieves[sieve] = place
        return place
    }

    /// The slot of pictures that look so. No part in bytes begins with its mark.
    private mutating func imageSlot(_ hash: UInt64, target: UInt8) throws(DataModuleError) -> UInt32 {
        let key = [UInt8(ascii: "#"), target] + withUnsafeBytes(of: hash) { [UInt8]($0) }
        let slot = try slot(key, Wanted()) { _ throws(DataModuleError) in }
        images.insert(ImageHash(hash: hash, slot: slot))
        return slot
    }

    /// The slot of a macro group: signatures of extended format whose offset names it.
    mutating func macroSlot(_ group: UInt8, target: UInt8) throws(DataModuleError) -> UInt32 {
        // No part begins so.
        try slot(
            [UInt8(ascii: "$"), target, group], Wanted(limit: Self.macroLimit, flags: EM_SLOT_PLACES)
        ) { _ throws(DataModuleError) in }
    }

    /// The slot of bytes that every match of a regular expression has: it is no part, but may be a rule's rarest sign.
    private mutating func literalSlot(
        _ literal: [UInt8], _ target: UInt8, _ patterns: inout PatternTable
    ) throws(DataModuleError) -> UInt32 {
        let content = HexPattern(literal: literal, ignoresCase: true)
        return try slot([UInt8(ascii: "/"), target] + literal.map { asciiLowercased($0) }, Wanted()) {
            slot throws(DataModuleError) in
            try patterns.add(content, at: .anywhere, target: target, slot: slot, lastPart: false)
        }
    }

    private mutating func bodySlot(
        _ forms: [HexPattern], _ place: PatternPlace, _ text: ByteView, _ target: UInt8, _ wanted: Wanted,
        _ patterns: inout PatternTable
    ) throws(DataModuleError) -> UInt32 {
        let counts = wanted.limit > 1 && wanted.flags & EM_SLOT_PLACES == 0
        let lastPart = counts && forms.contains { $0.hasVaryingGap }
        var wanted = wanted
        if lastPart {
            wanted.flags |= EM_SLOT_LAST_PART
        } else if counts, forms.contains(where: { $0.hasVaryingAlternatives }) {
            // The same beginning may be found from several anchors.
            wanted.flags |= EM_SLOT_PLACES
        }
        // How matches are counted may not change with what other rules want of an equal part.
        let key = [lastPart ? 1 : counts ? 2 : 0, target] + text.buffer.map { asciiLowercased($0) }
        return try slot(key, wanted) { slot throws(DataModuleError) in
            for form in forms { try patterns.add(form, at: place, target: target, slot: slot, lastPart: lastPart) }
        }
    }

    /// What has to be known about each part's matches.
    private static func limits(_ line: LogicalLine) -> [Wanted] {
        var result = [Wanted](repeating: Wanted(), count: line.parts.count)
        func count(_ expression: LogicalExpression) {
            for operation in expression.operations {
                switch operation.kind {
                case EM_OPERATION_EQUAL, EM_OPERATION_BELOW, EM_OPERATION_ABOVE:
                    let part = Int(operation.a)
                    result[part].limit = max(result[part].limit, above(operation.b))
                case EM_OPERATION_ALL_EQUAL, EM_OPERATION_ALL_BELOW, EM_OPERATION_ALL_ABOVE:
                    // Any of the parts may be inside.
                    for part in result.indices { result[part].limit = max(result[part].limit, above(operation.a)) }
                default: break
                }
            }
        }
        count(line.expression)
        for (number, part) in line.parts.enumerated() {
            switch part {
            case .regex(let regex): count(regex.trigger)
            case .compare(let compare) where Int(compare.part) < result.count:
                // The last match decides.
                result[Int(compare.part)].limit = .max
            case .macro:
                result[number - 1].limit = max(result[number - 1].limit, macroLimit)
                result[number - 1].flags |= EM_SLOT_PLACES
            default: break
            }
        }
        return result
    }

    private static func above(_ count: UInt32) -> UInt32 { count == .max ? count : count + 1 }

    /// What follows from a part having a match.
    private static func trigger(
        _ number: UInt32, _ line: LogicalLine, _ parts: [em_rule_part], _ literals: [UInt32?], depth: Int
    ) -> RuleTrigger {
        guard Int(number) < parts.count, depth < 8 else { return .always }
        switch line.parts[Int(number)] {
        case .body, .macro, .image: return .slot(parts[Int(number)].a)
        case .regex(let regex):
            let own = RuleTrigger(regex.trigger.operations) { trigger($0, line, parts, literals, depth: depth + 1) }
            guard let literal = literals[Int(number)] else { return own }
            return .all([own, .slot(literal)])
        case .compare(let compare): return trigger(compare.part, line, parts, literals, depth: depth + 1)
        }
    }
}

extension HexPattern {
    /// Whether a gap has no fixed length.
    var hasVaryingGap: Bool {
        elements.contains { element in
            if case .gap(let least, let most) = element { return most != least }
            return false
        }
    }

    /// Whether alternatives differ in length.
    var hasVaryingAlternatives: Bool {
        elements.contains { element in
            if case .alternatives = element { return element.fixedLength == nil }
            return false
        }
    }
}
