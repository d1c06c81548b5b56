import CModuleABI

// A place of an object is looked up in an index when the sieve lets it pass. So the work for each byte depends less on how many
// anchors there are than on how common their bytes are, and how alike: many patterns together choose among their rare grams.
extension PatternTable {
    /// Moves anchors, where patterns have several grams that are rare enough, to those by which the fewest places pass a sieve,
    /// and chooses what triggers rules likewise.
    ///
    /// - Parameter plan: says which patterns are in an index, and for which rules there is a choice.
    /// - Returns: for each target the sieve that lets the anchors of its patterns pass, and of those for any object; and the
    ///   slots that are to trigger the rules.
    mutating func gatherAnchors(
        _ anchors: inout [Anchor], _ plan: RuleTable.Plan
    ) -> (sieves: [Sieve], triggers: [UInt32: UInt32]) {
        var members = [[Int]](repeating: [], count: Int(EM_TARGET_COUNT))
        var (shorts, choices) = (members, members)
        func take(_ number: Int) {
            let target = Int(patterns[number].target)
            switch anchors[number] {
            case .gram: members[target].append(number)
            case .short(let at): shorts[target].append(at)
            case .place: break
            }
        }
        for number in patterns.indices {
            let pattern = patterns[number]
            if pattern.flags & EM_PATTERN_PART == 0 || plan.isFixed(pattern.part) { take(number) }
        }
        var triggers: [UInt32: UInt32] = [:]
        for (number, rule) in plan.choices.rules.enumerated() {
            let choice = plan.choices[number]
            guard let first = choice.first else { continue }
            // What is looked for anyway costs nothing.
            if let fixed = choice.first(where: { plan.isFixed(patterns[Int($0)].part) }) {
                triggers[rule] = patterns[Int(fixed)].part
            } else if case .gram = anchors[Int(first)] {
                choices[Int(patterns[Int(first)].target)].append(number)
            } else {
                triggers[rule] = patterns[Int(first)].part
                take(Int(first))
            }
        }
        let chooser = AnchorChooser(counts)
        // What is for any object is in the indexes of all targets.
        var general = Sieve(folds: true)
        var sieves: [Sieve] = []
        for target in members.indices {
            var sieve = general
            for at in shorts[target] {
                sieve.add(pair: UInt32(Rarity.folded(bytes[at])) | UInt32(Rarity.folded(bytes[at + 1])) << 8)
            }
            let units = members[target].map { [UInt32($0)] } + choices[target].map { Array(plan.choices[$0]) }
            gather(units, &sieve, anchors, chooser)
            var chosen = Set<Int>()
            for number in choices[target] {
                let rule = plan.choices[number]
                let passing = rule.first { pattern in anchor(Int(pattern), anchors, sieve, chooser) != nil }
                guard let pattern = passing ?? rule.first else { continue }
                triggers[plan.choices.rules[number]] = patterns[Int(pattern)].part
                chosen.insert(Int(pattern))
            }
            for number in members[target] + chosen {
                guard let best = anchor(number, anchors, sieve, chooser) else { continue }
                anchors[number] = .gram(best.at, following: best.following)
                patterns[number].anchor = UInt32(best.element)
                patterns[number].anchor_skip = UInt32(best.skip)
            }
            if target == Int(EM_TARGET_ANY) { general = sieve }
            sieves.append(sieve)
        }
        return (sieves, triggers)
    }

    /// Makes a sieve that lets a gram pass of one of each of these patterns.
    private func gather(_ units: [[UInt32]], _ sieve: inout Sieve, _ anchors: [Anchor], _ chooser: AnchorChooser) {
        // Grams of the units one after another, and where each one's end.
        var grams: [UInt32] = []
        var ends = [0]
        ends.reserveCapacity(units.count + 1)
        for unit in units {
            let limit = grams.count + Self.mostCandidates
            for number in unit where grams.count < limit {
                guard case .gram = anchors[Int(number)] else { continue }
                bytes.withUnsafeBufferPointer { grams += candidates(Int(number), $0, chooser) }
            }
            ends.append(grams.count)
        }
        // Those that have the least choice come first.
        var byChoice = [[Int]](repeating: [], count: 2 * Self.mostCandidates + 2)
        for place in units.indices { byChoice[ends[place + 1] - ends[place]].append(place) }
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
    }

    /// The best gram of a pattern that passes; nil when none does, or none is looked for.
    private func anchor(_ number: Int, _ anchors: [Anchor], _ sieve: Sieve, _ chooser: AnchorChooser) -> Candidate? {
        guard case .gram = anchors[number] else { return nil }
        return bytes.withUnsafeBufferPointer { text in
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
