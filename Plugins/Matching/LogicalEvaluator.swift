import BytesE
import CModuleABI
import DatabaseSections
import Executables
import Regex

/// Decides whether logical signatures are true of an object, from what was noted of their parts.
///
/// Regular expressions run here, only when their trigger is true, and comparisons of bytes.
struct LogicalEvaluator {
    let rules: RuleSet
    let bytes: ByteView
    let object: ByteView
    let target: UInt32
    /// What conditions take for the object's size.
    let size: Int
    let facts: ObjectFacts
    let hits: Hits
    let regexes: RegexCache
    private let scratch: Scratch
    let check: () -> Bool
    /// Looks for parts that are in no index.
    private var verifier: Verifier
    private(set) var outcome = MatchOutcome.complete

    private var layout: ExecutableLayout?
    private let icons: IconSet
    /// What the program's icons look like, once a rule asked.
    private var metrics: [IconMetrics]?
    /// Matches of the parts of the rule at hand that are no patterns; -1: not counted yet.
    private var counts: [Int] = []
    private var stack: [Operand] = []
    /// Of `mayHold`.
    private var answers: [Bool] = []

    /// Matches of one regular expression that are counted.
    private static let regexLimit = 10_000

    private struct Operand {
        var holds: Bool
        var count: UInt64
        var parts: UInt64
    }

    init(
        rules: RuleSet, bytes: ByteView, object: ByteView, target: UInt32, size: Int, facts: ObjectFacts, hits: Hits,
        regexes: RegexCache, scratch: Scratch, verifier: Verifier, icons: IconSet,
        check: @escaping () -> Bool
    ) {
        self.icons = icons
        self.rules = rules
        self.bytes = bytes
        self.object = object
        self.target = target
        self.size = size
        self.facts = facts
        self.hits = hits
        self.regexes = regexes
        self.scratch = scratch
        self.verifier = verifier
        self.check = check
    }

    /// Whether the rule is true; `outcome` says when it could not be told.
    mutating func isTrue(_ rule: em_rule) -> Bool {
        guard rule.target == UInt8(EM_TARGET_ANY) || UInt32(rule.target) == target, conditionsHold(rule) else {
            return false
        }
        counts.removeAll(keepingCapacity: true)
        for _ in 0..<min(Int(rule.part_count), Int(EM_PARTS_LIMIT)) { counts.append(-1) }
        guard mayBeTrue(rule) else { return false }
        return evaluate(rule.first_operation, rule.operation_count, rule) && iconsHold(rule)
    }

    // MARK: - Conditions

    private mutating func conditionsHold(_ rule: em_rule) -> Bool {
        for i in 0..<Int(rule.condition_count) {
            guard let condition = rules.conditions.element(Int(rule.first_condition) + i, as: em_condition.self) else {
                outcome = .failed
                return false
            }
            guard holds(condition) else { return false }
        }
        return true
    }

    private mutating func holds(_ condition: em_condition) -> Bool {
        switch condition.kind {
        case EM_CONDITION_SIZE: return isInside(size, condition)
        case EM_CONDITION_ENTRY: return executable().entry.map { isInside($0, condition) } ?? false
        case EM_CONDITION_SECTIONS:
            let layout = executable()
            return layout.entry != nil && isInside(layout.sections.count, condition)
        case EM_CONDITION_CONTAINER:
            guard condition.a != 0 else { return facts.containers.isEmpty }
            return facts.containers.first.map { isContainer($0, condition.a) } ?? false
        case EM_CONDITION_INTERMEDIATES:
            let index = Int(condition.b) - 1
            return index >= 0 && index < facts.containers.count && isContainer(facts.containers[index], condition.a)
        case EM_CONDITION_DEPTH: return facts.containers.count >= Int(condition.a)
        // Looking at icons costs most: that is done last.
        case EM_CONDITION_ICON_GROUPS, EM_CONDITION_RETYPE: return true
        default: return false
        }
    }

    /// Whether a container is of the type that a condition asks for. Office documents are ZIP archives, too: ClamAV opens them as
    /// both.
    private func isContainer(_ type: UInt32, _ wanted: UInt32) -> Bool {
        guard type != wanted else { return true }
        guard wanted == FileType.code("CL_TYPE_ZIP") else { return false }
        return type == FileType.code("CL_TYPE_OOXML_XL") || type == FileType.code("CL_TYPE_OOXML_WORD")
            || type == FileType.code("CL_TYPE_OOXML_PPT")
    }

