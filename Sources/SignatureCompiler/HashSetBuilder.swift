import Bytes
import CModuleABI
import DataModule

/// Collects the digests of one purpose and makes their sections: em_size_index and em_hash_table.
struct HashSetBuilder {
    private let firstSection: UInt32
    private var tables = [
        HashTableBuilder(digestSize: 16), HashTableBuilder(digestSize: 20), HashTableBuilder(digestSize: 32),
    ]
    private var sizes = SizeTable()
    private var anyMask: UInt32 = 0

    /// - Parameter firstSection: id of the size index; those of the tables follow in the order of EM_HASH_….
    init(firstSection: UInt32) {
        self.firstSection = firstSection
    }

    mutating func add(_ line: HashLine, signature: UInt32) throws(DataModuleError) {
        try add(line.digest, size: line.size, signature: signature)
    }

    /// Adds a digest of an object (or part of one) of this size; EM_SIZE_ANY for any.
    mutating func add(_ digest: HexDigest, size: UInt32, signature: UInt32) throws(DataModuleError) {
        guard tables[Int(digest.algorithm)].count < Int(Int32.max) else { throw DataModuleError("too many hashes") }
        tables[Int(digest.algorithm)].add(digest, size: size, signature: signature)
        if size == EM_SIZE_ANY {
            anyMask |= 1 << digest.algorithm
        } else {
            sizes.add(size, 1 << UInt64(digest.algorithm))
        }
    }

    /// The sections; the builder is empty afterwards, so that its memory can go.
    mutating func finish() -> [DatabaseSection] {
        var sections: [DatabaseSection] = []
        if sizes.count > 0 || anyMask != 0 {
            sections.append(sizes.finish(section: firstSection, anyMask: anyMask))
            sizes = SizeTable()
            anyMask = 0
        }
        for algorithm in tables.indices where tables[algorithm].count > 0 {
            let id = firstSection + 1 + UInt32(algorithm)
            sections.append(tables[algorithm].finish(section: id, algorithm: UInt32(algorithm)))
        }
        return sections
    }
}

/// The sizes that any digest has, each with its algorithms, in an open hash table.
private struct SizeTable {
    /// size << 8 | mask of algorithms; 0 is free.
    private var slots = [UInt64](repeating: 0, count: 64)
    private(set) var count = 0

    mutating func add(_ size: UInt32, _ mask: UInt64) {
        if count * 2 >= slots.count { grow() }
        let slot = Self.slot(of: size, in: slots)
        if slots[slot] == 0 {
            slots[slot] = UInt64(size) << 8
            count += 1
        }
        slots[slot] |= mask
    }

    private static func slot(of size: UInt32, in slots: [UInt64]) -> Int {
        var slot = Int(truncatingIfNeeded: (UInt64(size) &* EM_SIZE_FACTOR) >> 32) & (slots.count - 1)
        while slots[slot] != 0, slots[slot] >> 8 != UInt64(size) { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }

    private mutating func grow() {
        var larger = [UInt64](repeating: 0, count: slots.count * 2)
        for entry in slots where entry != 0 {
            larger[Self.slot(of: UInt32(truncatingIfNeeded: entry >> 8), in: larger)] = entry
        }
        slots = larger
    }

    func finish(section: UInt32, anyMask: UInt32) -> DatabaseSection {
        let slotsPerBucket = Int(EM_SIZE_SLOTS)
        // At most half full, so that nearly every search ends in the first cache line.
        let bits = Bits.atLeast(count * 2 / slotsPerBucket + 1)
        var result = [UInt64](repeating: 0, count: slotsPerBucket << bits)
        // In order of size: where they came in another order, the same sizes make the same bytes.
        for entry in slots.filter({ $0 != 0 }).sorted() {
            let hash = (entry >> 8) &* EM_SIZE_FACTOR
            var slot = Int(truncatingIfNeeded: hash >> (64 - UInt64(bits))) * slotsPerBucket
            while result[slot] != 0 { slot = slot + 1 == result.count ? 0 : slot + 1 }
            result[slot] = entry
        }
        var head = em_size_index()
        head.bucket_bits = UInt32(bits)
        head.any_mask = anyMask
        head.sizes = UInt64(count)
        return DatabaseSection(
            section, version: EM_SECTION_VERSION, count: count, [.init(RawStruct.bytes(head)), .init(result)])
    }
}

/// The digests of one algorithm.
private struct HashTableBuilder {
    private let digestSize: Int
    private let entrySize: Int
    /// As they lie in the database: signature, size, digest. In the order in which they came.
    private var entries: [UInt32] = []

    init(digestSize: Int) {
        self.digestSize = digestSize
        entrySize = 2 + digestSize / 4
    }

    var count: Int { entries.count / entrySize }

