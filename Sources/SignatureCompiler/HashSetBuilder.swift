import Bytes
import CModuleABI
import DataModule

/// Collects the digests of one purpose and makes their sections: em_size_index and em_hash_table.
struct HashSetBuilder {
    private let firstSection: UInt32
    private var tables = [
        HashTableBuilder(digestSize: 16), HashTableBuilder(digestSize: 20), HashTableBuilder(digestSize: 32),
    ]
    private var sizes: [UInt32: UInt8] = [:]
    private var anyMask: UInt32 = 0

    /// - Parameter firstSection: id of the size index; those of the tables follow.
    init(firstSection: UInt32) {
        self.firstSection = firstSection
    }

    mutating func add(_ line: HashLine, signature: UInt32) {
        tables[Int(line.algorithm)].add(line.digits, size: line.size, signature: signature)
        if line.size == EM_SIZE_ANY {
            anyMask |= 1 << line.algorithm
        } else {
            sizes[line.size, default: 0] |= 1 << UInt8(line.algorithm)
        }
    }

    func finish() -> [DatabaseSection] {
        var sections: [DatabaseSection] = []
        if !sizes.isEmpty || anyMask != 0 { sections.append(sizeIndex()) }
        for (algorithm, table) in tables.enumerated() where table.count > 0 {
            sections.append(table.finish(section: firstSection + 1 + UInt32(algorithm), algorithm: UInt32(algorithm)))
        }
        return sections
    }

    private func sizeIndex() -> DatabaseSection {
        let slotsPerBucket = Int(EM_SIZE_SLOTS)
        // At most half full, so that nearly every search ends in the first cache line.
        let bits = Bits.atLeast(sizes.count * 2 / slotsPerBucket + 1)
        var slots = [UInt64](repeating: 0, count: slotsPerBucket << bits)
        // A dictionary has another order in each process; the file must not.
        for size in sizes.keys.sorted() {
            var slot = Int(truncatingIfNeeded: (UInt64(size) &* EM_SIZE_FACTOR) >> (64 - UInt64(bits))) * slotsPerBucket
            while slots[slot] != 0 { slot = slot + 1 == slots.count ? 0 : slot + 1 }
            slots[slot] = UInt64(size) << 8 | UInt64(sizes[size] ?? 0)
        }
        var head = em_size_index()
        head.bucket_bits = UInt32(bits)
        head.any_mask = anyMask
        head.sizes = UInt64(sizes.count)
        return DatabaseSection(
            firstSection, version: EM_SECTION_VERSION, count: sizes.count, [.init(RawStruct.bytes(head)), .init(slots)])
    }
}

/// The digests of one algorithm.
struct HashTableBuilder {
    private let digestSize: Int
    private var digests: [UInt8] = []
    private var sizes: [UInt32] = []
    private var signatures: [UInt32] = []

    init(digestSize: Int) {
        self.digestSize = digestSize
    }

    var count: Int { signatures.count }

    /// Adds a digest: 2 × digestSize hex digits, which were checked.
    mutating func add(_ digits: ByteView, size: UInt32, signature: UInt32) {
        for i in 0..<digestSize {
            digests.append((Number.hex(digits[2 * i]) ?? 0) << 4 | (Number.hex(digits[2 * i + 1]) ?? 0))
        }
        sizes.append(size)
        signatures.append(signature)
    }

    func finish(section: UInt32, algorithm: UInt32) -> DatabaseSection {
        // About four entries a bucket, some ten filter bits for each.
        let bucketBits = UInt64(Bits.atLeast(max(1, count / 4)))
        let filterBits = UInt64(Bits.atLeast(max(1, count * 10 / 64)))
        var filter = [UInt64](repeating: 0, count: 1 << filterBits)
        var directory = [UInt32](repeating: 0, count: 1 << bucketBits + 1)
        var entries = [UInt8](repeating: 0, count: count * (8 + digestSize))
        digests.withUnsafeBytes { digests in
            var buckets = [UInt32](repeating: 0, count: count)
            for i in 0..<count {
                let head = digests.loadUnaligned(fromByteOffset: i * digestSize, as: UInt32.self).bigEndian
                buckets[i] = UInt32(UInt64(head) >> (32 - bucketBits))
                directory[Int(buckets[i]) + 1] += 1
                let key = digests.loadUnaligned(fromByteOffset: i * digestSize, as: UInt64.self)
                filter[Int(truncatingIfNeeded: (key &* EM_SIZE_FACTOR) >> (64 - filterBits))] |=
                    1 << (key & 63) | 1 << (key >> 6 & 63) | 1 << (key >> 12 & 63) | 1 << (key >> 18 & 63)
            }
            for bucket in 1..<directory.count { directory[bucket] += directory[bucket - 1] }
            var next = directory
            entries.withUnsafeMutableBytes { entries in
                for i in 0..<count {
                    let at = Int(next[Int(buckets[i])]) * (8 + digestSize)
                    next[Int(buckets[i])] += 1
                    entries.storeBytes(of: signatures[i], toByteOffset: at, as: UInt32.self)
                    entries.storeBytes(of: sizes[i], toByteOffset: at + 4, as: UInt32.self)
                    let from = UnsafeRawBufferPointer(rebasing: digests[(i * digestSize)..<((i + 1) * digestSize)])
                    UnsafeMutableRawBufferPointer(rebasing: entries[(at + 8)..<(at + 8 + digestSize)]).copyMemory(
                        from: from)
                }
            }
        }
        var head = em_hash_table()
        head.algorithm = algorithm
        head.digest_size = UInt32(digestSize)
        head.entry_size = UInt32(8 + digestSize)
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
            [.init(RawStruct.bytes(head, padding: 64)), .init(filter), .init(directory), .init(entries)])
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