    /// Whether the program has the icons that the rule asks for, if it does.
    private mutating func iconsHold(_ rule: em_rule) -> Bool {
        for i in 0..<Int(rule.condition_count) {
            guard let condition = rules.conditions.element(Int(rule.first_condition) + i, as: em_condition.self),
                condition.kind == EM_CONDITION_ICON_GROUPS
            else { continue }
            let metrics = self.metrics ?? (target == EM_TARGET_PE ? IconSet.metrics(of: object) : [])
            self.metrics = metrics
            guard icons.contains(metrics, first: condition.a, second: condition.b) else { return false }
        }
        return true
    }

    private func isInside(_ value: Int, _ condition: em_condition) -> Bool {
        value >= Int(condition.a) && value <= Int(condition.b)
    }

    private mutating func executable() -> ExecutableLayout {
        let layout = self.layout ?? ExecutableLayout(object, target: target)
        self.layout = layout
        return layout
    }

    // MARK: - Expressions

    private mutating func evaluate(_ first: UInt32, _ count: UInt32, _ rule: em_rule) -> Bool {
        // Triggers are evaluated inside: what is below belongs to others.
        let bottom = stack.count
        defer { stack.removeLast(max(0, stack.count - bottom)) }
        for i in 0..<Int(count) {
            guard outcome == .complete,
                let operation = rules.operations.element(Int(first) + i, as: em_operation.self),
                step(operation, rule, bottom)
            else {
                if outcome == .complete { outcome = .failed }
                return false
            }
        }
        return stack.count > bottom && stack[stack.count - 1].holds
    }

    /// Does one operation; false when it is damaged.
    private mutating func step(_ operation: em_operation, _ rule: em_rule, _ bottom: Int) -> Bool {
        switch operation.kind {
        case EM_OPERATION_PART, EM_OPERATION_EQUAL, EM_OPERATION_BELOW, EM_OPERATION_ABOVE:
            guard stack.count < bottom + Int(EM_OPERAND_LIMIT), operation.a < EM_PARTS_LIMIT else { return false }
            let count = partCount(Int(operation.a), rule)
            let wanted = Int(operation.b)
            let holds: Bool
            switch operation.kind {
            case EM_OPERATION_EQUAL: holds = count == wanted
            case EM_OPERATION_BELOW: holds = count < wanted
            case EM_OPERATION_ABOVE: holds = count > wanted
            default: holds = count > 0
            }
            stack.append(
                holds
                    ? Operand(holds: true, count: UInt64(count), parts: 1 << UInt64(operation.a))
                    : Operand(holds: false, count: 0, parts: 0))
        case EM_OPERATION_AND, EM_OPERATION_OR:
            guard stack.count >= bottom + 2 else { return false }
            let right = stack.removeLast()
            let left = stack[stack.count - 1]
            let holds = operation.kind == EM_OPERATION_AND ? left.holds && right.holds : left.holds || right.holds
            stack[stack.count - 1] =
                holds
                ? Operand(holds: true, count: left.count &+ right.count, parts: left.parts | right.parts)
                : Operand(holds: false, count: 0, parts: 0)
        case EM_OPERATION_ALL_EQUAL, EM_OPERATION_ALL_BELOW, EM_OPERATION_ALL_ABOVE:
            guard stack.count > bottom else { return false }
            let operand = stack[stack.count - 1]
            let wanted = UInt64(operation.a)
            let fits: Bool
            switch operation.kind {
            case EM_OPERATION_ALL_EQUAL: fits = operand.count == wanted
            case EM_OPERATION_ALL_BELOW: fits = operand.count < wanted
            default: fits = operand.count > wanted
            }
            let holds = fits && operand.parts.nonzeroBitCount >= Int(operation.b)
            stack[stack.count - 1] = Operand(holds: holds, count: holds ? operand.count : 0, parts: 0)
        default: return false
        }
        return true
    }

    // MARK: - Parts

    /// Matches of a part of the rule at hand.
    private mutating func partCount(_ number: Int, _ rule: em_rule) -> Int {
        guard number < counts.count, let part = rules.part(number, of: rule) else {
            outcome = .failed
            return 0
        }
        if part.kind == EM_PART_PATTERN { return patternCount(part.a) }
        if counts[number] >= 0 { return counts[number] }
        // Damaged rules may refer to themselves: then to nothing.
        counts[number] = 0
        let count: Int
        switch part.kind {
        case EM_PART_REGEX: count = regexCount(part.a, rule)
        case EM_PART_COMPARE: count = compareCount(part.a, rule)
        case EM_PART_MACRO: count = macroCount(part, before: number - 1, rule)
        default: count = 0
        }
        counts[number] = count
        return count
    }

