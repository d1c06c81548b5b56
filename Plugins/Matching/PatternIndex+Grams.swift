import BytesE
import CModuleABI

// The loop that sees every byte of every object. What it costs, and why, is in docs/performance.md.
extension PatternIndex {
    /// Bytes between two budget checks; a multiple of four.
    private static let stride = 65_536

    /// The long and the gram path in one pass.
    func scanGrams(_ object: ByteView, _ verifier: inout Verifier, check: () -> Bool) {
        switch (windows.filter, grams.filter) {
        case (nil, nil): return
        case (let long?, nil):
            if fold {
                scanGrams(object, &verifier, long, long, check, folds: true, hasLong: true, hasGrams: false)
            } else {
                scanGrams(object, &verifier, long, long, check, folds: false, hasLong: true, hasGrams: false)
            }
        case (nil, let gram?):
            if fold {
                scanGrams(object, &verifier, gram, gram, check, folds: true, hasLong: false, hasGrams: true)
            } else {
                scanGrams(object, &verifier, gram, gram, check, folds: false, hasLong: false, hasGrams: true)
            }
        case (let long?, let gram?):
            if fold {
                scanGrams(object, &verifier, long, gram, check, folds: true, hasLong: true, hasGrams: true)
            } else {
                scanGrams(object, &verifier, long, gram, check, folds: false, hasLong: true, hasGrams: true)
            }
        }
    }

    /// Four places a turn. One load of eight bytes has the four grams that begin there; the filters answer without a
    /// branch, so that the only one in a turn is hardly ever taken. The last three parameters are constants: each case
    /// has a loop of its own.
    @inline(__always)
    private func scanGrams(
        _ object: ByteView, _ verifier: inout Verifier, _ long: GramTable.Filter, _ gram: GramTable.Filter,
        _ check: () -> Bool, folds: Bool, hasLong: Bool, hasGrams: Bool
    ) {
        guard let start = object.base else { return }
        let bytes = UnsafeRawPointer(start)
        // Eight bytes are loaded at positions up to here.
        let end = object.count - 7
        var position = 0
        while position < end {
            guard check() else { return verifier.stop(.cancelled) }
            let limit = min(end, position + Self.stride)
            while position < limit {
                var eight = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                if folds { eight = foldedGrams(eight) }
                let first = UInt32(truncatingIfNeeded: eight) &* EM_GRAM_FACTOR
                var any: UInt32 = 0
                if hasLong { any = long.bit(first) }
                if hasGrams {
                    any |= gram.bit(first) | gram.bit(Self.hash(eight &>> 8))
                    any |= gram.bit(Self.hash(eight &>> 16)) | gram.bit(Self.hash(eight &>> 24))
                }
                if any & 1 != 0 {
                    propose(object, position, 4, &verifier)
                    if !verifier.goOn { return }
                }
                position &+= 4
            }
        }
        // The last grams, one by one.
        while position <= object.count - 4 {
            propose(object, position, min(4, object.count - 3 - position), &verifier)
            if !verifier.goOn { return }
            position += 4
        }
    }

    @inline(__always) private static func hash(_ bytes: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: bytes) &* EM_GRAM_FACTOR
    }

    /// Looks closer at the places of one turn: the window at the first, and the grams at `places` of them.
    @inline(never)
    private func propose(_ object: ByteView, _ position: Int, _ places: Int, _ verifier: inout Verifier) {
        guard let start = object.base else { return }
        let bytes = UnsafeRawPointer(start)
        for place in position..<(position + places) {
            let value = bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)
            let hash = (fold ? foldedGram(value) : value) &* EM_GRAM_FACTOR
            if place == position, let filter = windows.filter, filter.bit(hash) & 1 != 0 {
                proposeWindows(object, place, hash, &verifier)
                if !verifier.goOn { return }
            }
            if let filter = grams.filter, filter.bit(hash) & 1 != 0 {
                proposeGrams(object, place, hash, &verifier)
                if !verifier.goOn { return }
            }
        }
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
