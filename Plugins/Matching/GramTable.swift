import BytesE
import CModuleABI
import CSearch
import DatabaseSections

/// A filter over grams, and for each gram in it the postings that have it: em_gram_table.
struct GramTable {
    private let filterBytes, directory, postings: ByteView
    private let filterShift, bucketShift: UInt64
    /// Number of postings; without any, nothing else may be used.
    let count: Int

    /// - Throws: when a part lies outside the data.
    init(_ head: em_gram_table, _ data: ByteView) throws(DatabaseError) {
        filterShift = 32 - UInt64(min(head.filter_bits, 28))
        bucketShift = 32 - UInt64(min(head.bucket_bits, 28))
        guard head.count > 0 else {
            count = 0
            filterBytes = ByteView()
            directory = ByteView()
            postings = ByteView()
            return
        }
        guard head.filter_bits <= 28, head.bucket_bits <= 28, head.count < UInt64(UInt32.max),
            let postings = data.part(at: head.postings, elements: head.count, size: MemoryLayout<em_posting>.stride),
            let filterBytes = data.part(at: head.filter, elements: 1 << UInt64(head.filter_bits), size: 4),
            let directory = data.part(at: head.directory, elements: 1 << UInt64(head.bucket_bits) + 1, size: 4)
        else { throw DatabaseError(.damaged, section: EM_SECTION_INDEXES, "an index contradicts itself") }
        count = Int(head.count)
        self.filterBytes = filterBytes
        self.directory = directory
        self.postings = postings
    }

    /// What the loop over objects looks at; without words when the table is empty.
    var filter: CSearch_filter {
        guard count > 0, let base = filterBytes.base else { return CSearch_filter() }
        return CSearch_filter(words: UnsafeRawPointer(base), shift: UInt32(truncatingIfNeeded: filterShift))
    }

    /// Asks for what says where the postings of a gram are.
    func prefetchBucket(_ gram: UInt32) {
        if let bucket = bucket(gram) { CSearch_prefetch(bucket) }
    }

    /// Asks for the first posting in the bucket of a gram.
    func prefetchPostings(_ gram: UInt32) {
        guard let bucket = bucket(gram), let postings = postings.base else { return }
        let first = Int(bucket.loadUnaligned(as: UInt32.self))
        if first < count { CSearch_prefetch(UnsafeRawPointer(postings) + first * MemoryLayout<em_posting>.stride) }
    }

    @inline(__always) private func bucket(_ gram: UInt32) -> UnsafeRawPointer? {
        guard let directory = directory.base else { return nil }
        let hash = gram &* EM_GRAM_FACTOR
        return UnsafeRawPointer(directory) + Int(truncatingIfNeeded: UInt64(hash) &>> bucketShift) * 4
    }

    /// Calls `body` for each posting in the bucket of a gram until it says no.
    @inline(__always) func forEach(_ gram: UInt32, _ body: (em_posting) -> Bool) {
        guard let bucket = bucket(gram), let postings = postings.base else { return }
        var i = Int(bucket.loadUnaligned(as: UInt32.self))
        let end = min(count, Int(bucket.loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        while i < end {
            let posting = UnsafeRawPointer(postings).loadUnaligned(
                fromByteOffset: i * MemoryLayout<em_posting>.stride, as: em_posting.self)
            guard body(posting) else { return }
            i += 1
        }
    }
}