    /// Matches of a slot, which is looked for now when it is in no index.
    private mutating func patternCount(_ slot: UInt32) -> Int {
        guard let entry = rules.slot(slot), entry.flags & EM_SLOT_DEFERRED != 0 else { return hits.count(slot) }
        verifier.findDeferred(entry)
        if verifier.outcome != .complete { outcome = verifier.outcome }
        return hits.count(slot)
    }

    /// Looks for the parts of a rule one after another, the cheapest first, as long as the rule may be true.
    private mutating func mayBeTrue(_ rule: em_rule) -> Bool {
        var known: UInt64 = 0
        for cost in 0...3 {
            // What is known already may be enough.
            if cost == 1, !mayHold(rule, known) { return false }
            for number in 0..<counts.count where known & (1 << UInt64(number)) == 0 {
                guard isDue(number, cost, rule) else { continue }
                if cost > 1, !mayHold(rule, known) { return false }
                _ = partCount(number, rule)
                guard outcome == .complete else { return false }
                known |= 1 << UInt64(number)
            }
        }
        return true
    }

    /// Whether a part costs no more: 0 when an index knows its matches, 1 when the grams of the object do, 2 when it must be
    /// looked for, 3 when it is no pattern.
    private mutating func isDue(_ number: Int, _ cost: Int, _ rule: em_rule) -> Bool {
        guard let part = rules.part(number, of: rule), part.kind == EM_PART_PATTERN else { return cost == 3 }
        guard let slot = rules.slot(part.a), slot.flags & EM_SLOT_DEFERRED != 0 else { return true }
        return cost == 1 ? verifier.isKnown(slot) : cost > 1
    }

    /// Whether the expression can be true when only the parts in `known` have been counted. Never false for one that is.
    private mutating func mayHold(_ rule: em_rule, _ known: UInt64) -> Bool {
        answers.removeAll(keepingCapacity: true)
        for i in 0..<Int(rule.operation_count) {
            guard let operation = rules.operations.element(Int(rule.first_operation) + i, as: em_operation.self) else {
                return true
            }
            switch operation.kind {
            case EM_OPERATION_PART, EM_OPERATION_EQUAL, EM_OPERATION_BELOW, EM_OPERATION_ABOVE:
                guard operation.a < EM_PARTS_LIMIT else { return true }
                guard known & (1 << UInt64(operation.a)) != 0 else {
                    answers.append(true)
                    continue
                }
                let count = partCount(Int(operation.a), rule)
                switch operation.kind {
                case EM_OPERATION_EQUAL: answers.append(count == Int(operation.b))
                case EM_OPERATION_BELOW: answers.append(count < Int(operation.b))
                case EM_OPERATION_ABOVE: answers.append(count > Int(operation.b))
                default: answers.append(count > 0)
                }
            case EM_OPERATION_AND, EM_OPERATION_OR:
                guard let right = answers.popLast(), let left = answers.popLast() else { return true }
                answers.append(operation.kind == EM_OPERATION_AND ? left && right : left || right)
            case EM_OPERATION_ALL_ABOVE:
                // Something must match.
                continue
            case EM_OPERATION_ALL_EQUAL where operation.a > 0:
                continue
            default:
                // A false block may have few enough matches.
                guard answers.popLast() != nil else { return true }
                answers.append(true)
            }
        }
        return answers.last ?? true
    }

    /// Members of the group that begin in the given distance from a match of the part before.
    private func macroCount(_ part: em_rule_part, before: Int, _ rule: em_rule) -> Int {
        guard let previous = rules.part(before, of: rule), previous.kind == EM_PART_PATTERN else { return 0 }
        var count = 0
        for i in 0..<hits.count(part.a) {
            guard let place = hits.place(part.a, i) else { break }
            let (low, high) = (place.offset - Int(part.c), place.offset - Int(part.b))
            let found = hits.number(previous.a, from: low)
            if let before = hits.place(previous.a, found), before.offset <= high { count += 1 }
        }
        return count
    }

    private mutating func compareCount(_ index: UInt32, _ rule: em_rule) -> Int {
        guard let compare = rules.compares.element(Int(index), as: em_compare.self) else {
            outcome = .failed
            return 0
        }
        guard compare.part < EM_PARTS_LIMIT, partCount(Int(compare.part), rule) > 0 else { return 0 }
        var place = 0
        if let part = rules.part(Int(compare.part), of: rule), part.kind == EM_PART_PATTERN {
            place = hits.last(part.a) ?? 0
        }
        return ByteComparison(compare).holds(in: object, from: place) ? 1 : 0
    }

