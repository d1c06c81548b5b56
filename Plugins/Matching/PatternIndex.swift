import BytesE
import CModuleABI
import CSearch
import DatabaseSections

/// One index over patterns: proposes which of them may match and where. See em_pattern_index.
struct PatternIndex {
    let fold: Bool
    let grams: GramTable
    /// Which places are looked at.
    let sieve: ByteView
    private let shortShift: UInt64
    private let shortFilter, shortDirectory, shorts: ByteView
    private let shortCount: Int
    private let fixed: ByteView
    private let fixedCount: Int

    init(_ head: em_pattern_index, _ data: ByteView) throws(DatabaseError) {
        let damaged = DatabaseError(.damaged, section: EM_SECTION_INDEXES, "an index contradicts itself")
        guard head.short_bucket_bits <= 28, head.short_count < UInt64(UInt32.max),
            head.fixed_count < UInt64(UInt32.max),
            let shorts = data.part(
                at: head.shorts, elements: head.short_count, size: MemoryLayout<em_short_posting>.stride),
            let fixed = data.part(
                at: head.fixed, elements: head.fixed_count, size: MemoryLayout<em_fixed_pattern>.stride)
        else { throw damaged }
        grams = try GramTable(head.grams, data)
        fold = head.flags & EM_INDEX_FOLD != 0
        shortShift = 32 - UInt64(head.short_bucket_bits)
        shortCount = Int(head.short_count)
        fixedCount = Int(head.fixed_count)
        self.shorts = shorts
        self.fixed = fixed
        if grams.count > 0 || shortCount > 0 {
            guard let sieve = data.part(at: head.sieve, elements: 1, size: Int(EM_SIEVE_SIZE)) else { throw damaged }
            self.sieve = sieve
        } else {
            sieve = ByteView()
        }
        if shortCount > 0 {
            guard let filter = data.part(at: head.short_filter, elements: 8192, size: 1),
                let directory = data.part(
                    at: head.short_directory, elements: 1 << UInt64(head.short_bucket_bits) + 1, size: 4)
            else { throw damaged }
            shortFilter = filter
            shortDirectory = directory
        } else {
            shortFilter = ByteView()
            shortDirectory = ByteView()
        }
    }

    // MARK: - The short path

    /// Bits of pairs that patterns without a long literal begin with; nil when there are none.
    var shortPairs: UnsafeRawPointer? { shortFilter.base.map { UnsafeRawPointer($0) } }

    private func pair(_ object: ByteView, _ position: Int) -> UInt32 {
        let pair = UInt32(object[position]) | UInt32(object[position + 1]) &<< 8
        return fold ? foldedGram(pair) : pair
    }

