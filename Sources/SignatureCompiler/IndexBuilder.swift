import Bytes
import CModuleABI
import DataModule

/// Makes the indexes over patterns, and the plan which of them to run for which target.
struct IndexBuilder {
    private let table: PatternTable
    private let anchors: [PatternTable.Anchor]
    private var indexes: [em_pattern_index] = []
    private var data: [UInt8] = []

    /// A target's own index takes the patterns for any object in, so that one pass is enough, unless these are
    /// many and would be repeated for a few.
    private static let alwaysRepeated = 10_000

    init(_ table: PatternTable, anchors: [PatternTable.Anchor]) {
        self.table = table
        self.anchors = anchors
    }

    mutating func finish() -> [DatabaseSection] {
        guard !anchors.isEmpty else { return [] }
        var groups = [[Int]](repeating: [], count: Int(EM_TARGET_COUNT))
        for (number, pattern) in table.patterns.enumerated() { groups[Int(pattern.target)].append(number) }
        let general = groups[0]
        var plans = [em_target_plan](repeating: em_target_plan(), count: groups.count)
        if !general.isEmpty {
            let indexes = build(general)
            for target in plans.indices { Self.add(indexes, to: &plans[target]) }
        }
        for target in 1..<groups.count where !groups[target].isEmpty {
            let own = groups[target]
            if general.count <= max(Self.alwaysRepeated, 4 * own.count) {
                plans[target] = em_target_plan()
                Self.add(build(general + own), to: &plans[target])
            } else {
                Self.add(build(own), to: &plans[target])
            }
        }
        return [
            DatabaseSection(EM_SECTION_INDEXES, version: EM_SECTION_VERSION, indexes),
            DatabaseSection(EM_SECTION_INDEX_DATA, version: EM_SECTION_VERSION, data),
            DatabaseSection(EM_SECTION_TARGETS, version: EM_SECTION_VERSION, plans),
        ]
    }

    private static func add(_ indexes: [Int], to plan: inout em_target_plan) {
        // At most four: the general ones and the target's own, each once for patterns that ignore case.
        for index in indexes {
            switch plan.count {
            case 0: plan.index.0 = UInt32(index)
            case 1: plan.index.1 = UInt32(index)
            case 2: plan.index.2 = UInt32(index)
            default: plan.index.3 = UInt32(index)
            }
            plan.count += 1
        }
    }

    /// Makes an index for the patterns that tell case, and one for those that do not; returns their numbers.
    private mutating func build(_ members: [Int]) -> [Int] {
        func ignoresCase(_ pattern: Int) -> Bool { table.patterns[pattern].flags & EM_PATTERN_NOCASE != 0 }
        let folded = members.filter(ignoresCase)
        let exact = folded.isEmpty ? members : members.filter { !ignoresCase($0) }
        var indexes: [Int] = []
        if !exact.isEmpty { indexes.append(build(exact, flags: 0)) }
        if !folded.isEmpty { indexes.append(build(folded, flags: EM_INDEX_FOLD)) }
        return indexes
    }

    /// Makes an index; returns its number.
    private mutating func build(_ members: [Int], flags: UInt32) -> Int {
        var windows: [(pattern: Int, at: Int)] = []
        var shorts: [(pattern: Int, at: Int, length: Int)] = []
        var fixed: [em_fixed_pattern] = []
        for pattern in members {
            switch anchors[pattern] {
            case .window(let at): windows.append((pattern, at))
            case .short(let at, let length): shorts.append((pattern, at, length))
            case .place(let at, let length, let distance):
                fixed.append(fixedPattern(pattern, at, length, distance))
            }
        }
        var head = em_pattern_index()
        head.flags = flags
        addWindows(windows, &head)
        addShorts(shorts, &head)
        fixed.sort(by: Self.isBefore)
        head.fixed = place(fixed)
        head.fixed_count = UInt64(fixed.count)
        indexes.append(head)
        return indexes.count - 1
    }

    // MARK: - Long path

