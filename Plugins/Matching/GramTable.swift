import BytesE
import CModuleABI
import CSearch

/// A filter over grams, and for each gram in it the postings that have it. See em_pattern_index.
struct GramTable {
    private let filterBytes, directory, postings: ByteView
    private let filterShift, bucketShift: UInt64
    /// Number of postings; without any, nothing else may be used.
    let count: Int

    /// - Throws: when a part lies outside the data.
    init(
        _ data: ByteView, filterBits: UInt32, bucketBits: UInt32, filter: UInt64, directory: UInt64,
        postings: UInt64, count: UInt64
    ) throws(DatabaseError) {
        filterShift = 32 - UInt64(min(filterBits, 28))
        bucketShift = 32 - UInt64(min(bucketBits, 28))
        guard count > 0 else {
            self.count = 0
            filterBytes = ByteView()
            self.directory = ByteView()
            self.postings = ByteView()
            return
        }
        guard filterBits <= 28, bucketBits <= 28, count < UInt64(UInt32.max),
            let postings = data.part(at: postings, elements: count, size: MemoryLayout<em_posting>.stride),
            let filterBytes = data.part(at: filter, elements: 1 << UInt64(filterBits), size: 4),
            let directory = data.part(at: directory, elements: 1 << UInt64(bucketBits) + 1, size: 4)
        else { throw DatabaseError(.damaged, section: EM_SECTION_INDEXES, "an index contradicts itself") }
        self.count = Int(count)
        self.filterBytes = filterBytes
        self.directory = directory
        self.postings = postings
    }

    /// What the loop over objects looks at; without words when the table is empty.
    var filter: CSearch_filter {
        guard count > 0, let base = filterBytes.base else { return CSearch_filter() }
        return CSearch_filter(words: UnsafeRawPointer(base), shift: UInt32(truncatingIfNeeded: filterShift))
    }

    /// Whether a gram with this hash may be in the table.
    func mayHave(_ hash: UInt32) -> Bool {
        guard count > 0, let base = filterBytes.base else { return false }
        // The shift leaves no more bits than the filter has words.
        let word = UnsafeRawPointer(base).loadUnaligned(
            fromByteOffset: Int(truncatingIfNeeded: UInt64(hash) &>> filterShift) &* 4, as: UInt32.self)
        return (word &>> (hash & 31)) & (word &>> ((hash &>> 5) & 31)) & 1 != 0
    }

    /// Calls `body` for each posting in the bucket of a hash until it says no.
    @inline(__always) func forEach(_ hash: UInt32, _ body: (em_posting) -> Bool) {
        guard let directory = directory.base, let postings = postings.base else { return }
        let bucket = UnsafeRawPointer(directory) + Int(truncatingIfNeeded: UInt64(hash) &>> bucketShift) * 4
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
