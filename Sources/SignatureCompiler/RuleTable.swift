import Bytes
import CModuleABI
import DataModule

/// The rules of a database, logical signatures and YARA rules alike, and the slots of their parts. See em_rule.
struct RuleTable {
    /// What a rule is made of. Parts refer to slots, regular expressions and comparisons that were added before.
    struct Rule {
        var signature: UInt32
        /// EM_RULE_….
        var kind: UInt8
        /// EM_TARGET_….
        var target: UInt8
        var parts: [em_rule_part] = []
        /// Of a logical signature.
        var operations: [em_operation] = []
        var conditions: [em_condition] = []
        var trigger: RuleTrigger
        /// EM_RULE_… flags.
        var flags: UInt16 = 0
        /// Of a YARA rule, in place of operations: what em_rule says of them.
        var code: (first: UInt32, count: UInt32) = (0, 0)
    }

    /// What a slot notes of the matches of its part.
    struct Wanted {
        /// Matches that are counted at most, from 1.
        var limit: UInt32 = 1
        /// EM_SLOT_….
        var flags: UInt32 = 0
    }

    private var rules: [em_rule] = []
    private var triggers: [RuleTrigger] = []
    private var parts: [em_rule_part] = []
    private var operations: [em_operation] = []
    private var conditions: [em_condition] = []
    private var regexes: [em_regex] = []
    private var compares: [em_compare] = []
    private var slots: [em_slot] = []
    private var known: [Key: UInt32] = [:]
    /// Where the sieves of regular expressions lie in BYTES.
    var sieves: [ExpressionSieve: UInt32] = [:]
    /// Slots of pictures.
    var images: Set<ImageHash> = []

    struct ImageHash: Hashable {
        let hash: UInt64
        let slot: UInt32
    }

    /// The bytes that tell a part, hashed at once and not one by one.
    private struct Key: Hashable {
        let bytes: [UInt8]

        func hash(into hasher: inout Hasher) {
            bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        }
    }

    var count: Int { rules.count }

    // MARK: - Slots

    /// The slot of a part, shared by all rules that have the same part.
    ///
    /// - Parameters:
    ///   - key: tells equal parts: everything that says what matches, and for what target.
    ///   - wanted: joined with what other rules want.
    ///   - patterns: makes the part's patterns, when it is new; several patterns count as one part.
    mutating func slot(
        _ key: [UInt8], _ wanted: Wanted, patterns: (UInt32) throws(DataModuleError) -> Void
    ) throws(DataModuleError) -> UInt32 {
        let key = Key(bytes: key)
        if let slot = known[key] {
            slots[Int(slot)].limit = max(slots[Int(slot)].limit, wanted.limit)
            slots[Int(slot)].flags |= wanted.flags
            return slot
        }
        let slot = try addSlot(wanted)
        known[key] = slot
        try patterns(slot)
        return slot
    }

    /// A slot of its own.
    mutating func addSlot(_ wanted: Wanted) throws(DataModuleError) -> UInt32 {
        guard slots.count < Int(Int32.max) else { throw DataModuleError("too many parts of rules") }
        var slot = em_slot()
        slot.limit = wanted.limit
        slot.flags = wanted.flags
        slots.append(slot)
        return UInt32(slots.count - 1)
    }

    // MARK: - Rules

    /// Adds a regular expression; returns its number for a part.
    mutating func add(_ regex: em_regex, trigger: [em_operation]) -> UInt32 {
        var regex = regex
        regex.first_operation = UInt32(operations.count)
        regex.operation_count = UInt32(trigger.count)
        operations += trigger
        regexes.append(regex)
        return UInt32(regexes.count - 1)
    }

    /// Adds a comparison; returns its number for a part.
    mutating func add(_ compare: em_compare) -> UInt32 {
        compares.append(compare)
        return UInt32(compares.count - 1)
    }

