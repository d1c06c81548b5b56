import Bytes
import CModuleABI
import DataModule

/// The patterns of a database as they are written: elements, alternatives and bytes in flat tables.
struct PatternTable {
    private(set) var patterns: [em_pattern] = []
    private(set) var elements: [em_element] = []
    private var alternatives: [em_alternative] = []
    private(set) var bytes: [UInt8] = []
    private var counts = GramCounts()
    /// Patterns whose matches are counted by their last part: the anchor lies in it.
    private var anchoredInLastPart: Set<UInt32> = []

    /// Whether an index can find a pattern: by two bytes together, or because it has few possible places.
    static func isFindable(_ pattern: HexPattern, at place: PatternPlace) -> Bool {
        if hasPlaces(UInt32(place.base), shift: place.shift, atMost: fewPlaces) { return true }
        return pattern.elements.contains { element in
            if case .literal(let bytes) = element { return bytes.count >= 2 }
            return false
        }
    }

    /// Patterns that can begin at so many places and have no window are tested at each.
    private static let fewPlaces: UInt32 = 4096

    /// Whether a pattern has no more possible places than that.
    private static func hasPlaces(_ base: UInt32, shift: UInt32, atMost limit: UInt32) -> Bool {
        base != EM_BASE_NONE && base != EM_BASE_IN_SECTION && base != EM_BASE_VERSION && shift < limit
    }

    mutating func add(_ line: BodyLine, signature: UInt32) throws(DataModuleError) {
        try add(line.pattern, at: line.place, target: line.target) { $0.signature = signature }
    }

    /// Adds a part of rules: its matches go to a slot.
    mutating func add(
        _ content: HexPattern, at place: PatternPlace, target: UInt8, slot: UInt32, lastPart: Bool
    ) throws(DataModuleError) {
        try add(content, at: place, target: target) {
            $0.part = slot
            $0.flags |= EM_PATTERN_PART
        }
        if lastPart { anchoredInLastPart.insert(UInt32(patterns.count - 1)) }
    }

    private mutating func add(
        _ content: HexPattern, at place: PatternPlace, target: UInt8, _ finish: (inout em_pattern) -> Void
    ) throws(DataModuleError) {
        var pattern = em_pattern()
        pattern.first_element = UInt32(elements.count)
        pattern.element_count = UInt32(content.elements.count)
        pattern.offset = place.offset
        pattern.shift = place.shift
        pattern.section = place.section
        pattern.base = place.base
        pattern.target = target
        pattern.flags = content.ignoresCase ? EM_PATTERN_NOCASE : 0
        finish(&pattern)
        for element in content.elements { elements.append(try encode(element)) }
        patterns.append(pattern)
        guard patterns.count < Int(Int32.max), elements.count < Int(Int32.max) else {
            throw DataModuleError("too many body signatures")
        }
    }

    private mutating func encode(_ element: HexPattern.Element) throws(DataModuleError) -> em_element {
        var result = em_element()
        switch element {
        case .literal(let literal):
            counts.add(literal)
            result.kind = UInt8(EM_ELEMENT_LITERAL)
            result.a = try place(literal)
            result.b = UInt32(literal.count)
        case .masked(let values, let masks):
            result.kind = UInt8(EM_ELEMENT_MASKED)
            result.a = try place(values + masks)
            result.b = UInt32(values.count)
        case .gap(let least, let most):
            result.kind = UInt8(EM_ELEMENT_GAP)
            result.a = least
            result.b = most ?? EM_GAP_UNBOUNDED
        case .alternatives(let list, let negated):
            result.kind = UInt8(EM_ELEMENT_ALTERNATIVES)
            result.flags = negated ? UInt8(EM_ELEMENT_NOT) : 0
            result.length = element.fixedLength.flatMap { UInt16(exactly: $0) } ?? 0
            result.a = UInt32(alternatives.count)
            result.b = UInt32(list.count)
            for choice in list {
                var alternative = em_alternative()
                alternative.bytes = try place(choice.values + choice.masks)
                alternative.length = UInt32(choice.values.count)
                alternative.masked = choice.masks.isEmpty ? 0 : 1
                alternatives.append(alternative)
            }
        case .assertion(let kind, let negated, let before, let wide):
            result.kind = UInt8(kind)
            result.flags =
                (negated ? UInt8(EM_ELEMENT_NOT) : 0) | (before ? UInt8(EM_ELEMENT_BEFORE) : 0)
                | (wide ? UInt8(EM_ELEMENT_WIDE) : 0)
        }
        return result
    }

    mutating func place(_ content: [UInt8]) throws(DataModuleError) -> UInt32 {
        guard bytes.count + content.count <= Int(UInt32.max) else {
            throw DataModuleError("the body signatures are longer than 4 GiB")
        }
        defer { bytes += content }
        return UInt32(bytes.count)
    }

    // MARK: - Anchors

    /// How an index finds a pattern.
    enum Anchor {
        /// Seven bytes at an offset of `bytes`.
        case window(Int)
        /// Two to four bytes.
        case short(Int, length: Int)
        /// At its possible places; up to four bytes at an offset of `bytes`, so far from the beginning.
        case place(Int, length: Int, distance: Int)
    }

