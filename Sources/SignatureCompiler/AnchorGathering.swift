import CModuleABI

// A place of an object is looked up in an index when the sieve lets it pass. So the work for each byte depends less on how many
// anchors there are than on how common their bytes are, and how alike: many patterns together choose among their rare grams.
extension PatternTable {
    /// Moves anchors, where patterns have several grams that are rare enough, to those by which the fewest places pass a sieve.
    ///
    /// - Parameter isDeferred: whether the patterns of a slot are in no index.
    mutating func gatherAnchors(_ anchors: inout [Anchor], isDeferred: (UInt32) -> Bool) {
        var members = [[Int]](repeating: [], count: Int(EM_TARGET_COUNT))
        var shorts = members
        for number in patterns.indices {
            let pattern = patterns[number]
            if pattern.flags & EM_PATTERN_PART != 0, isDeferred(pattern.part) { continue }
            switch anchors[number] {
            case .gram: members[Int(pattern.target)].append(number)
            case .short(let at): shorts[Int(pattern.target)].append(at)
            case .place: break
            }
        }
        let chooser = AnchorChooser(counts)
        // What is for any object is in the indexes of all targets.
        var general = Sieve(folds: true)
        for target in members.indices where target == Int(EM_TARGET_ANY) || !members[target].isEmpty {
            var sieve = general
            for at in shorts[target] {
                sieve.add(pair: UInt32(Rarity.folded(bytes[at])) | UInt32(Rarity.folded(bytes[at + 1])) << 8)
            }
            gather(members[target], &sieve, chooser, &anchors)
            if target == Int(EM_TARGET_ANY) { general = sieve }
        }
    }

    private mutating func gather(
        _ members: [Int], _ sieve: inout Sieve, _ chooser: AnchorChooser, _ anchors: inout [Anchor]
    ) {
        // Grams of the patterns one after another, and where each one's end.
        var grams: [UInt32] = []
        var ends = [0]
        ends.reserveCapacity(members.count + 1)
        for number in members {
            bytes.withUnsafeBufferPointer { grams += candidates(number, $0, chooser) }
            ends.append(grams.count)
        }
        // Those that have the least choice come first.
        var byChoice = [[Int]](repeating: [], count: Self.mostCandidates + 2)
        for place in members.indices { byChoice[ends[place + 1] - ends[place]].append(place) }
        for place in byChoice.joined() {
            let choice = grams[ends[place]..<ends[place + 1]]
            if choice.contains(where: { sieve.passes($0) }) { continue }
            var best: (gram: UInt32, group: Int, cost: Double)?
            for gram in choice {
                let (group, cost) = sieve.best(for: gram)
                if cost < best?.cost ?? .infinity { best = (gram, group, cost) }
            }
            if let best { sieve.add(best.gram, to: best.group) }
        }
        for number in members {
            let best = bytes.withUnsafeBufferPointer { text -> Candidate? in
                var best: Candidate?
                forEachCandidate(number, text) { candidate, literal in
                    guard sieve.passes(candidate.gram) else { return }
                    let score = chooser.score(literal, candidate.skip)
                    if score > best?.score ?? .min {
                        best = candidate
                        best?.score = score
                    }
                }
                return best
            }
            guard let best else { continue }
            anchors[number] = .gram(best.at, following: best.following)
            patterns[number].anchor = UInt32(best.element)
            patterns[number].anchor_skip = UInt32(best.skip)
        }
    }

    /// A gram that may be a pattern's anchor.
    private struct Candidate {
        /// Where it is: in `bytes`, and in the literal of an element.
        let at, element, skip: Int
        /// Bytes that follow in the literal, three at most.
        let following: Int
        /// Without capitals.
        let gram: UInt32
        var score = 0
    }

    /// Grams of a pattern that are looked at: enough to find rare ones among them.
    private static let mostCandidates = 96
    /// Grams that are this rare are all good,
    private static let rare = 204
    /// and so are those that are nearly as rare as the best one.
    private static let nearly = 48

    private func forEachCandidate(
        _ number: Int, _ text: UnsafeBufferPointer<UInt8>, _ body: (Candidate, UnsafeBufferPointer<UInt8>) -> Void
    ) {
        let pattern = patterns[number]
        var left = Self.mostCandidates
        let isCounted = anchoredInLastPart.contains(UInt32(number))
        // The best one comes first: it may lie behind what is looked at.
        func look(_ element: Int, from: Int, count: Int) {
            let entry = elements[Int(pattern.first_element) + element]
            guard entry.kind == UInt8(EM_ELEMENT_LITERAL), entry.b >= 4 else { return }
            let start = Int(entry.a)
            let literal = UnsafeBufferPointer(rebasing: text[start..<(start + Int(entry.b))])
            for skip in from..<min(from + count, literal.count - 3) {
                let candidate = Candidate(
                    at: start + skip, element: element, skip: skip, following: min(3, literal.count - skip - 4),
                    gram: Gram.folded(text, start + skip))
                body(candidate, literal)
                left -= 1
            }
        }
        look(Int(pattern.anchor), from: Int(pattern.anchor_skip), count: 1)
        for element in anchorElements(of: pattern, isCounted: isCounted) {
            guard left > 0 else { return }
            look(element, from: 0, count: left)
        }
    }

    /// The grams of a pattern that are rare enough.
    private func candidates(
        _ number: Int, _ text: UnsafeBufferPointer<UInt8>, _ chooser: AnchorChooser
    ) -> [UInt32] {
        var found: [(gram: UInt32, score: Int)] = []
        found.reserveCapacity(Self.mostCandidates + 1)
        var best = Int.min
        forEachCandidate(number, text) { candidate, literal in
            let score = chooser.score(literal, candidate.skip)
            best = max(best, score)
            found.append((candidate.gram, score))
        }
        let enough = min(Self.rare, best - Self.nearly)
        return found.compactMap { $0.score >= enough ? $0.gram : nil }
    }
}
