import BytesE
import CModuleABI

// Parts of rules that no index finds, because a rarer part of each of their rules must match first.
extension Verifier {
    /// Looks for the patterns of a slot in the whole object, once; `scratch.hits` has what was found.
    mutating func findDeferred(_ slot: em_slot) {
        // No part is reported itself, so that the key of its reports is free.
        let key = Self.key(ofReported: Int(slot.first_pattern))
        guard slot.pattern_count > 0, scratch.note(key) == nil else { return }
        scratch.setNote(key, 0)
        countPasses(1)
        for number in 0..<Int(slot.pattern_count) where goOn { findEverywhere(Int(slot.first_pattern) + number) }
    }

    /// Whether it is known how often the patterns of a slot match: they were looked for, or the object lacks their bytes.
    mutating func isKnown(_ slot: em_slot) -> Bool {
        let key = Self.key(ofReported: Int(slot.first_pattern))
        if slot.pattern_count == 0 || scratch.note(key) != nil { return true }
        guard scratch.grams.isReady else { return false }
        for number in 0..<Int(slot.pattern_count) {
            if let pattern = pattern(Int(slot.first_pattern) + number), mayMatch(pattern) { return false }
        }
        scratch.setNote(key, 0)
        return true
    }

    /// Whether bytes may lie in the object, in whatever case. To say so is worth some passes over the object.
    ///
    /// - Parameter passes: those that "no" spares.
    mutating func mayHave(_ offset: UInt32, _ length: UInt32, passes: Int) -> Bool {
        guard length >= 4 else { return true }
        countPasses(passes)
        guard let literal = data(offset, Int(length)) else { return false }
        return scratch.grams.mayHave(literal)
    }

    /// Whether a pattern of which a literal was found may match, asked for each place where it was.
    mutating func isPossible(_ pattern: em_pattern, _ number: Int, _ job: Job) -> Bool {
        if scratch.isPossible(number) { return true }
        if !scratch.grams.isReady, isUnbounded(job.first, job.end) { countPasses(1) }
        guard scratch.grams.isReady else { return goOn }
        guard mayMatch(pattern) else { return false }
        scratch.setPossible(number)
        return true
    }

    /// Whether all literals of a pattern may lie in the object.
    private mutating func mayMatch(_ pattern: em_pattern) -> Bool {
        for number in 0..<Int(pattern.element_count) {
            guard let element = element(Int(pattern.first_element) + number) else { return false }
            guard element.kind == UInt8(EM_ELEMENT_LITERAL), element.b >= 4 else { continue }
            guard let literal = data(element.a, Int(element.b)) else { return false }
            if !scratch.grams.mayHave(literal) { return false }
        }
        return true
    }

    /// Passes that looking at the object's grams costs.
    private static let passesOfGrams = 12

    /// Looks at the object's grams as soon as it is likely to pay.
    private mutating func countPasses(_ count: Int) {
        guard !scratch.grams.isReady else { return }
        scratch.passes += count
        guard scratch.passes >= Self.passesOfGrams, goOn else { return }
        scratch.grams.fill(object, check: check)
        if !scratch.grams.isReady, object.base != nil { stop(.cancelled) }
    }

    private mutating func findEverywhere(_ number: Int) {
        guard let pattern = pattern(number), mayMatch(pattern) else { return }
        guard let slot = rules.slot(pattern.part) else { return stop(.failed) }
        // Where the last part counts, it is not enough to try the places where the first one may begin.
        let hasPlaces =
            slot.flags & EM_SLOT_LAST_PART == 0 && pattern.base != UInt8(EM_BASE_NONE)
            && pattern.base != UInt8(EM_BASE_IN_SECTION)
            && pattern.base != UInt8(EM_BASE_VERSION)
        if hasPlaces, pattern.shift == 0 { return verifyFixed(number, shift: 0) }
        let anchor = Int(pattern.first_element) + Int(pattern.anchor)
        guard pattern.anchor < pattern.element_count, let element = element(anchor) else { return stop(.failed) }
        guard element.kind == UInt8(EM_ELEMENT_LITERAL) else {
            guard hasPlaces else { return }
            var shift = 0
            while shift <= Int(pattern.shift), shift <= object.count, goOn {
                verifyFixed(number, shift: shift)
                shift += 1
            }
            return
        }
        let job = Job(pattern)
        var from = 0
        while goOn, !scratch.isDone(number), let hit = find(element, from: from, below: object.count + 1, job) {
            verify(number, anchor: hit + Int(pattern.anchor_skip))
            from = hit + 1
        }
    }
}
