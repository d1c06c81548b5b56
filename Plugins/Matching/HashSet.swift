import BytesE
import CModuleABI
import DatabaseSections

/// The size index and the digest tables of one purpose.
struct HashSet {
    let sizes: SizeIndex
    let tables: [HashTable]

    /// The tables' sections follow `first`, that of the size index.
    init(_ table: SectionTable, first: UInt32) throws(DatabaseError) {
        sizes = try SizeIndex(table, id: first)
        var tables: [HashTable] = []
        for algorithm in 0..<EM_HASH_COUNT {
            tables.append(try HashTable(table, id: first + 1 + algorithm, algorithm: algorithm))
        }
        self.tables = tables
    }
}

/// Which digests are worth computing for an object of a given size: em_size_index.
struct SizeIndex {
    private let buckets: ByteView
    private let bucketBits: UInt64
    private let anyMask: UInt32

    init(_ table: SectionTable, id: UInt32) throws(DatabaseError) {
        let section = try table.section(id, element: 0)
        guard !section.bytes.isEmpty else {
            buckets = ByteView()
            bucketBits = 0
            anyMask = 0
            return
        }
        guard let head = section.bytes.structure(em_size_index.self, at: 0), head.bucket_bits <= 28,
            let buckets = section.bytes.part(
                at: UInt64(MemoryLayout<em_size_index>.size),
                elements: UInt64(1) << UInt64(head.bucket_bits), size: 8 * Int(EM_SIZE_SLOTS))
        else { throw DatabaseError(.damaged, section: id, "the size index is too short") }
        self.buckets = buckets
        bucketBits = UInt64(head.bucket_bits)
        anyMask = head.any_mask
    }

    /// Algorithms (bit 1 << EM_HASH_…) that have a signature for objects of this size.
    func algorithms(size: Int) -> UInt32 {
        guard let base = buckets.base else { return anyMask }
        let slots = buckets.count / 8
        var slot = Int(truncatingIfNeeded: (UInt64(size) &* EM_SIZE_FACTOR) >> (64 - bucketBits)) * Int(EM_SIZE_SLOTS)
        // A free slot ends the search; damage may have filled them all, so it is counted as well.
        for _ in 0..<slots {
            let value = UnsafeRawPointer(base).loadUnaligned(fromByteOffset: slot * 8, as: UInt64.self)
            if value == 0 { break }
            if value >> 8 == UInt64(size) { return anyMask | UInt32(value & 0xff) }
            slot += 1
            if slot == slots { slot = 0 }
        }
        return anyMask
    }
}

/// The digests of one algorithm: em_hash_table.
struct HashTable {
    /// EM_HASH_….
    let algorithm: UInt32
    let digestSize: Int
    /// Number of digests.
    let count: Int
    private let filter, directory, entries: ByteView
    private let filterBits, bucketBits: UInt64
    private let entrySize: Int

    init(_ table: SectionTable, id: UInt32, algorithm: UInt32) throws(DatabaseError) {
        let section = try table.section(id, element: 0)
        self.algorithm = algorithm
        digestSize = algorithm == EM_HASH_MD5 ? 16 : algorithm == EM_HASH_SHA1 ? 20 : 32
        entrySize = 8 + digestSize
        guard !section.bytes.isEmpty else {
            count = 0
            filter = ByteView()
            directory = ByteView()
            entries = ByteView()
            filterBits = 0
            bucketBits = 0
            return
        }
        guard let head = section.bytes.structure(em_hash_table.self, at: 0), head.algorithm == algorithm,
            head.digest_size == UInt32(digestSize), head.entry_size == UInt32(entrySize),
            head.bucket_bits <= 28, head.filter_bits <= 28, head.count < UInt64(UInt32.max),
            let filter = section.bytes.part(
                at: head.filter, elements: UInt64(1) << UInt64(head.filter_bits), size: 8),
            let directory = section.bytes.part(
                at: head.directory, elements: UInt64(1) << UInt64(head.bucket_bits) + 1, size: 4),
            let entries = section.bytes.part(at: head.entries, elements: head.count, size: entrySize)
        else { throw DatabaseError(.damaged, section: id, "a digest table contradicts itself") }
        count = Int(head.count)
        self.filter = filter
        self.directory = directory
        self.entries = entries
        filterBits = UInt64(head.filter_bits)
        bucketBits = UInt64(head.bucket_bits)
    }

    /// Tells the signatures that have this digest and allow this size.
    ///
    /// - Parameters:
    ///   - digest: `digestSize` bytes.
    ///   - size: the object's.
    ///   - found: gets a signature's number; returns whether to go on.
    func find(_ digest: UnsafeRawPointer, size: Int, found: (Int) -> Bool) {
        guard count > 0, let filter = filter.base, let directory = directory.base, let entries = entries.base
        else { return }
        let key = UInt64(littleEndian: digest.loadUnaligned(as: UInt64.self))
        let word = UnsafeRawPointer(filter).loadUnaligned(
            fromByteOffset: Int(truncatingIfNeeded: (key &* EM_SIZE_FACTOR) >> (64 - filterBits)) * 8, as: UInt64.self)
        let bits: UInt64 =
            1 << (key & 63) | 1 << (key >> 6 & 63) | 1 << (key >> 12 & 63) | 1 << (key >> 18 & 63)
        guard word & bits == bits else { return }
        let bucket = Int(UInt64(UInt32(bigEndian: digest.loadUnaligned(as: UInt32.self))) >> (32 - bucketBits))
        let range = UnsafeRawPointer(directory)
        let first = Int(range.loadUnaligned(fromByteOffset: bucket * 4, as: UInt32.self))
        let end = min(count, Int(range.loadUnaligned(fromByteOffset: bucket * 4 + 4, as: UInt32.self)))
        var i = first
        while i < end {
            let entry = UnsafeRawPointer(entries) + i * entrySize
            i += 1
            let wanted = entry.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
            guard wanted == EM_SIZE_ANY || Int(wanted) == size, same(entry + 8, digest) else { continue }
            guard found(Int(entry.loadUnaligned(as: UInt32.self))) else { return }
        }
    }

    private func same(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer) -> Bool {
        for i in stride(from: 0, to: digestSize, by: 4)
        where a.loadUnaligned(fromByteOffset: i, as: UInt32.self) != b.loadUnaligned(fromByteOffset: i, as: UInt32.self)
        {
            return false
        }
        return true
    }
}
