import Bytes
import CModuleABI
import DataModule
import YARA

/// Adds the rules of files to a database: strings as slots of the one index, conditions as trees.
struct YARARules {
    private(set) var table = YARATable()
    /// Why the rule at hand cannot be compiled.
    private var obstacle: LineError?

    /// Matches of one string that are noted; what has more in one object is said to be over a limit.
    private static let matchLimit: UInt32 = 1_000_000

    /// Adds the rules of one file.
    ///
    /// - Parameters:
    ///   - enter: gives a rule that reports its signature number, or nil when an ignore list names it.
    ///   - reject: told about a rule that cannot be compiled.
    mutating func add(
        _ checked: [CheckedRule], rules: inout RuleTable, patterns: inout PatternTable,
        enter: (CheckedRule) throws(DataModuleError) -> UInt32?,
        reject: (CheckedRule, LineError) -> Void
    ) throws(DataModuleError) {
        var indexes: [UInt32] = []
        var triggers: [RuleTrigger] = []
        var parts: [[em_rule_part]] = []
        var obstacles: [LineError?] = []
        for rule in checked {
            obstacle = nil
            let first = UInt32(table.strings.count)
            var slots: [em_rule_part] = []
            var strings: [RuleTrigger] = []
            for string in rule.strings { strings.append(try add(string, &slots, &rules, &patterns)) }
            var lowering = YARACondition(firstString: first, rules: indexes)
            var entry = em_yara_rule()
            entry.condition = lowering.lower(rule.condition, &table)
            entry.first_string = first
            entry.string_count = UInt32(rule.strings.count)
            entry.variables = UInt32(rule.variables)
            entry.flags = rule.isPrivate ? EM_YARA_PRIVATE : 0
            let failure = obstacle ?? lowering.obstacle
            obstacles.append(failure)
            let isUsable = failure == nil
            if !isUsable { entry.condition = table.node(EM_YARA_NODE_BOOLEAN, 0) }
            table.rules.append(entry)
            indexes.append(UInt32(table.rules.count - 1))
            var finder = YARATriggers(strings: strings, rules: triggers)
            let found = isUsable ? finder.whenTrue(rule.condition) : .never
            triggers.append(try placed(found, finder.places, &slots, &rules, &patterns))
            parts.append(slots)
        }
        let globals = checked.indices.filter { checked[$0].isGlobal }
        for (number, rule) in checked.enumerated() {
            if let obstacle = obstacles[number] {
                reject(rule, obstacle)
                continue
            }
            guard !rule.isPrivate, let signature = try enter(rule) else { continue }
            var code = indexes[number]
            var trigger = triggers[number]
            let others = globals.filter { $0 != number }
            if !others.isEmpty {
                // What global rules demand holds for every rule of the file.
                let nodes = (others + [number]).map { table.node(EM_YARA_NODE_RULE, indexes[$0]) }
                var entry = em_yara_rule()
                entry.condition = table.node(EM_YARA_NODE_AND, table.list(nodes), UInt32(nodes.count))
                table.rules.append(entry)
                code = UInt32(table.rules.count - 1)
                trigger = .all([trigger] + others.map { triggers[$0] })
            }
            var record = RuleTable.Rule(
                signature: signature, kind: UInt8(EM_RULE_YARA), target: UInt8(EM_TARGET_ANY), trigger: trigger)
            record.parts = parts[number]
            record.code = (code, 1)
            try rules.add(record)
        }
    }

    func finish() throws(DataModuleError) -> [DatabaseSection] { try table.finish() }

    // MARK: - Strings

    private mutating func add(
        _ string: StringDefinition, _ parts: inout [em_rule_part], _ rules: inout RuleTable,
        _ patterns: inout PatternTable
    ) throws(DataModuleError) -> RuleTrigger {
        var variants: [em_yara_variant] = []
        var triggers: [RuleTrigger] = []
        for form in YARAForm.forms(of: string) {
            switch form {
            case .literals(let literals, let isWide, let ignoresCase):
                var variant = em_yara_variant()
                variant.kind = UInt16(EM_YARA_VARIANT_SLOT)
                variant.flags = UInt16((isWide ? EM_YARA_WIDE : 0) | (ignoresCase ? EM_YARA_NOCASE : 0))
                if literals.allSatisfy({ $0.count >= 2 }) {
                    let slot = try slot(literals, ignoresCase, &rules, &patterns)
                    parts.append(em_rule_part(kind: EM_PART_PATTERN, a: slot, b: 0, c: 0))
                    variant.a = slot
                    variants.append(variant)
                    triggers.append(.slot(slot))
                } else {
                    variant.a = EM_NO_SLOT
                    for literal in literals {
                        variant.b = UInt32(literal.count)
                        variant.c = table.place(ignoresCase ? literal.map { asciiLowercased($0) } : literal)
                        variants.append(variant)
                    }
                    triggers.append(.always)
                }
            case .program(let regex, let isWide):
                let (variant, trigger) = try program(regex, isWide, &parts, &rules, &patterns)
                variants.append(variant)
                triggers.append(trigger)
            case .chain(let pieces):
                var all: [RuleTrigger] = []
                for (index, piece) in pieces.enumerated() {
                    let made = try program(piece.piece, false, &parts, &rules, &patterns)
                    var variant = made.variant
                    if index > 0 { variant.flags |= UInt16(EM_YARA_CHAINED) }
                    variant.gap_least = piece.least
                    variant.gap_most = piece.most ?? EM_GAP_UNBOUNDED
                    variants.append(variant)
                    all.append(made.trigger)
                }
                triggers.append(.all(all))
            }
        }
        var entry = em_yara_string()
        entry.first_variant = UInt32(table.variants.count)
        entry.variant_count = UInt32(variants.count)
        entry.flags = string.modifiers.fullword ? EM_YARA_FULLWORD : 0
        table.variants += variants
        table.strings.append(entry)
        return .any(triggers)
    }