    /// Chooses where each pattern is found, and notes it in the pattern.
    mutating func chooseAnchors() -> [Anchor] {
        var anchors: [Anchor] = []
        anchors.reserveCapacity(patterns.count)
        for index in patterns.indices {
            let isCounted = anchoredInLastPart.contains(UInt32(index))
            let choice = bytes.withUnsafeBufferPointer { anchor(of: patterns[index], isCounted: isCounted, $0) }
            patterns[index].anchor = UInt32(choice.element)
            patterns[index].anchor_skip = UInt32(choice.skip)
            anchors.append(choice.anchor)
        }
        return anchors
    }

    private typealias Choice = (anchor: Anchor, element: Int, skip: Int)

    /// Places looked at in one literal: enough to find a rare one.
    private static let candidates = 1024

    private func anchor(of pattern: em_pattern, isCounted: Bool, _ text: UnsafeBufferPointer<UInt8>) -> Choice {
        if !isCounted, Self.hasPlaces(UInt32(pattern.base), shift: pattern.shift, atMost: 1) {
            return (placeAnchor(of: pattern), 0, 0)
        }
        var best: Choice = (.short(0, length: 0), 0, 0)
        var bestScore = Int.min
        for number in (isCounted ? firstOfLastPart(pattern) : 0)..<Int(pattern.element_count) {
            let element = elements[Int(pattern.first_element) + number]
            guard element.kind == UInt8(EM_ELEMENT_LITERAL), element.b >= 2 else { continue }
            let (start, length) = (Int(element.a), Int(element.b))
            let window = Int(EM_WINDOW)
            if length >= window {
                for skip in 0...min(length - window, Self.candidates) {
                    let score = windowScore(text, start + skip)
                    if score > bestScore {
                        bestScore = score
                        best = (.window(start + skip), number, skip)
                    }
                }
            } else {
                // Any window is better than the best short literal.
                let size = min(4, length)
                for skip in 0...(length - size) {
                    let score = Rarity.of(text, start + skip, 2) + Rarity.of(text, start + skip, size) - 1_000_000
                    if score > bestScore {
                        bestScore = score
                        best = (.short(start + skip, length: size), number, skip)
                    }
                }
            }
        }
        if !isCounted, case .short = best.anchor,
            Self.hasPlaces(UInt32(pattern.base), shift: pattern.shift, atMost: Self.fewPlaces)
        {
            return (placeAnchor(of: pattern), 0, 0)
        }
        return best
    }

    /// The element that begins the last part that has two bytes together.
    private func firstOfLastPart(_ pattern: em_pattern) -> Int {
        var hasLiteral = false
        for number in (0..<Int(pattern.element_count)).reversed() {
            let element = elements[Int(pattern.first_element) + number]
            if element.kind == UInt8(EM_ELEMENT_LITERAL), element.b >= 2 { hasLiteral = true }
            if element.kind == UInt8(EM_ELEMENT_GAP), element.a != element.b, hasLiteral { return number + 1 }
        }
        return 0
    }

    /// The commonest of the four grams decides how often the window is looked at.
    private func windowScore(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        var score = Int.max
        for i in 0..<4 {
            let shared = counts.count(Gram.of(text, start + i))
            let length = Int.bitWidth - shared.leadingZeroBitCount
            score = min(score, Rarity.of(text, start + i, 4) - 6 * length)
        }
        return score
    }

    /// The longest literal, up to four bytes, at a known distance from the beginning.
    private func placeAnchor(of pattern: em_pattern) -> Anchor {
        var distance = 0
        var best = Anchor.place(0, length: 0, distance: 0)
        var bestLength = 0
        for number in 0..<Int(pattern.element_count) {
            let element = elements[Int(pattern.first_element) + number]
            switch UInt32(element.kind) {
            case EM_ELEMENT_LITERAL:
                let length = min(4, Int(element.b))
                if length > bestLength {
                    bestLength = length
                    best = .place(Int(element.a), length: length, distance: distance)
                }
                distance += Int(element.b)
            case EM_ELEMENT_MASKED: distance += Int(element.b)
            case EM_ELEMENT_GAP:
                guard element.a == element.b else { return best }
                distance += Int(element.a)
            case EM_ELEMENT_ALTERNATIVES:
                guard element.length > 0 else { return best }
                distance += Int(element.length)
            case EM_ELEMENT_NONWORD_BYTE: distance += 1
            default: break
            }
            if bestLength == 4 || distance > Int(Int32.max) / 2 { break }
        }
        return best
    }

    func finish() -> [DatabaseSection] {
        guard !patterns.isEmpty || !bytes.isEmpty else { return [] }
        return [
            DatabaseSection(EM_SECTION_PATTERNS, version: EM_SECTION_VERSION, patterns),
            DatabaseSection(EM_SECTION_ELEMENTS, version: EM_SECTION_VERSION, elements),
            DatabaseSection(EM_SECTION_ALTERNATIVES, version: EM_SECTION_VERSION, alternatives),
            DatabaseSection(EM_SECTION_BYTES, version: EM_SECTION_VERSION, bytes),
        ]
    }
}
