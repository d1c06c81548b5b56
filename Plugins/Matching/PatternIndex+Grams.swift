import BytesE
import CModuleABI
import CSearch

// The pass that sees every byte of every object: `CSearch_places`. What it costs, and why, is in docs/performance.md.
extension PatternIndex {
    /// Bytes between two budget checks; a multiple of a chunk.
    private static let stride = 65_536
    private static let chunk = Int(CSEARCH_CHUNK)

    /// Grams and the short path in one pass.
    func scan(_ object: ByteView, _ verifier: inout Verifier, check: () -> Bool) {
        guard let bytes = object.base, let sieve = sieve.base else { return }
        var index = CSearch_index(
            sieve: UnsafeRawPointer(sieve), grams: grams.filter, pairs: shortPairs, folds: fold ? 1 : 0)
        var proposals = Proposals(verifier.scratch)
        // A place has two bytes.
        let end = object.count - 1
        var position = 0
        while position < end {
            if position % Self.stride == 0 {
                guard check() else { return verifier.stop(.cancelled) }
            }
            let limit = min(end, position + Self.chunk)
            let known = proposals.count
            proposals.add(
                CSearch_places(bytes, object.count, position, limit, &index, proposals.space))
            for number in known..<proposals.count where proposals[number].kinds & CSEARCH_GRAM != 0 {
                grams.prefetchBucket(gram(object, proposals[number].place))
            }
            if proposals.isFull {
                propose(&proposals, object, &verifier)
                if !verifier.goOn { return }
            }
            position = limit
        }
        propose(&proposals, object, &verifier)
    }

    /// Places at which something may begin, which are looked at a few at a time: what is known of them lies anywhere in a
    /// large database, and is fetched for all of them at once.
    private struct Proposals {
        /// Place, times four, and what it is proposed for.
        private let entries: UnsafeMutablePointer<Int>
        private(set) var count = 0

        /// With so many, it is time.
        private static let enough = Scratch.mostProposals - PatternIndex.chunk

        init(_ scratch: Scratch) { entries = scratch.proposals }

        var isFull: Bool { count >= Self.enough }

        /// Where more are noted: room for those of a chunk.
        var space: UnsafeMutablePointer<Int> { entries + count }

        subscript(_ number: Int) -> (place: Int, kinds: UInt32) {
            (entries[number] >> 2, UInt32(truncatingIfNeeded: entries[number] & 3))
        }

        mutating func add(_ more: Int) { count += more }

        mutating func removeAll() { count = 0 }
    }

    /// Looks closer at the places that were noted, in their order.
    @inline(never)
    private func propose(_ proposals: inout Proposals, _ object: ByteView, _ verifier: inout Verifier) {
        for number in 0..<proposals.count where proposals[number].kinds & CSEARCH_GRAM != 0 {
            grams.prefetchPostings(gram(object, proposals[number].place))
        }
        for number in 0..<proposals.count where verifier.goOn {
            let (place, kinds) = proposals[number]
            if kinds & CSEARCH_GRAM != 0 { proposeGrams(object, place, &verifier) }
            if kinds & CSEARCH_PAIR != 0, verifier.goOn { proposeShort(object, place, &verifier) }
        }
        proposals.removeAll()
    }

    /// The four bytes at a place, as the index has them.
    @inline(__always) private func gram(_ object: ByteView, _ place: Int) -> UInt32 {
        let (gram, _) = gramAtEdge(object, place)
        return fold ? foldedGram(gram) : gram
    }

    /// Compares the patterns that have the gram at a place, and the bytes behind it.
    private func proposeGrams(_ object: ByteView, _ place: Int, _ verifier: inout Verifier) {
        let gram = gram(object, place)
        let following = self.gram(object, place + 4)
        grams.forEach(gram) { posting in
            let count = Int(posting.high >> 24)
            guard posting.low == gram, count <= 3, place + 4 + count <= object.count,
                (following ^ posting.high) & lengthMask(count) == 0
            else { return true }
            verifier.verify(Int(posting.pattern), anchor: place)
            return verifier.goOn
        }
    }
}