    mutating func add(_ digest: HexDigest, size: UInt32, signature: UInt32) {
        entries.append(signature)
        entries.append(size)
        for i in 0..<(entrySize - 2) { entries.append(digest.words[i]) }
    }

    mutating func finish(section: UInt32, algorithm: UInt32) -> DatabaseSection {
        let count = count
        // About four entries a bucket, some ten filter bits for each.
        let bucketBits = Bits.atLeast(max(1, count / 4))
        let filterBits = UInt64(Bits.atLeast(max(1, count * 10 / 64)))
        var filter = [UInt64](repeating: 0, count: 1 << filterBits)
        var sorted = entries
        entries = []
        let directory = Self.sort(&sorted, entrySize: entrySize, bits: bucketBits)
        for at in stride(from: 0, to: sorted.count, by: entrySize) {
            let key = UInt64(sorted[at + 2]) | UInt64(sorted[at + 3]) << 32
            filter[Int(truncatingIfNeeded: (key &* EM_SIZE_FACTOR) >> (64 - filterBits))] |=
                1 << (key & 63) | 1 << (key >> 6 & 63) | 1 << (key >> 12 & 63) | 1 << (key >> 18 & 63)
        }
        var head = em_hash_table()
        head.algorithm = algorithm
        head.digest_size = UInt32(digestSize)
        head.entry_size = UInt32(entrySize * 4)
        head.bucket_bits = UInt32(bucketBits)
        head.filter_bits = UInt32(filterBits)
        head.count = UInt64(count)
        // The filter begins on a cache line.
        let headBytes = RawStruct.bytes(head, padding: 64)
        head.filter = UInt64(headBytes.count)
        head.directory = head.filter + UInt64(filter.count * 8)
        head.entries = head.directory + UInt64(directory.count * 4)
        return DatabaseSection(
            section, version: EM_SECTION_VERSION, count: count,
            [.init(RawStruct.bytes(head, padding: 64)), .init(filter), .init(directory), .init(sorted)])
    }

    /// Sorts entries by bucket, the high `bits` bits of the digest; those of a bucket stay in order. Returns where each
    /// bucket begins.
    ///
    /// Two stable passes, first over the high bits, so that each writes to few places at a time.
    private static func sort(_ entries: inout [UInt32], entrySize: Int, bits: Int) -> [UInt32] {
        let low = bits / 2
        let coarse = pass(&entries, entrySize: entrySize, ranges: [0, entries.count / entrySize], keyBits: bits - low) {
            Int(UInt64($0) >> UInt64(32 - (bits - low)))
        }
        return pass(&entries, entrySize: entrySize, ranges: coarse.map(Int.init), keyBits: low) {
            Int(UInt64($0) >> UInt64(32 - bits)) & (1 << low - 1)
        }
    }

    /// Sorts within each of the ranges by a key of so many bits; returns the beginnings of all parts and the end.
    private static func pass(
        _ entries: inout [UInt32], entrySize: Int, ranges: [Int], keyBits: Int, key: (UInt32) -> Int
    ) -> [UInt32] {
        let source = entries
        var starts: [UInt32] = []
        starts.reserveCapacity((ranges.count - 1) << keyBits + 1)
        var next = [Int](repeating: 0, count: 1 << keyBits)
        source.withUnsafeBufferPointer { source in
            entries.withUnsafeMutableBufferPointer { target in
                for (from, to) in zip(ranges, ranges.dropFirst()) {
                    for slot in next.indices { next[slot] = 0 }
                    for i in from..<to { next[key(source[i * entrySize + 2].bigEndian)] += 1 }
                    var start = from
                    for slot in next.indices {
                        let amount = next[slot]
                        next[slot] = start
                        starts.append(UInt32(start))
                        start += amount
                    }
                    for i in from..<to {
                        let slot = key(source[i * entrySize + 2].bigEndian)
                        let at = next[slot] * entrySize
                        next[slot] += 1
                        for word in 0..<entrySize { target[at + word] = source[i * entrySize + word] }
                    }
                }
            }
        }
        starts.append(UInt32(entries.count / entrySize))
        return starts
    }
}

/// Sizes of tables.
enum Bits {
    /// The least number of bits with 2^bits >= count, at most 28.
    static func atLeast(_ count: Int) -> Int {
        var bits = 0
        while bits < 28, 1 << bits < count { bits += 1 }
        return bits
    }
}

/// C structures as bytes.
enum RawStruct {
    static func bytes<T: BitwiseCopyable>(_ value: T, padding: Int = 1) -> [UInt8] {
        var bytes = withUnsafeBytes(of: value) { [UInt8]($0) }
        while bytes.count % padding != 0 { bytes.append(0) }
        return bytes
    }
}
