import Bytes
import CModuleABI
import DataModule

/// Makes the indexes over patterns, and the plan which of them to run for which target.
struct IndexBuilder {
    private let table: PatternTable
    private let anchors: [PatternTable.Anchor]
    private let members: [Int]
    private let isOfRules: (UInt32) -> Bool
    private var indexes: [em_pattern_index] = []
    private var data: [DatabaseSection.Piece] = []
    private var dataSize = 0

    /// A target's own index takes the patterns for any object in, so that one pass is enough, unless these are
    /// many and would be repeated for a few.
    private static let alwaysRepeated = 10_000

    /// - Parameters:
    ///   - anchors: of all patterns.
    ///   - isDeferred: whether the patterns of a slot are left out.
    ///   - isOfRules: whether a slot is one of YARA rules.
    init(
        _ table: PatternTable, anchors: [PatternTable.Anchor], isDeferred: (UInt32) -> Bool,
        isOfRules: @escaping (UInt32) -> Bool
    ) {
        members = table.patterns.indices.filter { number in
            let pattern = table.patterns[number]
            return pattern.flags & EM_PATTERN_PART == 0 || !isDeferred(pattern.part)
        }
        self.table = table
        self.anchors = anchors
        self.isOfRules = isOfRules
    }

    mutating func finish() -> [DatabaseSection] {
        guard !anchors.isEmpty else { return [] }
        var groups = [[Int]](repeating: [], count: Int(EM_TARGET_COUNT))
        for number in members { groups[Int(table.patterns[number].target)].append(number) }
        let general = groups[0]
        var plans = [em_target_plan](repeating: em_target_plan(), count: Int(EM_PLAN_COUNT))
        if !general.isEmpty {
            let index = build(general)
            for target in groups.indices { Self.add(index, to: &plans[target]) }
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
        let ofRules = general.filter { number in
            let pattern = table.patterns[number]
            return pattern.flags & EM_PATTERN_PART != 0 && isOfRules(pattern.part)
        }
        if !ofRules.isEmpty { Self.add(build(ofRules), to: &plans[Int(EM_PLAN_RULES_ONLY)]) }
        return [
            DatabaseSection(EM_SECTION_INDEXES, version: EM_INDEXES_VERSION, indexes),
            DatabaseSection(EM_SECTION_INDEX_DATA, version: EM_SECTION_VERSION, count: dataSize, data),
            DatabaseSection(EM_SECTION_TARGETS, version: EM_SECTION_VERSION, plans),
        ]
    }

    private static func add(_ index: Int, to plan: inout em_target_plan) {
        // At most two: the general one and the target's own.
        if plan.count == 0 { plan.index.0 = UInt32(index) } else { plan.index.1 = UInt32(index) }
        plan.count += 1
    }

    /// Makes an index; returns its number. When one of the patterns ignores case, the whole index does, so that the
    /// object is looked at once: the verifier tells case afterwards.
    private mutating func build(_ members: [Int]) -> Int {
        var windows: [(pattern: UInt32, at: Int)] = []
        var spans: [(pattern: UInt32, at: Int, following: Int)] = []
        var grams: [(pattern: UInt32, at: Int, following: Int)] = []
        var shorts: [(pattern: UInt32, at: Int)] = []
        var fixed: [em_fixed_pattern] = []
        var folds = false
        for number in members {
            let pattern = UInt32(number)
            folds = folds || table.patterns[number].flags & EM_PATTERN_NOCASE != 0
            switch anchors[number] {
            case .window(let at): windows.append((pattern, at))
            case .span(let at, let following): spans.append((pattern, at, following))
            case .gram(let at, let following): grams.append((pattern, at, following))
            case .short(let at): shorts.append((pattern, at))
            case .place(let at, let length, let distance):
                fixed.append(fixedPattern(number, at, length, distance))
            }
        }
        if folds {
            for i in fixed.indices { fixed[i].value = Gram.fold(fixed[i].value) }
        }
        var head = em_pattern_index()
        head.flags = folds ? EM_INDEX_FOLD : 0
        head.windows = addWindows(windows, folds)
        head.spans = addGrams(spans, offsets: 2, folds)
        head.grams = addGrams(grams, offsets: 1, folds)
        addShorts(shorts, folds, &head)
        if let sieve = Sieve(grams: grams.map { gram($0.at, folds) }, pairs: shorts.map { pair($0.at, folds) }) {
            head.flags |= EM_INDEX_SIEVE
            head.sieve = place(sieve.bytes)
        }
        fixed.sort(by: Self.isBefore)
        head.fixed = place(fixed)
        head.fixed_count = UInt64(fixed.count)
        indexes.append(head)
        return indexes.count - 1
    }

    // MARK: - Windows, spans and grams

    private mutating func addWindows(_ windows: [(pattern: UInt32, at: Int)], _ folds: Bool) -> em_gram_table {
        add(
            GramLists(count: 4 * windows.count, wordsForEach: 1) { number in
                let window = windows[number / 4]
                var posting = em_posting()
                posting.low = gram(window.at, folds)
                posting.high = gram(window.at + 3, folds) >> 8 | UInt32(number % 4) << 24
                posting.pattern = window.pattern
                return (gram(window.at + number % 4, folds), posting)
            })
    }

    /// - Parameter offsets: grams of each anchor: 2 for spans, 1 for grams.
    private mutating func addGrams(
        _ grams: [(pattern: UInt32, at: Int, following: Int)], offsets: Int, _ folds: Bool
    ) -> em_gram_table {
        add(
            GramLists(count: offsets * grams.count, wordsForEach: 2) { number in
                let entry = grams[number / offsets]
                var posting = em_posting()
                posting.low = gram(entry.at, folds)
                let following = value(entry.at + 4, entry.following).0
                posting.high = folds ? Gram.fold(following) : following
                posting.high |= UInt32(number % offsets | entry.following << 4) << 24
                posting.pattern = entry.pattern
                return (gram(entry.at + number % offsets, folds), posting)
            })
    }

    private mutating func add(_ lists: GramLists) -> em_gram_table {
        var table = em_gram_table()
        guard !lists.postings.isEmpty else { return table }
        table.filter_bits = UInt32(lists.filterBits)
        table.bucket_bits = UInt32(lists.bucketBits)
        table.filter = place(lists.filter)
        table.directory = place(lists.directory)
        table.postings = place(lists.postings)
        table.count = UInt64(lists.postings.count)
        return table
    }

    // MARK: - Short path

    private mutating func addShorts(
        _ shorts: [(pattern: UInt32, at: Int)], _ folds: Bool, _ head: inout em_pattern_index
    ) {
        guard !shorts.isEmpty else { return }
        let bucketBits = Bits.atLeast(shorts.count)
        var filter = [UInt8](repeating: 0, count: 8192)
        var postings: [(bucket: Int, posting: em_short_posting)] = []
        for short in shorts {
            let context = AnchorContext(of: table.patterns[Int(short.pattern)], in: table, folds: folds)
            var posting = em_short_posting()
            posting.value = context.value
            posting.mask = context.mask
            posting.pattern = short.pattern
            posting.before = UInt32(context.before)
            let pair = pair(short.at, folds)
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

    private func gram(_ at: Int, _ folds: Bool) -> UInt32 {
        table.bytes.withUnsafeBufferPointer { folds ? Gram.folded($0, at) : Gram.of($0, at) }
    }

    private func pair(_ at: Int, _ folds: Bool) -> UInt32 {
        let pair = value(at, 2).0
        return folds ? Gram.fold(pair) : pair
    }

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
    private mutating func place<T: BitwiseCopyable & Sendable>(_ elements: [T]) -> UInt64 {
        let gap = -dataSize & (Int(EM_DATABASE_ALIGNMENT) - 1)
        if gap > 0 { data.append(.init([UInt8](repeating: 0, count: gap))) }
        let offset = dataSize + gap
        data.append(.init(elements))
        dataSize = offset + elements.count * MemoryLayout<T>.stride
        return UInt64(offset)
    }
}

/// A filter over grams, and postings in buckets by the hash of their gram.
private struct GramLists {
    let filterBits, bucketBits: Int
    private(set) var filter, directory: [UInt32]
    private(set) var postings: [em_posting]

    /// A filter of so many words (16 KiB) is small.
    private static let smallBits = 12
    /// 512 KiB.
    private static let largeBits = 17

    /// - Parameters:
    ///   - wordsForEach: words of the filter for each gram, or three quarters of that. With one, three places in a thousand
    ///     pass by accident; with two, one in a thousand.
    ///   - entry: tells the gram and the posting of each number below `count`; it is asked twice.
    init(count: Int, wordsForEach: Int, _ entry: (Int) -> (gram: UInt32, posting: em_posting)) {
        // Where that is small, four times as much still stays in a processor's first cache.
        var enough = Bits.atLeast(max(64, count * wordsForEach * 3 / 4))
        // Beyond the second cache, a miss costs more than an accident.
        if enough > Self.largeBits { enough = max(Self.largeBits, enough - 1) }
        filterBits = max(enough, min(Self.smallBits, Bits.atLeast(max(64, 4 * count))))
        bucketBits = Bits.atLeast(count)
        filter = [UInt32](repeating: 0, count: 1 << filterBits)
        directory = [UInt32](repeating: 0, count: 1 << bucketBits + 1)
        postings = [em_posting](repeating: em_posting(), count: count)
        for number in 0..<count {
            let gram = entry(number).gram
            let hash = gram &* EM_GRAM_FACTOR
            let bits = gram &* EM_GRAM_BITS_FACTOR
            filter[Int(UInt64(hash) >> UInt64(32 - filterBits))] |=
                1 << (bits >> 27) | 1 << (bits >> 22 & 31) | 1 << (bits >> 17 & 31)
            directory[Int(UInt64(hash) >> UInt64(32 - bucketBits)) + 1] += 1
        }
        for bucket in 1..<directory.count { directory[bucket] += directory[bucket - 1] }
        // The first free place of each bucket; in the end, each stands where the next bucket begins.
        var next = directory
        for number in 0..<count {
            let (gram, posting) = entry(number)
            let bucket = Int(UInt64(gram &* EM_GRAM_FACTOR) >> UInt64(32 - bucketBits))
            postings[Int(next[bucket])] = posting
            next[bucket] += 1
        }
    }
}