    /// Adds a rule; returns its number.
    @discardableResult mutating func add(_ rule: Rule) throws(DataModuleError) -> UInt32 {
        guard rules.count < Int(Int32.max), parts.count < Int(Int32.max), operations.count < Int(Int32.max) else {
            throw DataModuleError("too many rules")
        }
        var entry = em_rule()
        entry.signature = rule.signature
        entry.kind = rule.kind
        entry.target = rule.target
        entry.flags = rule.flags
        entry.first_part = UInt32(parts.count)
        entry.part_count = UInt32(rule.parts.count)
        entry.first_operation = rule.kind == UInt8(EM_RULE_YARA) ? rule.code.first : UInt32(operations.count)
        entry.operation_count = rule.kind == UInt8(EM_RULE_YARA) ? rule.code.count : UInt32(rule.operations.count)
        entry.first_condition = UInt32(conditions.count)
        entry.condition_count = UInt32(rule.conditions.count)
        parts += rule.parts
        operations += rule.operations
        conditions += rule.conditions
        rules.append(entry)
        triggers.append(rule.trigger)
        return UInt32(rules.count - 1)
    }

    // MARK: - Sections

    /// What an index must find, and what is done when it does.
    struct Plan {
        fileprivate var slots: [em_slot]
        fileprivate var numbers: [UInt32]
        fileprivate var runs: [em_rule_run]
        fileprivate var isFixed: [Bool]
        /// Rules that other slots may trigger as well.
        fileprivate(set) var choices: TriggerChoices

        /// Whether a slot is one of YARA rules, which share none with logical signatures.
        func isOfRules(_ slot: UInt32) -> Bool { slots[Int(slot)].flags & EM_SLOT_YARA != 0 }

        /// Whether an index has the patterns of a slot, whatever triggers the rules of `choices`.
        func isFixed(_ slot: UInt32) -> Bool { isFixed[Int(slot)] }

        /// Whether no index has the patterns of a slot.
        func isDeferred(_ slot: UInt32) -> Bool { slots[Int(slot)].flags & EM_SLOT_DEFERRED != 0 }
    }

    func finish(_ plan: Plan) -> [DatabaseSection] {
        guard !rules.isEmpty else { return [] }
        func section<T: BitwiseCopyable & Sendable>(_ id: UInt32, _ elements: [T]) -> DatabaseSection {
            DatabaseSection(id, version: EM_SECTION_VERSION, elements)
        }
        return [
            section(EM_SECTION_LOGICAL, rules), section(EM_SECTION_EXPRESSIONS, operations),
            DatabaseSection(EM_SECTION_REGEX, version: EM_REGEX_VERSION, regexes),
            section(EM_SECTION_SLOTS, plan.slots),
            section(EM_SECTION_TRIGGERS, plan.numbers), section(EM_SECTION_RULE_PARTS, parts),
            section(EM_SECTION_CONDITIONS, conditions), section(EM_SECTION_UNTRIGGERED, plan.runs),
            section(EM_SECTION_COMPARES, compares),
            section(
                EM_SECTION_IMAGE_HASHES,
                images.sorted { ($0.hash, $0.slot) < ($1.hash, $1.slot) }.map {
                    em_image_hash(hash: $0.hash, slot: $0.slot, reserved: 0)
                }),
        ]
    }

    /// A trigger that costs more than this, as `PatternTable.chooseAnchors` counts, costs more than asking for the container
    /// of each object.
    private static let gateCost: UInt64 = 1 << 42

    /// Whether only objects in certain containers or large ones are looked at, which few are.
    private func isGated(_ rule: em_rule) -> Bool {
        conditions[Int(rule.first_condition)...].prefix(Int(rule.condition_count)).contains { condition in
            switch condition.kind {
            case EM_CONDITION_CONTAINER: condition.a != 0 && condition.a != Self.mail
            case EM_CONDITION_INTERMEDIATES: condition.a != Self.mail
            case EM_CONDITION_SIZE: condition.a >= Self.large
            case EM_CONDITION_NEVER: true
            default: false
            }
        }
    }

    /// Bytes of a large object.
    private static let large: UInt32 = 1 << 20
    /// What conditions call messages.
    private static let mail = (try? FileTypeName.code(ByteView("CL_TYPE_MAIL"))) ?? 0

