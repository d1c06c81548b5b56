import CModuleABI
import YARA

/// The four bytes with which matches of a regular expression may begin, as a sieve: see em_regex.
struct ExpressionSieve: Hashable {
    /// Four sets of bytes, which a match may begin with one of each of.
    private struct Head: Hashable {
        var sets: [ByteSet]

        /// The share of places that pass.
        var cost: Double { Sieve.share(ofPlacesWith: sets) }

        func union(_ other: Head) -> Head {
            Head(sets: zip(sets, other.sets).map { $0.union($1) })
        }

        func contains(_ other: Head) -> Bool { union(other) == self }
    }

    /// Heads of one state that are kept apart.
    private static let stateLimit = 8
    private static let length = 4
    /// Of all places, those that may pass: otherwise asking PCRE2 about each costs more than letting it look.
    private static let worth = 1.0 / 50

    /// EM_SIEVE_SIZE bytes.
    let bytes: [UInt8]

    /// nil when a match may be shorter than four bytes, may begin nearly everywhere, or the expression is too long.
    init?(_ outline: ExpressionOutline) {
        guard let automaton = Automaton(outline) else { return nil }
        var ends: [Int: [Head]] = [0: [Head(sets: [])]]
        for _ in 0..<Self.length {
            var next: [Int: [Head]] = [:]
            // In order, so that the same expression gives the same bytes.
            for (state, heads) in ends.sorted(by: { $0.key < $1.key }) {
                guard let steps = automaton.steps(from: state) else { return nil }
                for step in steps {
                    next[step.to, default: []] += heads.map { Head(sets: $0.sets + [step.set]) }
                }
            }
            ends = next.mapValues { Self.merged($0, most: Self.stateLimit) }
        }
        let heads = Self.merged(ends.sorted(by: { $0.key < $1.key }).flatMap(\.value), most: Int(EM_SIEVE_GROUPS))
        guard !heads.isEmpty, heads.reduce(0, { $0 + $1.cost }) < Self.worth else { return nil }
        var sieve = Sieve(folds: false)
        for (group, head) in heads.enumerated() { sieve.add(head.sets, to: group) }
        bytes = sieve.bytes
    }

    /// At most so many heads that let the same pass, or a little more.
    private static func merged(_ heads: [Head], most: Int) -> [Head] {
        var merged = HeadList()
        for head in heads { merged.add(head, most: most) }
        return merged.heads
    }

    /// Heads none of which contains another one, and what it costs to join two of them.
    private struct HeadList {
        private(set) var heads: [Head] = []
        private var costs: [Double] = []
        /// For each head and each one before it, the cost of both as one.
        private var joined: [[Double]] = []

        mutating func add(_ head: Head, most: Int) {
            guard !heads.contains(where: { $0.contains(head) }) else { return }
            for index in heads.indices.reversed() where head.contains(heads[index]) { remove(index) }
            joined.append(heads.map { $0.union(head).cost })
            heads.append(head)
            costs.append(head.cost)
            guard heads.count > most else { return }
            // Those that together let the fewest more places pass.
            var best = (cost: Double.infinity, first: 0, second: 1)
            for second in heads.indices {
                for first in 0..<second {
                    let cost = joined[second][first] - costs[first] - costs[second]
                    if cost < best.cost { best = (cost, first, second) }
                }
            }
            let union = heads[best.first].union(heads[best.second])
            remove(best.second)
            remove(best.first)
            add(union, most: most)
        }

        private mutating func remove(_ index: Int) {
            heads.remove(at: index)
            costs.remove(at: index)
            joined.remove(at: index)
            for later in index..<joined.count { joined[later].remove(at: index) }
        }
    }
}

/// The beginning of an expression as states: the first has number 0.
private struct Automaton {
    struct Step {
        let set: ByteSet
        let to: Int
    }

    private struct State {
        var steps: [Step] = []
        /// States that are reached without a byte.
        var beside: [Int] = []
    }

    private var states = [State()]
    private let end: Int
    private let ignoresCase: Bool

    private static let stateLimit = 4096
    /// Repetitions that are told apart: no more bytes are asked about.
    private static let copies = 4

    /// nil when there are too many states.
    init?(_ outline: ExpressionOutline) {
        ignoresCase = outline.ignoresCase
        end = 1
        states.append(State())
        guard add(outline.root, from: 0, to: end) else { return nil }
    }

    /// Steps out of a state; nil when the expression may end there.
    func steps(from state: Int) -> [Step]? {
        var seen: Set<Int> = [state]
        var open = [state]
        var steps: [Step] = []
        while let state = open.popLast() {
            if state == end { return nil }
            steps += states[state].steps
            for next in states[state].beside where seen.insert(next).inserted { open.append(next) }
        }
        return steps
    }

    private mutating func add(_ node: Regex.Node, from: Int, to: Int) -> Bool {
        switch node {
        case .byte(let byte): step(ByteSet(byte...byte), from, to)
        case .masked(let value, let mask):
            var set = ByteSet()
            for byte in UInt8(0)...255 where byte & mask == value { set.insert(byte) }
            step(set, from, to)
        case .set(let set): step(set, from, to)
        case .empty, .start, .end, .boundary, .notBoundary: states[from].beside.append(to)
        case .sequence(let nodes):
            var at = from
            for node in nodes {
                guard let next = state(), add(node, from: at, to: next) else { return false }
                at = next
            }
            states[at].beside.append(to)
        case .alternation(let nodes):
            for node in nodes { guard add(node, from: from, to: to) else { return false } }
        case .repetition(let node, let least, let most, _):
            var at = from
            for _ in 0..<min(least, Self.copies) {
                guard let next = state(), add(node, from: at, to: next) else { return false }
                at = next
            }
            if let most, most == least {
                states[at].beside.append(to)
            } else if let most, most - least == 1 {
                guard add(node, from: at, to: to) else { return false }
                states[at].beside.append(to)
            } else {
                guard let again = state(), add(node, from: again, to: again) else { return false }
                states[at].beside.append(again)
                states[again].beside.append(to)
            }
        }
        return true
    }

    private mutating func step(_ set: ByteSet, _ from: Int, _ to: Int) {
        states[from].steps.append(Step(set: ignoresCase ? set.caseFolded : set, to: to))
    }

    private mutating func state() -> Int? {
        guard states.count < Self.stateLimit else { return nil }
        states.append(State())
        return states.count - 1
    }
}
