import BytesE
import CModuleABI
import CSearch

// The pass that sees every byte of every object: `CSearch_blocks`. What it costs, and why, is in docs/performance.md.
extension PatternIndex {
    /// Bytes between two budget checks; a multiple of a block.
    private static let stride = 65_536
    private static let block = Int(CSEARCH_BLOCK)

    /// Windows, spans, grams and the short path in one pass.
    func scan(_ object: ByteView, _ verifier: inout Verifier, check: () -> Bool) {
        scanFewShorts(object, &verifier, check: check)
        guard verifier.goOn, let bytes = object.base else { return }
        var filters = CSearch_filters(
            windows: windows.filter, spans: spans.filter, grams: grams.filter, pairs: shortPairs, sieve: sieve.base,
            folds: fold ? 1 : 0)
        guard windows.count + spans.count + grams.count > 0 || filters.pairs != nil else { return }
        var hits = CSearch_hits()
        var proposals = Proposals(verifier.scratch)
        // Blocks begin before this.
        let end = object.count - Int(CSEARCH_REACH) + 1
        var position = 0
        while position < end {
            guard check() else { return verifier.stop(.cancelled) }
            let limit = min(end, position + Self.stride)
            while position < limit {
                position = CSearch_blocks(bytes, position, limit, &filters, &hits)
                guard position < limit else { break }
                collect(object, position, hits, into: &proposals)
                if proposals.isFull {
                    propose(&proposals, object, &verifier)
                    if !verifier.goOn { return }
                }
                position += Self.block
            }
            // The last block may go beyond the limit.
            position = (position + Self.block - 1) / Self.block * Self.block
        }
        propose(&proposals, object, &verifier)
        if !verifier.goOn { return }
        // What the blocks leave, place by place.
        while position <= object.count - 2 {
            proposeAtEnd(object, position, &verifier)
            if !verifier.goOn { return }
            position += 1
        }
    }

    /// Places at which something may begin, which are looked at a few at a time: what is known of them lies anywhere in a
    /// large database, and is fetched for all of them at once.
    private struct Proposals {
        /// Place, times four, and what it is proposed for.
        private let entries: UnsafeMutablePointer<Int>
        private(set) var count = 0

        static let window = 0
        static let span = 1
        static let gram = 2
        static let pair = 3
        /// With so many, it is time; a block adds 88 at most.
        private static let enough = 24

        init(_ scratch: Scratch) { entries = scratch.proposals }

        var isFull: Bool { count >= Self.enough }

        subscript(_ number: Int) -> (place: Int, kind: Int) { (entries[number] >> 2, entries[number] & 3) }

        mutating func add(_ place: Int, _ kind: Int) {
            guard count < Scratch.mostProposals else { return }
            entries[count] = place << 2 | kind
            count += 1
        }

        mutating func removeAll() { count = 0 }
    }

    /// Notes the places of a block, in their order, and asks for the first of what is known of them.
    @inline(never)
    private func collect(_ object: ByteView, _ block: Int, _ hits: CSearch_hits, into proposals: inout Proposals) {
        var left = hits.windows | hits.spans | hits.grams | hits.pairs
        while left != 0 {
            let bit = left & (0 &- left)
            let place = block + left.trailingZeroBitCount
            let gram = gram(object, place)
            if hits.windows & bit != 0 {
                windows.prefetchBucket(gram)
                proposals.add(place, Proposals.window)
            }
            if hits.spans & bit != 0 {
                spans.prefetchBucket(gram)
                proposals.add(place, Proposals.span)
            }
            if hits.grams & bit != 0 {
                grams.prefetchBucket(gram)
                proposals.add(place, Proposals.gram)
            }
            if hits.pairs & bit != 0 { proposals.add(place, Proposals.pair) }
            left &= left &- 1
        }
    }

    /// Looks closer at the places that were noted, in their order.
    @inline(never)
    private func propose(_ proposals: inout Proposals, _ object: ByteView, _ verifier: inout Verifier) {
        for number in 0..<proposals.count {
            let (place, kind) = proposals[number]
            switch kind {
            case Proposals.window: windows.prefetchPostings(gram(object, place))
            case Proposals.span: spans.prefetchPostings(gram(object, place))
            case Proposals.gram: grams.prefetchPostings(gram(object, place))
            default: break
            }
        }
        for number in 0..<proposals.count where verifier.goOn {
            let (place, kind) = proposals[number]
            switch kind {
            case Proposals.window: proposeWindows(object, place, gram(object, place), &verifier)
            case Proposals.span: propose(from: spans, object, place, gram(object, place), &verifier)
            case Proposals.gram: propose(from: grams, object, place, gram(object, place), &verifier)
            default: proposeShort(object, place, &verifier)
            }
        }
        proposals.removeAll()
    }

    private func proposeAtEnd(_ object: ByteView, _ place: Int, _ verifier: inout Verifier) {
        if place <= object.count - 4 {
            let gram = gram(object, place)
            if place & 3 == 0, windows.mayHave(gram) { proposeWindows(object, place, gram, &verifier) }
            if verifier.goOn, place & 1 == 0, spans.mayHave(gram) {
                propose(from: spans, object, place, gram, &verifier)
            }
            if verifier.goOn, grams.mayHave(gram) { propose(from: grams, object, place, gram, &verifier) }
        }
        if verifier.goOn, mayHavePair(object, place) { proposeShort(object, place, &verifier) }
    }

    /// The four bytes at a place, as the index has them.
    private func gram(_ object: ByteView, _ place: Int) -> UInt32 {
        let (gram, _) = gramAtEdge(object, place)
        return fold ? foldedGram(gram) : gram
    }

    /// Compares the windows that have a gram.
    private func proposeWindows(_ object: ByteView, _ position: Int, _ gram: UInt32, _ verifier: inout Verifier) {
        guard let start = object.base else { return }
        let bytes = UnsafeRawPointer(start)
        windows.forEach(gram) { posting in
            let window = position - Int(posting.high >> 24)
            guard window >= 0, window + Int(EM_WINDOW) <= object.count else { return true }
            let low = bytes.loadUnaligned(fromByteOffset: window, as: UInt32.self)
            guard (fold ? foldedGram(low) : low) == posting.low else { return true }
            let high = bytes.loadUnaligned(fromByteOffset: window + 3, as: UInt32.self)
            guard (fold ? foldedGram(high) : high) >> 8 == posting.high & 0xff_ffff else { return true }
            verifier.verify(Int(posting.pattern), anchor: window)
            return verifier.goOn
        }
    }

    /// Compares the spans or grams that have a gram, and the bytes behind them.
    private func propose(
        from table: GramTable, _ object: ByteView, _ position: Int, _ gram: UInt32, _ verifier: inout Verifier
    ) {
        table.forEach(gram) { posting in
            let anchor = position - Int(posting.high >> 24 & 15)
            let count = Int(posting.high >> 28)
            guard anchor >= 0, count <= 3, anchor + 4 + count <= object.count,
                self.gram(object, anchor) == posting.low,
                (self.gram(object, anchor + 4) ^ posting.high) & lengthMask(count) == 0
            else { return true }
            verifier.verify(Int(posting.pattern), anchor: anchor)
            return verifier.goOn
        }
    }
}
