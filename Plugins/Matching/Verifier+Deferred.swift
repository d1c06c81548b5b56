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
        for number in 0..<Int(slot.pattern_count) where goOn { findEverywhere(Int(slot.first_pattern) + number) }
    }

    private mutating func findEverywhere(_ number: Int) {
        guard let pattern = pattern(number) else { return }
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
