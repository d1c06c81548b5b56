import BytesE
import CModuleABI
import DatabaseSections
import Executables

/// Decides whether a proposed pattern matches, within a bounded amount of work.
///
/// Elements after the anchor are matched forwards, those before it backwards; the two are independent. Whatever
/// follows an unbounded gap either matches somewhere behind a place or does not, whichever way that place was
/// reached, so such dead ends are noted once for the object: a thousand first halves cost one search for the second.
struct Verifier {
    let set: PatternSet
    let rules: RuleSet
    let catalogue: Section
    let object: ByteView
    let target: UInt32
    let all: Bool
    let scratch: Scratch
    private var layout: ExecutableLayout?
    private var versions: [Int]?
    let check: () -> Bool
    /// Elements and bytes that may still be looked at, and those until the budget is asked again.
    private var work: Int
    private var untilCheck = checkInterval
    private(set) var outcome = MatchOutcome.complete
    private(set) var goOn = true
    /// Where the match that was found last begins and ends.
    var matchStart = 0
    var matchEnd = 0
    /// Backwards, every beginning is noted and the search goes on.
    private var collects = false

    /// Nested choices in one pattern: bounds the recursion.
    static let depthLimit = 256
    /// Work allowed for any object, and for each of its bytes. Real signature sets need less than one unit a byte.
    private static let workFloor = 4_000_000
    private static let workPerByte = 64
    private static let checkInterval = 65_536

    init(
        set: PatternSet, rules: RuleSet, catalogue: Section, object: ByteView, target: UInt32, all: Bool,
        scratch: Scratch, check: @escaping () -> Bool
    ) {
        self.check = check
        self.set = set
        self.rules = rules
        self.catalogue = catalogue
        self.object = object
        self.target = target
        self.all = all
        self.scratch = scratch
        let (product, overflow) = object.count.multipliedReportingOverflow(by: Self.workPerByte)
        work = overflow ? Int.max : max(Self.workFloor, product)
    }

    mutating func stop(_ reason: MatchOutcome) {
        outcome = reason
        goOn = false
    }

    /// Tries a pattern whose anchor was found.
    mutating func verify(_ number: Int, anchor: Int) {
        guard !scratch.isDone(number), let pattern = pattern(number) else { return }
        let anchorElement = Int(pattern.first_element) + Int(pattern.anchor)
        guard pattern.anchor < pattern.element_count, let element = element(anchorElement) else { return stop(.failed) }
        let start = anchor - Int(pattern.anchor_skip)
        guard element.kind == UInt8(EM_ELEMENT_LITERAL), start >= 0 else { return }
        var job = Job(pattern)
        // Most of what is proposed ends here.
        guard literal(element, at: start, job) else { return }
        guard isWanted(pattern, number) else { return scratch.setDone(number) }
        scratch.beginVerification()
        guard job.setStarts(of: pattern, in: &self) else { return }
        if pattern.element_count > 1, !isPossible(pattern, number, job) { return scratch.setDone(number) }
        // The side with less to search goes first.
        let end = start + Int(element.b)
        if pattern.flags & EM_PATTERN_PART != 0 { return verifyPart(pattern, anchorElement, start, end, job) }
        if isUnbounded(anchorElement + 1, job.end) {
            guard backward(anchorElement, start, job, 0), forward(anchorElement + 1, end, job, 0) else { return }
        } else {
            guard forward(anchorElement + 1, end, job, 0), backward(anchorElement, start, job, 0) else { return }
        }
        report(pattern, number)
    }

    /// Tries a part: what its slot wants to know decides how far the search goes.
    private mutating func verifyPart(_ pattern: em_pattern, _ anchor: Int, _ start: Int, _ end: Int, _ job: Job) {
        guard let slot = rules.slot(pattern.part) else { return stop(.failed) }
        let wantsLastPart = slot.flags & EM_SLOT_LAST_PART != 0
        guard slot.limit > 1, !wantsLastPart else {
            guard forward(anchor + 1, end, job, 0), backward(anchor, start, job, 0) else { return }
            // The anchor lies in the last part, at a fixed distance from its beginning.
            if wantsLastPart { matchStart = start }
            return add(pattern.part, slot)
        }
        guard forward(anchor + 1, end, job, 0) else { return }
        scratch.starts.removeAll(keepingCapacity: true)
        collects = true
        // A pattern that begins with an unbounded gap has one beginning only.
        if backward(anchor, start, job, 0) { scratch.starts.append(matchStart) }
        collects = false
        // Backwards, the nearest beginning comes first.
        for found in scratch.starts.reversed() {
            matchStart = found
            add(pattern.part, slot)
        }
    }