    private mutating func regexCount(_ index: UInt32, _ rule: em_rule) -> Int {
        guard let regex = rules.regexes.element(Int(index), as: em_regex.self),
            Int(regex.bytes) + Int(regex.length) <= bytes.count
        else {
            outcome = .failed
            return 0
        }
        guard evaluate(regex.first_operation, regex.operation_count, rule), let range = range(of: regex) else {
            return 0
        }
        // One search costs about as much as three for bytes.
        let isPossible = verifier.mayHave(regex.literal, regex.literal_length, passes: 3)
        if verifier.outcome != .complete { outcome = verifier.outcome }
        guard isPossible, outcome == .complete else { return 0 }
        guard check() else {
            outcome = .cancelled
            return 0
        }
        let text = bytes.slice(Int(regex.bytes), Int(regex.bytes) + Int(regex.length))
        let sieve = range.anchored ? ByteView() : sieve(of: regex)
        // Machine code is anchored when it is made, not when it is used.
        let options = range.anchored || !sieve.isEmpty ? regex.options | EM_REGEX_ANCHORED : regex.options
        guard let compiled = regexes.regex(index, text, options: options) else {
            outcome = .failed
            return 0
        }
        return count(
            ExpressionSearch(compiled, in: range.subject, sieve: sieve, scratch: scratch, check: check), regex, range)
    }

    /// What a regular expression looks at, and how far behind its beginning a match may begin (nil: anywhere).
    private struct SearchRange {
        var subject: ByteView
        var shift: Int?
        var anchored: Bool
    }

    private mutating func range(of regex: em_regex) -> SearchRange? {
        guard regex.base != UInt8(EM_BASE_NONE) else {
            return SearchRange(subject: object, shift: nil, anchored: false)
        }
        var start = 0
        var shift = Int(regex.shift)
        switch UInt32(regex.base) {
        case EM_BASE_START: start = Int(regex.offset)
        case EM_BASE_END: start = object.count + Int(regex.offset)
        case EM_BASE_ENTRY:
            guard let entry = executable().entry else { return nil }
            start = entry + Int(regex.offset)
        case EM_BASE_SECTION, EM_BASE_IN_SECTION:
            let sections = executable().sections
            guard Int(regex.section) < sections.count else { return nil }
            let section = sections[Int(regex.section)]
            start = section.lowerBound + Int(regex.offset)
            if regex.base == UInt8(EM_BASE_IN_SECTION) { shift += section.count }
        case EM_BASE_LAST_SECTION:
            guard let section = executable().sections.last else { return nil }
            start = section.lowerBound + Int(regex.offset)
        default: return SearchRange(subject: object, shift: nil, anchored: false)
        }
        guard start >= 0, start < object.count else { return nil }
        var subject = object.dropFirst(start)
        let confines = regex.options & EM_REGEX_ENCOMPASS != 0 && shift != 0
        if confines { subject = subject.prefix(shift) }
        return SearchRange(
            subject: subject, shift: confines || shift == 0 ? nil : shift,
            anchored: regex.options & EM_REGEX_ROLLING == 0 && shift == 0)
    }

    /// EM_SIEVE_SIZE bytes, or none.
    private func sieve(of regex: em_regex) -> ByteView {
        guard regex.sieve_length == EM_SIEVE_SIZE else { return ByteView() }
        return bytes.part(at: UInt64(regex.sieve), elements: UInt64(regex.sieve_length), size: 1) ?? ByteView()
    }

    private mutating func count(_ search: ExpressionSearch, _ regex: em_regex, _ range: SearchRange) -> Int {
        var search = search
        var count = 0
        var from = 0
        var last = -1
        repeat {
            guard let found = search.next(from: from) else { break }
            if let shift = range.shift, found.lowerBound > shift { break }
            // A match that begins where the one before did is the same.
            if found.lowerBound > last {
                count += 1
                last = found.lowerBound
            }
            // An empty match must not be found again and again.
            from = max(found.upperBound, from + 1)
            guard check() else {
                outcome = .cancelled
                break
            }
        } while regex.options & EM_REGEX_GLOBAL != 0 && from < range.subject.count && count < Self.regexLimit
        if search.isCancelled { outcome = .cancelled }
        return count
    }
}
