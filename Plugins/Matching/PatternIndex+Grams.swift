import BytesE
import CModuleABI
import CSearch

// The pass that sees every byte of every object: `CSearch_blocks`. What it costs, and why, is in docs/performance.md.
extension PatternIndex {
    /// Bytes between two budget checks; a multiple of a block.
    private static let stride = 65_536
    private static let block = Int(CSEARCH_BLOCK)

    /// The long, the gram and the short path in one pass.
    func scan(_ object: ByteView, _ verifier: inout Verifier, check: () -> Bool) {
        scanFewShorts(object, &verifier, check: check)
        guard verifier.goOn, let bytes = object.base else { return }
        var filters = CSearch_filters(
            windows: windows.filter, grams: grams.filter, pairs: shortPairs, folds: fold ? 1 : 0)
        guard filters.windows.words != nil || filters.grams.words != nil || filters.pairs != nil else { return }
        var hits = CSearch_hits()
        // Blocks begin before this.
        let end = object.count - Int(CSEARCH_REACH) + 1
        var position = 0
        while position < end {
            guard check() else { return verifier.stop(.cancelled) }
            let limit = min(end, position + Self.stride)
            while position < limit {
                position = CSearch_blocks(bytes, position, limit, &filters, &hits)
                guard position < limit else { break }
                propose(object, position, hits, &verifier)
                if !verifier.goOn { return }
                position += Self.block
            }
            // The last block may go beyond the limit.
            position = (position + Self.block - 1) / Self.block * Self.block
        }
        // What the blocks leave, place by place.
        while position <= object.count - 2 {
            proposeAtEnd(object, position, &verifier)
            if !verifier.goOn { return }
            position += 1
        }
    }

    /// Looks closer at the places of a block.
    @inline(never)
    private func propose(_ object: ByteView, _ block: Int, _ hits: CSearch_hits, _ verifier: inout Verifier) {
        var left = hits.windows
        while left != 0, verifier.goOn {
            let place = block + 4 * left.trailingZeroBitCount
            proposeWindows(object, place, hash(object, place), &verifier)
            left &= left &- 1
        }
        left = hits.grams
        while left != 0, verifier.goOn {
            let place = block + left.trailingZeroBitCount
            proposeGrams(object, place, hash(object, place), &verifier)
            left &= left &- 1
        }
        left = hits.pairs
        while left != 0, verifier.goOn {
            proposeShort(object, block + left.trailingZeroBitCount, &verifier)
            left &= left &- 1
        }
    }

    private func proposeAtEnd(_ object: ByteView, _ place: Int, _ verifier: inout Verifier) {
        if place <= object.count - 4 {
            let hash = hash(object, place)
            if place & 3 == 0, windows.mayHave(hash) { proposeWindows(object, place, hash, &verifier) }
            if verifier.goOn, grams.mayHave(hash) { proposeGrams(object, place, hash, &verifier) }
        }
        if verifier.goOn, mayHavePair(object, place) { proposeShort(object, place, &verifier) }
    }

    /// The hash of the four bytes at a place.
    private func hash(_ object: ByteView, _ place: Int) -> UInt32 {
        let (gram, _) = gramAtEdge(object, place)
        return (fold ? foldedGram(gram) : gram) &* EM_GRAM_FACTOR
    }

    /// Compares the windows that have a gram with this hash.
    private func proposeWindows(_ object: ByteView, _ position: Int, _ hash: UInt32, _ verifier: inout Verifier) {
        guard let start = object.base else { return }
        let bytes = UnsafeRawPointer(start)
        windows.forEach(hash) { posting in
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

    /// Compares the grams with this hash, and the bytes behind them.
    private func proposeGrams(_ object: ByteView, _ position: Int, _ hash: UInt32, _ verifier: inout Verifier) {
        let (low, _) = gramAtEdge(object, position)
        let (next, length) = gramAtEdge(object, position + 4)
        let gram = fold ? foldedGram(low) : low
        let following = fold ? foldedGram(next) : next
        grams.forEach(hash) { posting in
            let count = Int(posting.high >> 24)
            guard posting.low == gram, count <= min(3, length),
                (following ^ posting.high) & lengthMask(count) == 0
            else { return true }
            verifier.verify(Int(posting.pattern), anchor: position)
            return verifier.goOn
        }
    }
}
