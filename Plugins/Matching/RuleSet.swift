import BytesE
package import CModuleABI
import DatabaseSections

/// The rules of a database: logical signatures and YARA rules. See em_rule.
package struct RuleSet {
    let rules, parts, operations, regexes, compares, conditions: Section
    private let slots, triggers, untriggered, images: Section

    init(_ table: SectionTable) throws(DatabaseError) {
        rules = try table.section(EM_SECTION_LOGICAL, element: MemoryLayout<em_rule>.stride)
        parts = try table.section(EM_SECTION_RULE_PARTS, element: MemoryLayout<em_rule_part>.stride)
        operations = try table.section(EM_SECTION_EXPRESSIONS, element: MemoryLayout<em_operation>.stride)
        regexes = try table.section(
            EM_SECTION_REGEX, element: MemoryLayout<em_regex>.stride, version: EM_REGEX_VERSION)
        compares = try table.section(EM_SECTION_COMPARES, element: MemoryLayout<em_compare>.stride)
        conditions = try table.section(EM_SECTION_CONDITIONS, element: MemoryLayout<em_condition>.stride)
        slots = try table.section(EM_SECTION_SLOTS, element: MemoryLayout<em_slot>.stride)
        triggers = try table.section(EM_SECTION_TRIGGERS, element: 4)
        images = try table.section(EM_SECTION_IMAGE_HASHES, element: MemoryLayout<em_image_hash>.stride)
        untriggered = try table.section(EM_SECTION_UNTRIGGERED, element: MemoryLayout<em_rule_run>.stride)
    }

    /// A rule by its number.
    package func rule(_ number: Int) -> em_rule? { rules.element(number, as: em_rule.self) }

    /// Part `number` of a rule, from 0.
    package func part(_ number: Int, of rule: em_rule) -> em_rule_part? {
        guard number >= 0, number < Int(rule.part_count) else { return nil }
        return parts.element(Int(rule.first_part) + number, as: em_rule_part.self)
    }

    /// Where the first part of a rule that has a match has its first one; 0 when none has.
    func firstOffset(_ rule: em_rule, _ hits: Hits) -> Int {
        for number in 0..<Int(rule.part_count) {
            guard let part = part(number, of: rule) else { break }
            if part.kind == EM_PART_PATTERN, let first = hits.first(part.a) { return first }
        }
        return 0
    }

    /// What a rule that tells no threat says that an object is: EM_TYPE_….
    func retyping(_ rule: em_rule) -> UInt32? {
        for number in 0..<Int(rule.condition_count) {
            guard let condition = conditions.element(Int(rule.first_condition) + number, as: em_condition.self) else {
                return nil
            }
            if condition.kind == EM_CONDITION_RETYPE { return condition.a }
        }
        return nil
    }

    /// Whether rules ask what pictures look like.
    var asksForImages: Bool { images.count > 0 }

    /// Notes that the object is a picture with that hash.
    func note(imageHash hash: UInt64, in hits: Hits) {
        var low = 0
        var high = images.count
        while low < high {
            let middle = low + (high - low) / 2
            let found = images.element(middle, as: em_image_hash.self)?.hash ?? .max
            if found < hash { low = middle + 1 } else { high = middle }
        }
        while let entry = images.element(low, as: em_image_hash.self), entry.hash == hash {
            if let slot = slot(entry.slot) { hits.add(entry.slot, Hits.Place(offset: 0, length: 0), slot) }
            low += 1
        }
    }

    func slot(_ number: UInt32) -> em_slot? { slots.element(Int(number), as: em_slot.self) }

    /// Tells the numbers of the rules that are worth evaluating: each once, those that a match triggered in the
    /// order of the matches, then those that need none.
    ///
    /// - Parameters:
    ///   - visit: returns whether to go on.
    /// - Returns: false when the database contradicts itself.
    func forEachCandidate(_ hits: Hits, target: UInt32, scratch: Scratch, visit: (Int) -> Bool) -> Bool {
        guard rules.count > 0 else { return true }
        scratch.beginRules()
        // Evaluating may not add matches, but the list is the hits' own.
        for slot in hits.slots {
            guard let entry = self.slot(slot) else { return false }
            for i in 0..<Int(entry.trigger_count) {
                guard let rule = triggers.element(Int(entry.first_trigger) + i, as: UInt32.self) else { return false }
                if scratch.isFirstVisit(rule), !visit(Int(rule)) { return true }
            }
        }
        // Rules for any type, and those for this one.
        for pass in 0..<(target == EM_TARGET_ANY ? 1 : 2) {
            let group = pass == 0 ? EM_TARGET_ANY : target
            guard let run = untriggered.element(Int(group), as: em_rule_run.self) else { continue }
            for i in 0..<Int(run.count) {
                guard let rule = triggers.element(Int(run.first) + i, as: UInt32.self) else { return false }
                if scratch.isFirstVisit(rule), !visit(Int(rule)) { return true }
            }
        }
        return true
    }
}
