import CModuleABI

// Where the indexes find each pattern: at the place that says most about it, by how often its bytes are in ordinary
// files, and in how many other patterns.
extension PatternTable {
    /// How an index finds a pattern.
    enum Anchor {
        /// Four bytes at an offset of `bytes`, and up to three that follow in the literal.
        case gram(Int, following: Int)
        /// Two or three bytes.
        case short(Int)
        /// At its possible places; up to four bytes at an offset of `bytes`, so far from the beginning.
        case place(Int, length: Int, distance: Int)
    }

    /// Chooses where each pattern says most about itself, and notes it in the pattern. The cost grows with how often it is
    /// looked at.
    mutating func chooseAnchors() -> [(anchor: Anchor, cost: UInt64)] {
        var anchors: [(anchor: Anchor, cost: UInt64)] = []
        anchors.reserveCapacity(patterns.count)
        let chooser = AnchorChooser(counts)
        for index in patterns.indices {
            let isCounted = anchoredInLastPart.contains(UInt32(index))
            let choice = bytes.withUnsafeBufferPointer {
                anchor(of: patterns[index], isCounted: isCounted, $0, chooser)
            }
            patterns[index].anchor = UInt32(choice.element)
            patterns[index].anchor_skip = UInt32(choice.skip)
            let rarity = bytes.withUnsafeBufferPointer { certainty(of: patterns[index], $0) }
            anchors.append((choice.anchor, Self.cost(choice, rarity)))
        }
        return anchors
    }

    /// What a pattern costs, in cycles for 2^44 bytes: looks at what the anchor proposes, and what follows from a match, once
    /// in each object that has one.
    private static func cost(_ choice: Choice, _ certainty: Int) -> UInt64 {
        var score = choice.score
        var matches = max(certainty, objectScore)
        switch choice.anchor {
        case .short: score += AnchorChooser.shortPenalty - AnchorChooser.shortCost
        case .place: matches = max(matches, score)
        case .gram: break
        }
        return times(score) << 5 + times(matches) << 15
    }

    /// In 2^44 bytes, what has such a score.
    private static func times(_ score: Int) -> UInt64 {
        let bounded = min(44 * 12, max(0, score))
        return (steps[bounded % 12] << UInt64(44 - bounded / 12)) >> 6
    }

    /// How rare matches of a pattern are, by all of its literals: words that follow each other say less than apart, and
    /// repeated bytes nothing.
    private func certainty(of pattern: em_pattern, _ text: UnsafeBufferPointer<UInt8>) -> Int {
        var sum = 0
        var rarest = 0
        for number in 0..<Int(pattern.element_count) {
            let element = elements[Int(pattern.first_element) + number]
            // Two or three bytes are somewhere in most objects.
            guard element.kind == UInt8(EM_ELEMENT_LITERAL), element.b >= 4 else { continue }
            var at = Int(element.a)
            let end = at + Int(element.b)
            while at + 2 <= end, sum < Self.enough {
                let score = Rarity.of(text, at, min(4, end - at))
                rarest = max(rarest, score)
                if at < Int(element.a) + 4 || end - at < 4 || Gram.of(text, at) != Gram.of(text, at - 4) {
                    sum += min(Self.mostOfOne, score / 2)
                }
                at += 4
            }
        }
        return sum - min(Self.mostOfOne, rarest / 2) + rarest
    }

    /// Each further word makes a match rarer by 2^-7 at most; beyond a sum, it does not matter.
    private static let mostOfOne = 84
    private static let enough = 600

    /// 64 × 2^(-n / 12).
    private static let steps: [UInt64] = [64, 60, 57, 54, 51, 48, 45, 43, 40, 38, 36, 34]

    /// Objects have some 4,096 bytes, and a place is looked at once in one.
    private static let objectScore = 144
    /// What is always at its place, like the first bytes of a program, says little: as much as this at most.
    private static let placeRarity = 24

    private typealias Choice = (anchor: Anchor, element: Int, skip: Int, score: Int)

    private func anchor(
        of pattern: em_pattern, isCounted: Bool, _ text: UnsafeBufferPointer<UInt8>, _ chooser: AnchorChooser
    ) -> Choice {
        var best: Choice = (.short(0), 0, 0, 0)
        var bestScore = Int.min
        for number in anchorElements(of: pattern, isCounted: isCounted) {
            let element = elements[Int(pattern.first_element) + number]
            guard element.kind == UInt8(EM_ELEMENT_LITERAL), element.b >= 2 else { continue }
            let start = Int(element.a)
            let literal = UnsafeBufferPointer(rebasing: text[start..<(start + Int(element.b))])
            let (skip, score) = chooser.choose(in: literal)
            guard score > bestScore else { continue }
            bestScore = score
            let anchor: Anchor =
                literal.count < 4
                ? .short(start) : .gram(start + skip, following: min(3, literal.count - skip - 4))
            best = (anchor, number, skip, score)
        }
        guard !isCounted else { return best }
        // Each place is looked at in every object, so that places cost more the more signatures there are; a rare gram
        // costs nothing.
        let most: UInt32
        switch best.anchor {
        case .gram: most = best.score >= Self.objectScore ? 0 : 1
        case .place: most = 1
        case .short: most = Self.fewPlaces
        }
        return Self.hasPlaces(UInt32(pattern.base), shift: pattern.shift, atMost: most)
            ? placeChoice(of: pattern, text) : best
    }

    /// The elements in which the anchor may lie.
    func anchorElements(of pattern: em_pattern, isCounted: Bool) -> Range<Int> {
        (isCounted ? firstOfLastPart(pattern) : 0)..<Int(pattern.element_count)
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

    private func placeChoice(of pattern: em_pattern, _ text: UnsafeBufferPointer<UInt8>) -> Choice {
        let anchor = placeAnchor(of: pattern)
        guard case .place(let at, let length, _) = anchor else { return (anchor, 0, 0, 0) }
        let places = UInt64(pattern.shift) + 1
        let doublings = UInt64.bitWidth - 1 - places.leadingZeroBitCount
        return (anchor, 0, 0, Self.objectScore - 12 * doublings + min(Self.placeRarity, Rarity.of(text, at, length)))
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
}

/// Chooses the best anchor in one literal.
struct AnchorChooser {
    // Scores are -12 × log2 of how often the anchor is looked at.

    /// A gram among the literals of others costs a little each time: of each doubling so much.
    private static let perDoubling = 6
    /// Any gram is better than two or three bytes,
    static let shortPenalty = 1_000
    /// as these cost a look at every pair of bytes.
    static let shortCost = 120
    /// Places looked at in one literal: enough to find a rare one.
    static let candidates = 1024

    private let counts: GramCounts

    init(_ counts: GramCounts) {
        self.counts = counts
    }

    /// What is said for the gram at a place of a literal.
    func score(_ literal: UnsafeBufferPointer<UInt8>, _ place: Int) -> Int {
        let shared = counts.count(Gram.folded(literal, place))
        let doublings = Int.bitWidth - shared.leadingZeroBitCount
        return Rarity.of(literal, place, 4) - Self.perDoubling * doublings
    }

    /// The place in a literal of two bytes or more that is looked at least often.
    func choose(in literal: UnsafeBufferPointer<UInt8>) -> (skip: Int, score: Int) {
        // The filter sees two bytes of such a one.
        guard literal.count >= 4 else { return (0, Rarity.of(literal, 0, 2) - Self.shortPenalty) }
        var best: (skip: Int, score: Int) = (0, .min)
        for place in 0..<min(literal.count - 3, Self.candidates) {
            let score = score(literal, place)
            if score > best.score { best = (place, score) }
        }
        return best
    }
}