    /// Compares the patterns that begin with the two bytes at a place, which must be there.
    func proposeShort(_ object: ByteView, _ position: Int, _ verifier: inout Verifier) {
        guard let directory = shortDirectory.base else { return }
        let hash = pair(object, position) &* EM_GRAM_FACTOR
        let bucket = UnsafeRawPointer(directory) + Int(truncatingIfNeeded: UInt64(hash) &>> shortShift) * 4
        var i = Int(bucket.loadUnaligned(as: UInt32.self))
        let end = min(shortCount, Int(bucket.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        while i < end, let posting = short(i) {
            propose(posting, object, position, &verifier)
            if !verifier.goOn { return }
            i += 1
        }
    }

    private func short(_ index: Int) -> em_short_posting? {
        guard let base = shorts.base, index < shortCount else { return nil }
        return UnsafeRawPointer(base).loadUnaligned(
            fromByteOffset: index * MemoryLayout<em_short_posting>.stride, as: em_short_posting.self)
    }

    private func propose(
        _ posting: em_short_posting, _ object: ByteView, _ position: Int, _ verifier: inout Verifier
    ) {
        let (bytes, present) = eightAtEdge(object, position - Int(posting.before))
        guard (fold ? foldedGrams(bytes) : bytes) & posting.mask == posting.value, posting.mask & ~present == 0
        else { return }
        verifier.verify(Int(posting.pattern), anchor: position)
    }

    // MARK: - The fixed path

    /// Tries the patterns that can begin at few places only.
    func matchFixed(_ object: ByteView, _ verifier: inout Verifier) {
        var first = 0
        while first < fixedCount, verifier.goOn {
            let head = fixedPattern(first)
            let end = endOfPlace(head, from: first)
            matchPlace(head, first..<end, object, &verifier)
            first = end
        }
    }

    /// Tries the patterns of one place: `head` is the first of them.
    private func matchPlace(
        _ head: em_fixed_pattern, _ group: Range<Int>, _ object: ByteView, _ verifier: inout Verifier
    ) {
        guard let origin = verifier.place(head.base, section: head.section) else { return }
        let start = origin.lowerBound + Int(head.offset)
        // Where the anchor fits into the object.
        var shift = max(0, -start)
        let last = min(Int(head.shift), object.count - Int(head.length) - start)
        while shift <= last {
            let gram = gramAtEdge(object, start + shift).gram
            let value = (fold ? foldedGram(gram) : gram) & head.mask
            var i = firstFixed(value, in: group)
            while i < group.upperBound {
                let entry = fixedPattern(i)
                if entry.value != value { break }
                verifier.verifyFixed(Int(entry.pattern), shift: shift)
                if !verifier.goOn { return }
                i += 1
            }
            shift += 1
        }
    }

    private func fixedPattern(_ index: Int) -> em_fixed_pattern {
        guard let base = fixed.base else { return em_fixed_pattern() }
        return UnsafeRawPointer(base).loadUnaligned(
            fromByteOffset: index * MemoryLayout<em_fixed_pattern>.stride, as: em_fixed_pattern.self)
    }

    /// The first entry behind `from` that is for another place, found by doubling and halving.
    private func endOfPlace(_ head: em_fixed_pattern, from: Int) -> Int {
        func isSame(_ index: Int) -> Bool {
            let other = fixedPattern(index)
            return other.offset == head.offset && other.shift == head.shift && other.base == head.base
                && other.section == head.section && other.mask == head.mask && other.length == head.length
        }
        var low = from
        var step = 1
        while low + step < fixedCount, isSame(low + step) {
            low += step
            step *= 2
        }
        var high = min(fixedCount, low + step)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if isSame(middle) { low = middle } else { high = middle }
        }
        return high
    }

    /// The first entry of a group with at least this value.
    private func firstFixed(_ value: UInt32, in group: Range<Int>) -> Int {
        var low = group.lowerBound
        var high = group.upperBound
        while low < high {
            let middle = low + (high - low) / 2
            if fixedPattern(middle).value < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Four bytes with ASCII capitals as small letters.
@inline(__always) func foldedGram(_ gram: UInt32) -> UInt32 {
    // In each byte below 0x80, bit 7 of the sums says "at least A" and "above Z".
    let low = gram & 0x7f7f_7f7f
    let capital = ((low &+ 0x3f3f_3f3f) & ~(low &+ 0x2525_2525) & ~gram) & 0x8080_8080
    return gram | capital >> 2
}

/// Eight bytes likewise.
@inline(__always) func foldedGrams(_ bytes: UInt64) -> UInt64 {
    let low = bytes & 0x7f7f_7f7f_7f7f_7f7f
    let capital =
        ((low &+ 0x3f3f_3f3f_3f3f_3f3f) & ~(low &+ 0x2525_2525_2525_2525) & ~bytes) & 0x8080_8080_8080_8080
    return bytes | capital >> 2
}

/// The up to four bytes at a position, little-endian, missing ones 0, and how many there are.
func gramAtEdge(_ object: ByteView, _ position: Int) -> (gram: UInt32, length: Int) {
    guard let base = object.base, position >= 0, position <= object.count else { return (0, 0) }
    let length = min(4, object.count - position)
    if length == 4 { return (UnsafeRawPointer(base).loadUnaligned(fromByteOffset: position, as: UInt32.self), 4) }
    var gram: UInt32 = 0
    for i in 0..<length { gram |= UInt32(base[position + i]) << UInt32(8 * i) }
    return (gram, length)
}

/// The eight bytes from a position on, little-endian, and a mask of those that lie in the object; missing ones are 0.
func eightAtEdge(_ object: ByteView, _ position: Int) -> (bytes: UInt64, present: UInt64) {
    guard let base = object.base else { return (0, 0) }
    if position >= 0, position <= object.count - 8 {
        return (UnsafeRawPointer(base).loadUnaligned(fromByteOffset: position, as: UInt64.self), .max)
    }
    var (bytes, present): (UInt64, UInt64) = (0, 0)
    for i in 0..<8 where position + i >= 0 && position + i < object.count {
        bytes |= UInt64(base[position + i]) << UInt64(8 * i)
        present |= 0xff << UInt64(8 * i)
    }
    return (bytes, present)
}

/// A mask of so many low bytes.
func lengthMask(_ length: Int) -> UInt32 {
    length >= 4 ? .max : (1 << UInt32(8 * length)) - 1
}
