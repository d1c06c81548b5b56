import Bytes
import CModuleABI
import DataModule

/// The patterns of a database as they are written: elements, alternatives and bytes in flat tables.
struct PatternTable {
    var patterns: [em_pattern] = []
    private(set) var elements: [em_element] = []
    private(set) var alternatives: [em_alternative] = []
    private(set) var bytes: [UInt8] = []
    private(set) var counts = GramCounts()
    /// Patterns whose matches are counted by their last part: the anchor lies in it.
    private(set) var anchoredInLastPart: Set<UInt32> = []

    /// Whether an index can find a pattern: by two bytes together, or because it has few possible places.
    static func isFindable(_ pattern: HexPattern, at place: PatternPlace) -> Bool {
        if hasPlaces(UInt32(place.base), shift: place.shift, atMost: fewPlaces) { return true }
        return pattern.elements.contains { element in
            if case .literal(let bytes) = element { return bytes.count >= 2 }
            return false
        }
    }

    /// Patterns that can begin at so many places and have no gram are tested at each.
    static let fewPlaces: UInt32 = 4096

    /// Whether a pattern has no more possible places than that.
    static func hasPlaces(_ base: UInt32, shift: UInt32, atMost limit: UInt32) -> Bool {
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