    /// Chooses the slots that make each rule worth evaluating: those that are looked at least often. The others need not be in
    /// an index: they are looked for when a rule that was triggered asks for them.
    ///
    /// - Parameters:
    ///   - patterns: all, those of one slot together.
    ///   - costs: of each pattern: how often an index would look at it.
    ///   - preferred: slots that are to trigger the rules with these numbers: of the `choices` of a plan without.
    func plan(_ patterns: [em_pattern], costs: [UInt64], preferred: [UInt32: UInt32] = [:]) -> Plan {
        var slots = slots
        var slotCosts = [UInt64](repeating: 0, count: slots.count)
        for (number, pattern) in patterns.enumerated() where pattern.flags & EM_PATTERN_PART != 0 {
            let slot = Int(pattern.part)
            if slots[slot].pattern_count == 0 { slots[slot].first_pattern = UInt32(number) }
            slots[slot].pattern_count = UInt32(number) - slots[slot].first_pattern + 1
            slotCosts[slot] = slotCosts[slot].addingReportingOverflow(costs[number]).partialValue
        }
        var chosen: [(slot: UInt32, rule: UInt32)] = []
        var choices = TriggerChoices()
        var untriggered = [[UInt32]](repeating: [], count: Int(EM_TARGET_COUNT))
        // Slots that are always asked for, or in another way than by whether and how often they match.
        var isNeeded = slots.map { $0.flags & EM_SLOT_PLACES != 0 || $0.pattern_count == 0 }
        var isFixed = [Bool](repeating: false, count: slots.count)
        for (number, trigger) in triggers.enumerated() {
            let rule = UInt32(number)
            var set = trigger.slots(cost: { 1 + slotCosts[Int($0)] })
            let isGated = self.isGated(rules[number])
            if isGated, let found = set, found.cost > Self.gateCost { set = nil }
            if set == nil && !isGated || rules[number].kind != UInt8(EM_RULE_LOGICAL) {
                for part in parts[Int(rules[number].first_part)...].prefix(Int(rules[number].part_count))
                where part.kind == EM_PART_PATTERN || part.kind == EM_PART_MACRO { isNeeded[Int(part.a)] = true }
            }
            guard let set else {
                untriggered[Int(rules[number].target)].append(rule)
                continue
            }
            if let slot = preferred[rule] {
                chosen.append((slot, rule))
                continue
            }
            let others =
                set.slots.count == 1 && rules[number].kind == UInt8(EM_RULE_LOGICAL)
                ? cheap(trigger.required, best: set.cost, slotCosts).filter { slots[Int($0)].pattern_count == 1 } : []
            if others.count > 1 {
                choices.add(rule: rule, patterns: others.map { slots[Int($0)].first_pattern })
            } else {
                for slot in set.slots { isFixed[Int(slot)] = true }
            }
            for slot in Set(set.slots) { chosen.append((slot, rule)) }
        }
        for slot in slots.indices where isNeeded[slot] { isFixed[slot] = true }
        chosen.sort { ($0.slot, $0.rule) < ($1.slot, $1.rule) }
        var numbers: [UInt32] = []
        for (slot, rule) in chosen {
            if slots[Int(slot)].trigger_count == 0 { slots[Int(slot)].first_trigger = UInt32(numbers.count) }
            slots[Int(slot)].trigger_count += 1
            numbers.append(rule)
        }
        for slot in slots.indices where slots[slot].trigger_count == 0 && !isNeeded[slot] {
            slots[slot].flags |= EM_SLOT_DEFERRED
        }
        let runs = untriggered.map { list in
            defer { numbers += list }
            return em_rule_run(first: UInt32(numbers.count), count: UInt32(list.count))
        }
        return Plan(slots: slots, numbers: numbers, runs: runs, isFixed: isFixed, choices: choices)
    }

    /// A slot that costs no more than this, as `PatternTable.chooseAnchors` counts, is as good as any other.
    private static let cheapCost: UInt64 = 1 << 28

    /// Those of the slots that cost little, or not much more than the best one; the cheapest first.
    private func cheap(_ slots: [UInt32], best: UInt64, _ costs: [UInt64]) -> ArraySlice<UInt32> {
        let (fourfold, overflow) = best.multipliedReportingOverflow(by: 4)
        let limit = overflow ? best : max(Self.cheapCost, fourfold)
        return Set(slots).filter { costs[Int($0)] <= limit }
            .sorted { (costs[Int($0)], $0) < (costs[Int($1)], $1) }.prefix(TriggerChoices.most)
    }
}