    /// Tries a pattern at one of the places where it can begin.
    /// That place is `shift` bytes behind the first one.
    mutating func verifyFixed(_ number: Int, shift: Int) {
        guard let pattern = pattern(number), isWanted(pattern, number) else { return }
        scratch.beginVerification()
        var job = Job(pattern)
        guard spend(1), job.setStarts(of: pattern, in: &self) else { return }
        let start = job.starts.lowerBound + shift
        // A pattern that begins with an assertion may be asked for behind the object's end.
        guard start >= 0, start <= object.count, job.starts.contains(start), forward(job.first, start, job, 0) else {
            return
        }
        matchStart = start
        guard pattern.flags & EM_PATTERN_PART != 0 else { return report(pattern, number) }
        guard let slot = rules.slot(pattern.part) else { return stop(.failed) }
        add(pattern.part, slot)
    }

    /// Where a base (EM_BASE_…) lies: a place, or the extent of a section; nil when the object has none.
    mutating func place(_ base: UInt8, section: UInt16) -> Range<Int>? {
        switch UInt32(base) {
        case EM_BASE_START: return 0..<0
        // Of a program whose headers are broken nothing is known, not even where it ends.
        case EM_BASE_END: return executable().isBroken ? nil : object.count..<object.count
        default: break
        }
        let layout = executable()
        switch UInt32(base) {
        case EM_BASE_ENTRY: return layout.entry.map { $0..<$0 }
        case EM_BASE_SECTION, EM_BASE_IN_SECTION:
            return Int(section) < layout.sections.count ? layout.sections[Int(section)] : nil
        case EM_BASE_LAST_SECTION: return layout.sections.last
        default: return nil
        }
    }

    /// The executable's layout, read once.
    private mutating func executable() -> ExecutableLayout {
        let layout = self.layout ?? ExecutableLayout(object, target: target)
        self.layout = layout
        return layout
    }

    /// Whether the object has version information.
    fileprivate var hasVersions: Bool {
        mutating get {
            if versions == nil { versions = executable().versionStrings() }
            return versions?.isEmpty == false
        }
    }

    /// Whether a key of the version information begins at a place.
    private func isVersion(_ position: Int) -> Bool { versions?.contains(position) ?? false }

    // MARK: - One verification

    /// What stays the same during one verification.
    struct Job {
        /// Elements of the pattern: first, and one past the last.
        let first, end: Int
        let fold: Bool
        /// Places where the match may begin.
        var starts: ClosedRange<Int>
        /// Of these, only the keys of version information.
        var isVersion = false

        init(_ pattern: em_pattern) {
            first = Int(pattern.first_element)
            end = first + Int(pattern.element_count)
            fold = pattern.flags & EM_PATTERN_NOCASE != 0
            starts = 0...Int.max
        }

        /// Works out `starts`; false when the object has no such place.
        mutating func setStarts(of pattern: em_pattern, in verifier: inout Verifier) -> Bool {
            guard pattern.base != UInt8(EM_BASE_NONE) else { return true }
            if pattern.base == UInt8(EM_BASE_VERSION) {
                isVersion = true
                return verifier.hasVersions
            }
            guard let place = verifier.place(pattern.base, section: pattern.section) else { return false }
            if pattern.base == UInt8(EM_BASE_IN_SECTION) {
                // As ClamAV has it, the place behind the section's end is inside, and a shift goes beyond.
                starts = place.lowerBound...(place.upperBound + Int(pattern.shift))
            } else {
                let low = place.lowerBound + Int(pattern.offset)
                starts = low...(low + Int(pattern.shift))
            }
            return true
        }
    }

    mutating func pattern(_ number: Int) -> em_pattern? {
        guard let pattern = set.patterns.element(number, as: em_pattern.self),
            Int(pattern.first_element) + Int(pattern.element_count) <= set.elements.count
        else {
            stop(.failed)
            return nil
        }
        // An index may serve several targets.
        guard pattern.target == UInt8(EM_TARGET_ANY) || UInt32(pattern.target) == target else { return nil }
        return pattern
    }

    mutating func element(_ number: Int) -> em_element? {
        guard let element = set.elements.element(number, as: em_element.self) else {
            stop(.failed)
            return nil
        }
        return element
    }

    /// Takes work off the allowance; false when it is used up.
    mutating func spend(_ amount: Int) -> Bool {
        work -= amount
        untilCheck -= amount
        if work < 0, goOn { stop(.limit) }
        if untilCheck < 0 {
            untilCheck = Self.checkInterval
            if goOn, !check() { stop(.cancelled) }
        }
        return goOn
    }