    private mutating func addWindows(_ windows: [(pattern: Int, at: Int)], _ head: inout em_pattern_index) {
        guard !windows.isEmpty else { return }
        let count = windows.count * 4
        // Some 24 filter bits or more for each gram: less than one position in a hundred passes by accident.
        let filterBits = Bits.atLeast(max(64, count * 24 / 32))
        let bucketBits = Bits.atLeast(count)
        var filter = [UInt32](repeating: 0, count: 1 << filterBits)
        var postings: [(bucket: Int, posting: em_posting)] = []
        postings.reserveCapacity(count)
        table.bytes.withUnsafeBufferPointer { text in
            for window in windows {
                let low = Gram.of(text, window.at)
                let high = Gram.of(text, window.at + 3) >> 8
                for i in 0..<4 {
                    let hash = Gram.of(text, window.at + i) &* EM_GRAM_FACTOR
                    filter[Int(UInt64(hash) >> UInt64(32 - filterBits))] |= 1 << (hash & 31) | 1 << (hash >> 5 & 31)
                    var posting = em_posting()
                    posting.low = low
                    posting.high = high | UInt32(i) << 24
                    posting.pattern = UInt32(window.pattern)
                    postings.append((Int(UInt64(hash) >> UInt64(32 - bucketBits)), posting))
                }
            }
        }
        let (directory, sorted) = Self.sorted(postings, bits: bucketBits)
        head.filter_bits = UInt32(filterBits)
        head.bucket_bits = UInt32(bucketBits)
        head.filter = place(filter)
        head.directory = place(directory)
        head.postings = place(sorted)
        head.posting_count = UInt64(sorted.count)
    }

    // MARK: - Short path

    private mutating func addShorts(
        _ shorts: [(pattern: Int, at: Int, length: Int)], _ head: inout em_pattern_index
    ) {
        guard !shorts.isEmpty else { return }
        let bucketBits = Bits.atLeast(shorts.count)
        var filter = [UInt8](repeating: 0, count: 8192)
        var postings: [(bucket: Int, posting: em_short_posting)] = []
        for short in shorts {
            var posting = em_short_posting()
            (posting.value, posting.mask) = value(short.at, short.length)
            posting.pattern = UInt32(short.pattern)
            let pair = posting.value & 0xffff
            filter[Int(pair >> 3)] |= 1 << UInt8(pair & 7)
            let hash = UInt64(pair &* EM_GRAM_FACTOR)
            postings.append((Int(hash >> UInt64(32 - bucketBits)), posting))
        }
        let (directory, sorted) = Self.sorted(postings, bits: bucketBits)
        head.short_bucket_bits = UInt32(bucketBits)
        head.short_filter = place(filter)
        head.short_directory = place(directory)
        head.shorts = place(sorted)
        head.short_count = UInt64(sorted.count)
    }

    // MARK: - Fixed path

    private func fixedPattern(_ number: Int, _ at: Int, _ length: Int, _ distance: Int) -> em_fixed_pattern {
        let pattern = table.patterns[number]
        var fixed = em_fixed_pattern()
        let (offset, overflow) = pattern.offset.addingReportingOverflow(Int32(clamping: distance))
        fixed.base = pattern.base
        fixed.section = pattern.section
        fixed.shift = pattern.shift
        fixed.pattern = UInt32(number)
        fixed.offset = overflow ? pattern.offset : offset
        // Without bytes to look at there first, the pattern is always tried.
        guard !overflow else { return fixed }
        fixed.length = UInt8(length)
        (fixed.value, fixed.mask) = value(at, length)
        return fixed
    }

    /// In order of place, then of the bytes looked at; equal ones in order of signature.
    private static func isBefore(_ a: em_fixed_pattern, _ b: em_fixed_pattern) -> Bool {
        if a.base != b.base { return a.base < b.base }
        if a.section != b.section { return a.section < b.section }
        if a.offset != b.offset { return a.offset < b.offset }
        if a.shift != b.shift { return a.shift < b.shift }
        if a.length != b.length { return a.length < b.length }
        return (a.value, a.pattern) < (b.value, b.pattern)
    }

    // MARK: - Tools

    /// Up to four bytes of the table as a little-endian value, and their mask.
    private func value(_ at: Int, _ length: Int) -> (UInt32, UInt32) {
        var value: UInt32 = 0
        for i in 0..<length { value |= UInt32(table.bytes[at + i]) << UInt32(8 * i) }
        return (value, length == 4 ? .max : (1 << UInt32(8 * length)) - 1)
    }

    /// Stable counting sort by bucket.
    private static func sorted<T>(_ postings: [(bucket: Int, posting: T)], bits: Int) -> ([UInt32], [T]) {
        var directory = [UInt32](repeating: 0, count: 1 << bits + 1)
        for (bucket, _) in postings { directory[bucket + 1] += 1 }
        for bucket in 1..<directory.count { directory[bucket] += directory[bucket - 1] }
        var next = directory
        var order = [Int](repeating: 0, count: postings.count)
        for (number, entry) in postings.enumerated() {
            order[Int(next[entry.bucket])] = number
            next[entry.bucket] += 1
        }
        return (directory, order.map { postings[$0].posting })
    }

    /// Adds a table on the next cache line; returns its offset.
    private mutating func place<T: BitwiseCopyable>(_ elements: [T]) -> UInt64 {
        while data.count % Int(EM_DATABASE_ALIGNMENT) != 0 { data.append(0) }
        let offset = data.count
        elements.withUnsafeBytes { data.append(contentsOf: $0) }
        return UInt64(offset)
    }
}
