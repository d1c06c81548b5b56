package import BytesE
import CModuleABI
package import TokensE

/// em006, used in place. Opening checks every offset, index and count that reading follows later, so that a
/// damaged database is refused as a whole and reading needs no more doubt.
package struct AntispamDatabase {
    let bytes: ByteView
    private let text: ByteView
    private let rules: ByteView
    private let predicates: ByteView
    private let operands: ByteView
    private let literals: ByteView
    private let anchors: ByteView
    private let buckets: ByteView
    private let bucketMask: UInt64
    /// What was learned; zeros when the token table is of another tokenizer.
    package let learned: TokenCounts
    package let ruleCount: Int
    package let literalCount: Int

    /// Opens a database; throws the name of the first check that failed.
    package init(_ bytes: ByteView) throws(DatabaseDefect) {
        self.bytes = bytes
        guard let magic = bytes.load(UInt32.self, at: 0), magic == EM_DATABASE_MAGIC,
            let size = bytes.load(UInt64.self, at: 16), size <= UInt64(bytes.count),
            bytes.load(UInt32.self, at: 8) == EM_DATABASE_ANTISPAM
        else { throw .header }
        guard bytes.load(UInt32.self, at: 12) == EM_ANTISPAM_FORMAT else { throw .version }
        let directory = try Directory(bytes.prefix(Int(size)))
        text = try directory.section(EM_ANTISPAM_SECTION_TEXT, of: 1)
        rules = try directory.section(EM_ANTISPAM_SECTION_RULES, of: MemoryLayout<em_antispam_rule>.size)
        predicates = try directory.section(EM_ANTISPAM_SECTION_PREDICATES, of: MemoryLayout<em_antispam_predicate>.size)
        operands = try directory.section(EM_ANTISPAM_SECTION_OPERANDS, of: MemoryLayout<em_antispam_text>.size)
        literals = try directory.section(EM_ANTISPAM_SECTION_LITERALS, of: MemoryLayout<em_antispam_literal>.size)
        anchors = try directory.section(EM_ANTISPAM_SECTION_ANCHORS, of: 4)
        buckets = try directory.section(EM_ANTISPAM_SECTION_TOKENS, of: MemoryLayout<em_antispam_bucket>.size)
        let totals = try directory.section(EM_ANTISPAM_SECTION_LEARNED, of: MemoryLayout<em_antispam_learned>.size)
        ruleCount = rules.count / MemoryLayout<em_antispam_rule>.size
        literalCount = literals.count / MemoryLayout<em_antispam_literal>.size
        let bucketCount = buckets.count / MemoryLayout<em_antispam_bucket>.size
        guard bucketCount & (bucketCount - 1) == 0 || bucketCount == 0 else { throw .tokens }
        bucketMask = bucketCount == 0 ? 0 : UInt64(bucketCount - 1)
        if let spam = totals.load(UInt64.self, at: 0), let ham = totals.load(UInt64.self, at: 8), bucketCount > 0,
            totals.load(UInt32.self, at: 16) == Tokenizer.version
        {
            learned = TokenCounts(spam: UInt32(clamping: spam), ham: UInt32(clamping: ham))
        } else {
            learned = TokenCounts(spam: 0, ham: 0)
        }
        try checkRules()
        try checkLiterals()
    }

    // MARK: Elements

    func rule(_ index: Int) -> em_antispam_rule { element(rules, index) }
    func predicate(_ index: Int) -> em_antispam_predicate { element(predicates, index) }
    func operand(_ index: Int) -> em_antispam_text { element(operands, index) }
    func literal(_ index: Int) -> em_antispam_literal { element(literals, index) }

    func text(_ place: em_antispam_text) -> ByteView {
        text.slice(Int(place.offset), Int(place.offset) + Int(place.length))
    }

    /// The literals whose anchor has a hash.
    func literals(anchoredAt hash: Int) -> Range<Int> {
        guard let low = anchors.load(UInt32.self, at: 4 * hash), let high = anchors.load(UInt32.self, at: 4 * hash + 4)
        else { return 0..<0 }
        return Int(low)..<Int(high)
    }

    /// What was learned about a token; zeros when nothing was.
    package func counts(_ token: UInt64) -> TokenCounts {
        guard !buckets.isEmpty else { return TokenCounts(spam: 0, ham: 0) }
        let check = UInt32(truncatingIfNeeded: token >> 32)
        var index = token & bucketMask
        // The table is never full, so this ends; the count is for damaged ones.
        for _ in 0...min(bucketMask, 64) {
            let base = Int(index) * MemoryLayout<em_antispam_bucket>.size
            for slot in 0..<Int(EM_ANTISPAM_BUCKET_TOKENS) {
                let offset = base + slot * MemoryLayout<em_antispam_token>.size
                guard buckets.load(UInt32.self, at: offset) == check,
                    let spam = buckets.load(UInt32.self, at: offset + 4),
                    let ham = buckets.load(UInt32.self, at: offset + 8), spam | ham != 0
                else { continue }
                return TokenCounts(spam: spam, ham: ham)
            }
            guard buckets.load(UInt32.self, at: base + 60) == 1 else { break }
            index = (index + 1) & bucketMask
        }
        return TokenCounts(spam: 0, ham: 0)
    }

    private func element<T: BitwiseCopyable>(_ section: ByteView, _ index: Int) -> T {
        let offset = index * MemoryLayout<T>.size
        guard let base = section.base, index >= 0, offset <= section.count - MemoryLayout<T>.size else {
            fatalError("AntispamDatabase: index out of range")
        }
        return UnsafeRawPointer(base + offset).loadUnaligned(as: T.self)
    }

    // MARK: Checks

    private func isInside(_ place: em_antispam_text) -> Bool {
        UInt64(place.offset) + UInt64(place.length) <= UInt64(text.count)
    }

    private func checkRules() throws(DatabaseDefect) {
        let predicateCount = predicates.count / MemoryLayout<em_antispam_predicate>.size
        let operandCount = operands.count / MemoryLayout<em_antispam_text>.size
        for index in 0..<ruleCount {
            let rule = rule(index)
            guard isInside(rule.name), isInside(rule.description), rule.name.length > 0,
                UInt64(rule.first_predicate) + UInt64(rule.predicate_count) <= UInt64(predicateCount)
            else { throw .rules }
            for number in 0..<Int(rule.predicate_count) {
                let predicate = predicate(Int(rule.first_predicate) + number)
                guard isInside(predicate.name),
                    UInt64(predicate.first_operand) + UInt64(predicate.operand_count) <= UInt64(operandCount)
                else { throw .predicates }
                for position in 0..<Int(predicate.operand_count) {
                    let operand = operand(Int(predicate.first_operand) + position)
                    switch UInt32(predicate.subject) {
                    case EM_ANTISPAM_BODY: guard operand.offset < literalCount else { throw .operands }
                    case EM_ANTISPAM_RULE: guard operand.offset < index else { throw .operands }
                    default: guard isInside(operand) else { throw .operands }
                    }
                }
            }
        }
    }

    private func checkLiterals() throws(DatabaseDefect) {
        guard literalCount > 0 else { return }
        guard anchors.count == 4 * (Int(EM_ANTISPAM_ANCHORS) + 1) else { throw .anchors }
        var before: UInt32 = 0
        for hash in 0...Int(EM_ANTISPAM_ANCHORS) {
            guard let value = anchors.load(UInt32.self, at: 4 * hash), value >= before, value <= literalCount else {
                throw .anchors
            }
            before = value
        }
        for index in 0..<literalCount {
            let literal = literal(index)
            guard isInside(literal.text), literal.id < literalCount,
                UInt64(literal.anchor) + 4 <= UInt64(literal.text.length)
            else { throw .literals }
        }
    }
}