    func isUnbounded(_ from: Int, _ end: Int) -> Bool {
        var i = from
        while i < end, let element = set.elements.element(i, as: em_element.self) {
            if element.kind == UInt8(EM_ELEMENT_GAP), element.b == EM_GAP_UNBOUNDED { return true }
            i += 1
        }
        return false
    }

    // MARK: - Reporting

    /// Whether a match of the pattern would be news.
    private func isWanted(_ pattern: em_pattern, _ number: Int) -> Bool {
        guard pattern.flags & EM_PATTERN_PART != 0 else { return scratch.note(Self.key(ofReported: number)) == nil }
        // A slot that is none is found out when the match is noted.
        guard let slot = rules.slot(pattern.part) else { return true }
        return !scratch.hits.isFull(pattern.part, limit: slot.limit)
    }

    /// Notes of reported patterns have the high bit, those of elements have not.
    static func key(ofReported number: Int) -> UInt32 { UInt32(truncatingIfNeeded: number) | 1 << 31 }

    private mutating func report(_ pattern: em_pattern, _ number: Int) {
        scratch.setNote(Self.key(ofReported: number), matchStart)
        let flags = catalogue.element(Int(pattern.signature), as: em_signature.self)?.flags ?? 0
        scratch.add(Match(kind: .body, signature: Int(pattern.signature), offset: matchStart), flags: flags)
        if !all, scratch.isDecided { goOn = false }
    }

    private func add(_ slot: UInt32, _ entry: em_slot) {
        scratch.hits.add(slot, Hits.Place(offset: matchStart, length: max(0, matchEnd - matchStart)), entry)
    }

    // MARK: - Forwards

    /// Whether elements `number` and later match from `position` on.
    mutating func forward(_ number: Int, _ position: Int, _ job: Job, _ depth: Int) -> Bool {
        var number = number
        var position = position
        while number < job.end {
            guard spend(1), let element = element(number) else { return false }
            switch UInt32(element.kind) {
            case EM_ELEMENT_LITERAL:
                guard literal(element, at: position, job) else { return false }
                position += Int(element.b)
            case EM_ELEMENT_MASKED:
                guard masked(element, at: position, job) else { return false }
                position += Int(element.b)
            case EM_ELEMENT_GAP:
                if element.b == EM_GAP_UNBOUNDED {
                    return forwardAnywhere(number, position, Int(element.a), job, depth)
                }
                if element.a != element.b { return forwardGap(number, position, element, job, depth) }
                position += Int(element.a)
                guard position <= object.count else { return false }
            case EM_ELEMENT_ALTERNATIVES:
                guard let length = commonLength(element) else {
                    return alternatives(number, position, element, job, depth, ahead: true)
                }
                guard matchesOneLength(element, at: position, length: length, job) else { return false }
                position += length
            default:
                guard let width = assertion(element, at: position, ahead: true) else { return false }
                position += width
            }
            number += 1
        }
        matchEnd = position
        return true
    }

    // MARK: - Backwards

    /// Whether the elements before `number` match, the last of them ending at `position`.
    mutating func backward(_ number: Int, _ position: Int, _ job: Job, _ depth: Int) -> Bool {
        var number = number
        var position = position
        while number > job.first {
            number -= 1
            guard spend(1), let element = element(number) else { return false }
            switch UInt32(element.kind) {
            case EM_ELEMENT_LITERAL:
                position -= Int(element.b)
                guard position >= 0, literal(element, at: position, job) else { return false }
            case EM_ELEMENT_MASKED:
                position -= Int(element.b)
                guard position >= 0, masked(element, at: position, job) else { return false }
            case EM_ELEMENT_GAP:
                if element.b == EM_GAP_UNBOUNDED {
                    return backwardAnywhere(number, position, Int(element.a), job, depth)
                }
                if element.a != element.b { return backwardGap(number, position, element, job, depth) }
                position -= Int(element.a)
                guard position >= 0 else { return false }
            case EM_ELEMENT_ALTERNATIVES:
                guard let length = commonLength(element) else {
                    return alternatives(number, position, element, job, depth, ahead: false)
                }
                position -= length
                guard position >= 0, matchesOneLength(element, at: position, length: length, job) else { return false }
            default:
                guard let width = assertion(element, at: position, ahead: false) else { return false }
                position -= width
            }
        }
        guard job.starts.contains(position), !job.isVersion || isVersion(position) else { return false }
        matchStart = position
        guard collects else { return true }
        scratch.starts.append(position)
        return false
    }
}
