import YARA

/// Finds literals of which one lies in every match of an expression.
struct YARAAtoms {
    struct Atom: Equatable {
        var bytes: [UInt8]
        /// Distance of the atom from the beginning of the match.
        var least, most: Int
    }

    /// Bytes that a match of a regular expression can have: more is not looked for.
    static let matchLimit = 4096
    /// Places where a match of one atom can begin.
    private static let spreadLimit = 4096
    private static let atomLimit = 64
    /// Atoms of one expression.
    private static let countLimit = 64

    private let ignoresCase: Bool
    private let isWide: Bool

    /// - Returns: the best literals, or nil when there are none of two bytes.
    static func atoms(of regex: Regex, isWide: Bool) -> [Atom]? {
        let finder = YARAAtoms(ignoresCase: regex.ignoresCase, isWide: isWide)
        guard var best = finder.best(regex.root)?.atoms else { return nil }
        if isWide {
            best = best.map { Atom(bytes: YARAForm.widened($0.bytes), least: $0.least * 2, most: $0.most * 2) }
        }
        return best
    }

    private typealias Choice = (atoms: [Atom], score: Int)

    private func best(_ node: Regex.Node) -> Choice? {
        switch node {
        case .sequence(let parts): return best(parts)
        case .alternation(let branches):
            var all: Choice = ([], .max)
            for branch in branches {
                guard let choice = best(branch) else { return nil }
                all.atoms += choice.atoms
                all.score = min(all.score, choice.score)
                guard all.atoms.count <= Self.countLimit else { return nil }
            }
            all.score -= 8 * all.atoms.count
            return all
        case .repetition(let inner, let least, _, _): return least > 0 ? best([inner]) : nil
        default: return best([node])
        }
    }

    /// Lengths that a node can match.
    private static func extent(_ node: Regex.Node) -> (least: Int, most: Int) {
        switch node {
        case .empty, .start, .end, .boundary, .notBoundary: return (0, 0)
        case .byte, .masked, .set: return (1, 1)
        case .sequence(let parts):
            return parts.reduce((0, 0)) { sum, part in
                let next = extent(part)
                return (min(sum.0 + next.least, matchLimit), min(sum.1 + next.most, matchLimit))
            }
        case .alternation(let branches):
            let extents = branches.map(extent)
            return (extents.map(\.least).min() ?? 0, extents.map(\.most).max() ?? 0)
        case .repetition(let inner, let least, let most, _):
            let (low, high) = extent(inner)
            func product(_ a: Int, _ b: Int) -> Int {
                min(matchLimit, a.multipliedReportingOverflow(by: b).partialValue)
            }
            return (
                product(low, min(least, matchLimit)),
                most.map { product(high, min($0, matchLimit)) } ?? (high == 0 ? 0 : matchLimit)
            )
        }
    }

    /// The best of a sequence: a run of bytes, or the best of one of its parts.
    private func best(_ parts: [Regex.Node]) -> Choice? {
        var result: Choice?
        var run: [UInt8] = []
        var (least, most) = (0, 0)
        var (runLeast, runMost) = (0, 0)
        func consider(_ choice: Choice) {
            if choice.score > result?.score ?? .min { result = choice }
        }
        func endRun() {
            defer { run = [] }
            guard run.count >= (isWide ? 1 : 2), runMost - runLeast <= Self.spreadLimit else { return }
            consider(([Atom(bytes: run, least: runLeast, most: runMost)], score(run, spread: runMost - runLeast)))
        }
        func visit(_ part: Regex.Node) {
            switch part {
            case .byte(let byte):
                if run.isEmpty { (runLeast, runMost) = (least, most) }
                run.append(byte)
                if run.count == Self.atomLimit { endRun() }
                least = min(least + 1, Self.matchLimit)
                most = min(most + 1, Self.matchLimit)
                return
            case .sequence(let inner):
                for part in inner { visit(part) }
                return
            case .repetition(let inner, let count, let upper, _) where count > 0 && count == upper && count <= 16:
                for _ in 0..<count { visit(inner) }
                return
            default: endRun()
            }
            let needsLook: Bool
            switch part {
            case .alternation, .repetition: needsLook = true
            default: needsLook = false
            }
            if needsLook, let inner = best(part) {
                let moved = inner.atoms.map { Atom(bytes: $0.bytes, least: $0.least + least, most: $0.most + most) }
                let spread = most - least
                if moved.allSatisfy({ $0.most - $0.least <= Self.spreadLimit }) {
                    consider((moved, inner.score - penalty(spread)))
                }
            }
            let (low, high) = Self.extent(part)
            least = min(least + low, Self.matchLimit)
            most = min(most + high, Self.matchLimit)
        }
        for part in parts { visit(part) }
        endRun()
        return result
    }

    private func penalty(_ spread: Int) -> Int { 16 * (Int.bitWidth - spread.leadingZeroBitCount) }

    /// Rare bytes are good, up to what an index looks at; places to try are bad.
    private func score(_ bytes: [UInt8], spread: Int) -> Int {
        let looked = Array((isWide ? YARAForm.widened(bytes) : bytes).prefix(12))
        let rarity = looked.withUnsafeBufferPointer { Rarity.of($0, 0, $0.count) }
        return rarity - penalty(spread) - (looked.count < 4 ? 200 : looked.count < 7 ? 60 : 0)
    }
}
