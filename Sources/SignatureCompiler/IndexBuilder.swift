import Bytes
import CModuleABI
import DataModule

/// Makes the indexes over patterns, and the plan which of them to run for which target.
struct IndexBuilder {
    private let table: PatternTable
    private let anchors: [PatternTable.Anchor]
    private let sieves: [Sieve]
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
    ///   - sieves: of all targets, which let their anchors pass.
    ///   - isDeferred: whether the patterns of a slot are left out.
    ///   - isOfRules: whether a slot is one of YARA rules.
    init(
        _ table: PatternTable, anchors: [PatternTable.Anchor], sieves: [Sieve], isDeferred: (UInt32) -> Bool,
        isOfRules: @escaping (UInt32) -> Bool
    ) {
        members = table.patterns.indices.filter { number in
            let pattern = table.patterns[number]
            return pattern.flags & EM_PATTERN_PART == 0 || !isDeferred(pattern.part)
        }
        self.table = table
        self.anchors = anchors
        self.sieves = sieves
        self.isOfRules = isOfRules
    }

    mutating func finish() -> [DatabaseSection] {
        guard !anchors.isEmpty else { return [] }
        var groups = [[Int]](repeating: [], count: Int(EM_TARGET_COUNT))
        for number in members { groups[Int(table.patterns[number].target)].append(number) }
        let general = groups[0]
        var plans = [em_target_plan](repeating: em_target_plan(), count: Int(EM_PLAN_COUNT))
        if !general.isEmpty {
            let index = build(general, sieves[0])
            for target in groups.indices { Self.add(index, to: &plans[target]) }
        }
        for target in 1..<groups.count where !groups[target].isEmpty {
            let own = groups[target]
            if general.count <= max(Self.alwaysRepeated, 4 * own.count) {
                plans[target] = em_target_plan()
                Self.add(build(general + own, sieves[target]), to: &plans[target])
            } else {
                Self.add(build(own, sieves[target]), to: &plans[target])
            }
        }
        let ofRules = general.filter { number in
            let pattern = table.patterns[number]
            return pattern.flags & EM_PATTERN_PART != 0 && isOfRules(pattern.part)
        }
        if !ofRules.isEmpty { Self.add(build(ofRules, sieves[0]), to: &plans[Int(EM_PLAN_RULES_ONLY)]) }
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
    private mutating func build(_ members: [Int], _ sieve: Sieve) -> Int {
        var grams: [(pattern: UInt32, at: Int, following: Int)] = []
        var shorts: [(pattern: UInt32, at: Int)] = []
        var fixed: [em_fixed_pattern] = []
        var folds = false
        for number in members {
            let pattern = UInt32(number)
            folds = folds || table.patterns[number].flags & EM_PATTERN_NOCASE != 0
            switch anchors[number] {
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
        head.grams = addGrams(grams, folds)
        addShorts(shorts, folds, &head)
        if !grams.isEmpty || !shorts.isEmpty {
            // The anchors pass already: this makes it sure.
            var sieve = sieve
            for entry in shorts { sieve.add(pair: pair(entry.at, folds)) }
            for entry in grams { sieve.add(gram(entry.at, folds)) }
            head.sieve = place(sieve.bytes)
        }
        fixed.sort(by: Self.isBefore)
        head.fixed = place(fixed)
        head.fixed_count = UInt64(fixed.count)
        indexes.append(head)
        return indexes.count - 1
    }

    // MARK: - Grams

    private mutating func addGrams(
        _ grams: [(pattern: UInt32, at: Int, following: Int)], _ folds: Bool
    ) -> em_gram_table {
        var table = em_gram_table()
        guard !grams.isEmpty else { return table }
        let lists = GramLists(count: grams.count) { number in
            let entry = grams[number]
            var posting = em_posting()
            posting.low = gram(entry.at, folds)
            let following = value(entry.at + 4, entry.following).0
            posting.high = (folds ? Gram.fold(following) : following) | UInt32(entry.following) << 24
            posting.pattern = entry.pattern
            return posting
        }
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

    /// A filter of so many words (128 KiB) stays in a processor's second cache, with those of other targets.
    private static let largeBits = 15

    /// - Parameter entry: tells the posting of each number below `count`; it is asked twice.
    init(count: Int, _ entry: (Int) -> em_posting) {
        // Between 24 and 43 bits for each gram; of a large one half of that, as beyond a cache a miss costs more than an
        // accident, and the sieve lets few places pass.
        let enough = Bits.atLeast(max(64, count * 3 / 4))
        filterBits = enough > Self.largeBits ? max(Self.largeBits, enough - 1) : enough
        bucketBits = Bits.atLeast(count)
        filter = [UInt32](repeating: 0, count: 1 << filterBits)
        directory = [UInt32](repeating: 0, count: 1 << bucketBits + 1)
        postings = [em_posting](repeating: em_posting(), count: count)
        for number in 0..<count {
            let gram = entry(number).low
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
            let posting = entry(number)
            let bucket = Int(UInt64(posting.low &* EM_GRAM_FACTOR) >> UInt64(32 - bucketBits))
            postings[Int(next[bucket])] = posting
            next[bucket] += 1
        }
    }
}
