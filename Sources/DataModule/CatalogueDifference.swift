import Bytes

/// Which signatures one database has and another has not, by name.
///
/// Names that occur several times count: two of a name in the old and three in the new make one that came. Eight bytes
/// of memory for each signature of both, and sixteen for each different name.
package struct CatalogueDifference {
    private let old: SignatureCatalogue
    private let new: SignatureCatalogue
    private let gone: Excess
    private let come: Excess

    /// Signatures only in the new one, and only in the old one.
    package var came: Int { come.total }
    package var went: Int { gone.total }

    package init(old: SignatureCatalogue, new: SignatureCatalogue) {
        self.old = old
        self.new = new
        let before = Self.keys(of: old)
        let after = Self.keys(of: new)
        gone = Excess(of: before, over: after)
        come = Excess(of: after, over: before)
    }

    /// Calls `body` for each signature that is only in the new one, in its order.
    package func forEachNew(_ body: (SignatureCatalogue.Entry) -> Void) { come.forEach(in: new, body) }

    /// Calls `body` for each signature that is only in the old one, in its order.
    package func forEachOld(_ body: (SignatureCatalogue.Entry) -> Void) { gone.forEach(in: old, body) }

    private static func keys(of catalogue: SignatureCatalogue) -> [UInt64] {
        var keys: [UInt64] = []
        keys.reserveCapacity(catalogue.count)
        for index in 0..<catalogue.count { keys.append(key(catalogue[index]?.name ?? ByteView())) }
        keys.sort()
        return keys
    }

    /// FNV-1a of 64 bits, mixed once more: two names of ten million share one with a probability of 1 in 400,000.
    fileprivate static func key(_ name: ByteView) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name.buffer { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        hash = (hash ^ hash >> 32) &* 0x9e37_79b9_7f4a_7c15
        return hash ^ hash >> 29
    }
}

/// Keys that one sorted list has more often than another.
private struct Excess {
    private var keys: [UInt64] = []
    private var counts: [Int32] = []
    private(set) var total = 0

    init(of list: [UInt64], over other: [UInt64]) {
        var i = 0
        var j = 0
        while i < list.count {
            let key = list[i]
            let start = i
            while i < list.count, list[i] == key { i += 1 }
            while j < other.count, other[j] < key { j += 1 }
            let first = j
            while j < other.count, other[j] == key { j += 1 }
            let excess = (i - start) - (j - first)
            guard excess > 0 else { continue }
            keys.append(key)
            counts.append(Int32(clamping: excess))
            total += excess
        }
    }

    func forEach(in catalogue: SignatureCatalogue, _ body: (SignatureCatalogue.Entry) -> Void) {
        guard total > 0 else { return }
        var left = counts
        for index in 0..<catalogue.count {
            guard let entry = catalogue[index] else { continue }
            guard let place = place(of: CatalogueDifference.key(entry.name)), left[place] > 0 else { continue }
            left[place] -= 1
            body(entry)
        }
    }

    private func place(of key: UInt64) -> Int? {
        var low = 0
        var high = keys.count
        while low < high {
            let middle = low + (high - low) / 2
            if keys[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low < keys.count && keys[low] == key ? low : nil
    }
}