    /// The slot of literals: one for all, because equal strings are common.
    private func slot(
        _ literals: [[UInt8]], _ ignoresCase: Bool, _ rules: inout RuleTable, _ patterns: inout PatternTable
    ) throws(DataModuleError) -> UInt32 {
        // No part of a logical signature begins so.
        var key: [UInt8] = [UInt8(ascii: "Y"), ignoresCase ? 1 : 0]
        for literal in literals {
            let text = ignoresCase ? literal.map { asciiLowercased($0) } : literal
            withUnsafeBytes(of: UInt32(text.count)) { key += $0 }
            key += text
        }
        let wanted = RuleTable.Wanted(limit: Self.matchLimit, flags: EM_SLOT_PLACES | EM_SLOT_YARA)
        return try rules.slot(key, wanted) { slot throws(DataModuleError) in
            for literal in literals {
                let pattern = HexPattern(literal: literal, ignoresCase: ignoresCase)
                try patterns.add(
                    pattern, at: .anywhere, target: UInt8(EM_TARGET_ANY), slot: slot, lastPart: false)
            }
        }
    }

    private mutating func program(
        _ regex: Regex, _ isWide: Bool, _ parts: inout [em_rule_part], _ rules: inout RuleTable,
        _ patterns: inout PatternTable
    ) throws(DataModuleError) -> (variant: em_yara_variant, trigger: RuleTrigger) {
        var variant = em_yara_variant()
        variant.kind = UInt16(EM_YARA_VARIANT_PROGRAM)
        guard let program = table.program(regex, isWide: isWide) else {
            obstacle = .unsupported("a regular expression that is too long")
            return (variant, .never)
        }
        variant.flags = UInt16((isWide ? EM_YARA_WIDE : 0) | program.flags)
        variant.a = program.first
        variant.b = program.count
        variant.first_atom = UInt32(table.atoms.count)
        guard let atoms = YARAAtoms.atoms(of: regex, isWide: isWide) else { return (variant, .always) }
        var triggers: [RuleTrigger] = []
        for atom in atoms {
            let folds = regex.ignoresCase && atom.bytes.contains { ($0 | 0x20) &- 0x61 < 26 }
            let slot = try slot([atom.bytes], folds, &rules, &patterns)
            parts.append(em_rule_part(kind: EM_PART_PATTERN, a: slot, b: 0, c: 0))
            table.atoms.append(em_yara_atom(slot: slot, least: UInt32(atom.least), most: UInt32(atom.most)))
            triggers.append(.slot(slot))
        }
        variant.atom_count = UInt32(atoms.count)
        return (variant, .any(triggers))
    }

    /// Replaces the places that triggers ask for by slots.
    private func placed(
        _ trigger: RuleTrigger, _ places: [YARATriggers.Place], _ parts: inout [em_rule_part],
        _ rules: inout RuleTable, _ patterns: inout PatternTable
    ) throws(DataModuleError) -> RuleTrigger {
        var slots: [UInt32] = []
        for place in places {
            let text = Array(String(place.offset).utf8)
            let key = [UInt8(ascii: "Y"), 2] + text + [0] + place.bytes
            let slot = try rules.slot(key, RuleTable.Wanted(flags: EM_SLOT_YARA)) { slot throws(DataModuleError) in
                let position = text.withUnsafeBufferPointer {
                    try? PatternPlace(ByteView($0), target: UInt8(EM_TARGET_ANY))
                }
                try patterns.add(
                    HexPattern(literal: place.bytes, ignoresCase: false), at: position ?? .anywhere,
                    target: UInt8(EM_TARGET_ANY), slot: slot, lastPart: false)
            }
            parts.append(em_rule_part(kind: EM_PART_PATTERN, a: slot, b: 0, c: 0))
            slots.append(slot)
        }
        return trigger.replacing { YARATriggers.placeNumber($0).map { slots[$0] } ?? $0 }
    }
}

extension RuleTrigger {
    /// The same with other slots.
    fileprivate func replacing(_ slot: (UInt32) -> UInt32) -> RuleTrigger {
        switch self {
        case .slot(let number): return .slot(slot(number))
        case .all(let parts): return .all(parts.map { $0.replacing(slot) })
        case .any(let parts): return .any(parts.map { $0.replacing(slot) })
        case .always, .never: return self
        }
    }
}
