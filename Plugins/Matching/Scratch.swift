import CModuleABI
import CSearch

/// Working memory of one thread that matches, reused from object to object.
///
/// It grows to what the hardest object needed and holds nothing of an object after the match.
package final class Scratch {
    private(set) var matches: [Match] = []
    /// Whether one of the matches is more than potentially unwanted or unsafe: then nothing else can make it worse.
    private(set) var isDecided = false
    /// What rules say the object is, besides what it is taken for: EM_TYPE_….
    private(set) var types: [UInt32] = []
    /// Dead ends of the object at hand, by pattern element.
    private var notes = [Note](repeating: Note(), count: 256)
    private var noteCount = 0
    private var object: UInt32 = 0
    /// Failed states of the verification at hand: a cache, so that nested gaps stay cheap.
    /// Most objects need none; it grows while it loses what it holds.
    private var failures: [Failure] = []
    private static let failureLimit = 16_384
    private var verification: UInt32 = 0
    /// What of the rules matched.
    package let hits = Hits()
    /// Rules that were visited for the object at hand: an open hash table of stamp << 32 | rule.
    private var visits: [UInt64] = []
    private var visitCount = 0
    /// Patterns of which nothing more is wanted for the object at hand, as object << 32 | pattern: a cache, because common
    /// literals are found again and again.
    private var done = [UInt64](repeating: 0, count: Scratch.cached)
    /// Patterns whose literals may all lie in the object at hand, likewise.
    private var possible = [UInt64](repeating: 0, count: Scratch.cached)
    private static let cached = 2048
    /// What grams the object at hand has, once enough is looked for in it.
    var grams = ObjectGrams()
    let digests = Digests()
    /// Passes over the object at hand that `grams` may spare.
    var passes = 0
    /// Beginnings that a verification collected, when a part needs all of them.
    var starts: [Int] = []

    /// Places of the object at hand that a pass over it noted: see `PatternIndex`.
    let proposals = UnsafeMutablePointer<Int>.allocate(capacity: Scratch.mostProposals)
    /// Those of one chunk, and a few from before.
    static let mostProposals = Int(CSEARCH_CHUNK) + 32

    package init() {}

    deinit { proposals.deallocate() }

    /// Whether hard objects made it much larger than it began, so that it is not worth keeping.
    package var isLarge: Bool {
        notes.count > 16_384 || visits.count > 16_384 || failures.count > 4_096 || starts.count > 16_384
            || grams.isLarge
    }

    private struct Note {
        var object: UInt32 = 0
        var key: UInt32 = 0
        var position = 0
    }

    private struct Failure {
        var verification: UInt32 = 0
        var element: UInt32 = 0
        var position = 0
    }

    /// Forgets the object before.
    func begin() {
        matches.removeAll(keepingCapacity: true)
        types.removeAll(keepingCapacity: true)
        isDecided = false
        noteCount = 0
        hits.begin()
        grams.begin()
        passes = 0
        object &+= 1
        if object == 0 {
            // The stamp came round: old notes would look new.
            notes = [Note](repeating: Note(), count: 256)
            done = [UInt64](repeating: 0, count: Self.cached)
            possible = [UInt64](repeating: 0, count: Self.cached)
            visits = []
            object = 1
        }
    }

    /// Notes a match; `flags` are the EM_SIGNATURE_… of its signature.
    func add(_ match: Match, flags: UInt32) {
        matches.append(match)
        if flags & EM_SIGNATURE_OPTIONAL == 0 { isDecided = true }
    }

    /// Notes what a rule says that the object is.
    func addType(_ type: UInt32) {
        if !types.contains(type) { types.append(type) }
    }

    /// Whether `setDone` was told of the pattern; false when that was forgotten.
    func isDone(_ pattern: Int) -> Bool {
        done[pattern & (Self.cached - 1)] == UInt64(object) << 32 | UInt64(pattern)
    }

    /// Nothing more is wanted of a pattern, which is below 2^32, in this object.
    func setDone(_ pattern: Int) { done[pattern & (Self.cached - 1)] = UInt64(object) << 32 | UInt64(pattern) }

    /// Whether `setPossible` was told of the pattern; false when that was forgotten.
    func isPossible(_ pattern: Int) -> Bool {
        possible[pattern & (Self.cached - 1)] == UInt64(object) << 32 | UInt64(pattern)
    }

    /// All literals of a pattern may lie in this object.
    func setPossible(_ pattern: Int) {
        possible[pattern & (Self.cached - 1)] = UInt64(object) << 32 | UInt64(pattern)
    }

    /// Forgets the failed states of the verification before.
    func beginVerification() {
        verification &+= 1
        if verification == 0 {
            failures = [Failure](repeating: Failure(), count: failures.count)
            verification = 1
        }
    }

    /// What was noted for a key and this object.
    func note(_ key: UInt32) -> Int? {
        let slot = slot(of: key)
        return notes[slot].object == object ? notes[slot].position : nil
    }

    func setNote(_ key: UInt32, _ position: Int) {
        var slot = slot(of: key)
        if notes[slot].object != object {
            if noteCount * 2 >= notes.count {
                grow()
                slot = self.slot(of: key)
            }
            noteCount += 1
        }
        notes[slot] = Note(object: object, key: key, position: position)
    }

    private func slot(of key: UInt32) -> Int {
        var slot = Int(key &* 0x9e37_79b1) & (notes.count - 1)
        while notes[slot].object == object, notes[slot].key != key { slot = (slot + 1) & (notes.count - 1) }
        return slot
    }

    private func grow() {
        let old = notes
        notes = [Note](repeating: Note(), count: old.count * 2)
        for note in old where note.object == object { notes[slot(of: note.key)] = note }
    }

    func hasFailed(_ element: UInt32, _ position: Int) -> Bool {
        if failures.isEmpty { return false }
        let entry = failures[failureSlot(element, position)]
        return entry.verification == verification && entry.element == element && entry.position == position
    }

    func setFailed(_ element: UInt32, _ position: Int) {
        if failures.isEmpty { failures = [Failure](repeating: Failure(), count: 256) }
        var slot = failureSlot(element, position)
        if failures[slot].verification == verification, failures.count < Self.failureLimit {
            failures = [Failure](repeating: Failure(), count: failures.count * 4)
            slot = failureSlot(element, position)
        }
        failures[slot] = Failure(verification: verification, element: element, position: position)
    }

    private func failureSlot(_ element: UInt32, _ position: Int) -> Int {
        (Int(element &* 0x9e37_79b1) &+ position) & (failures.count - 1)
    }

    // MARK: - Rules

    /// Forgets the visits to rules.
    func beginRules() {
        visitCount = 0
        if visits.isEmpty { visits = [UInt64](repeating: 0, count: 256) }
    }

    /// Whether a rule was not visited yet for this object; notes the visit.
    func isFirstVisit(_ rule: UInt32) -> Bool {
        var slot = visitSlot(of: rule)
        if visits[slot] >> 32 == UInt64(object) { return false }
        if visitCount * 2 >= visits.count {
            let old = visits
            visits = [UInt64](repeating: 0, count: old.count * 2)
            for visit in old where visit >> 32 == UInt64(object) {
                visits[visitSlot(of: UInt32(truncatingIfNeeded: visit))] = visit
            }
            slot = visitSlot(of: rule)
        }
        visitCount += 1
        visits[slot] = UInt64(object) << 32 | UInt64(rule)
        return true
    }

    /// Where a rule is, or a free place for it.
    private func visitSlot(of rule: UInt32) -> Int {
        var slot = Int(rule &* 0x9e37_79b1) & (visits.count - 1)
        while visits[slot] >> 32 == UInt64(object), UInt32(truncatingIfNeeded: visits[slot]) != rule {
            slot = (slot + 1) & (visits.count - 1)
        }
        return slot
    }
}