/// What is wrong with a database.
package enum DatabaseDefect: Error {
    case header, version, directory, tokens, rules, predicates, operands, anchors, literals

    /// A sentence for the log.
    package var sentence: StaticString {
        switch self {
        case .header: "em006: the header is damaged or of another kind"
        case .version: "em006: the format is of another version than this module reads"
        case .directory: "em006: a section is missing, damaged or of another version"
        case .tokens: "em006: the token table's size is no power of two"
        case .rules: "em006: a rule points outside"
        case .predicates: "em006: a predicate points outside"
        case .operands: "em006: an operand points outside"
        case .anchors: "em006: the anchor index is damaged"
        case .literals: "em006: a literal points outside"
        }
    }
}

/// The sections of a database.
private struct Directory {
    let bytes: ByteView
    let count: Int

    init(_ bytes: ByteView) throws(DatabaseDefect) {
        guard let headerSize = bytes.load(UInt32.self, at: 4), headerSize == 48,
            let count = bytes.load(UInt32.self, at: 40), count <= 64
        else { throw .directory }
        self.bytes = bytes
        self.count = Int(count)
    }

    func section(_ id: UInt32, of size: Int) throws(DatabaseDefect) -> ByteView {
        for index in 0..<count {
            let base = 48 + 32 * index
            guard let found = bytes.load(UInt32.self, at: base), found == id else { continue }
            guard bytes.load(UInt32.self, at: base + 4) == 1, let offset = bytes.load(UInt64.self, at: base + 8),
                let length = bytes.load(UInt64.self, at: base + 16),
                let elements = bytes.load(UInt64.self, at: base + 24),
                offset <= UInt64(bytes.count), length <= UInt64(bytes.count) - offset,
                length % UInt64(size) == 0, elements == length / UInt64(size)
            else { throw .directory }
            return bytes.slice(Int(offset), Int(offset) + Int(length))
        }
        throw .directory
    }
}
