import Bytes
package import Tokens

/// What was learned: how many messages of each kind had each token.
///
/// Its file form ("counts", written by `serialized`) is what training tools exchange: "ESTC", format 1, tokenizer version
/// (32 bits each), messages of spam and ham, number of tokens (64 bits each), then hash (64), spam, ham (32 bits each) for
/// each token in the order of the hashes. All little endian.
package struct TokenStatistics: Sendable, Equatable {
    package private(set) var learned = TokenCounts(spam: 0, ham: 0)
    package private(set) var counts: [UInt64: TokenCounts] = [:]

    package init() {}

    /// What a message is.
    package enum Label: Sendable {
        case spam, ham
    }

    /// Adds a message's tokens, each given once.
    package mutating func add(_ tokens: [UInt64], as label: Label) {
        Self.count(&learned, label, by: 1)
        for token in tokens { Self.count(&counts[token, default: TokenCounts(spam: 0, ham: 0)], label, by: 1) }
    }

    /// Takes a message back that was added under the wrong label.
    package mutating func remove(_ tokens: [UInt64], as label: Label) {
        Self.count(&learned, label, by: -1)
        for token in tokens {
            guard var seen = counts[token] else { continue }
            Self.count(&seen, label, by: -1)
            counts[token] = seen.spam | seen.ham == 0 ? nil : seen
        }
    }

    /// Adds what was learned elsewhere.
    package mutating func merge(_ other: TokenStatistics) {
        func sum(_ a: UInt32, _ b: UInt32) -> UInt32 { UInt32(clamping: UInt64(a) + UInt64(b)) }
        learned = TokenCounts(spam: sum(learned.spam, other.learned.spam), ham: sum(learned.ham, other.learned.ham))
        counts.merge(other.counts) { TokenCounts(spam: sum($0.spam, $1.spam), ham: sum($0.ham, $1.ham)) }
    }

    private static func count(_ counts: inout TokenCounts, _ label: Label, by amount: Int64) {
        switch label {
        case .spam: counts.spam = UInt32(clamping: Int64(counts.spam) + amount)
        case .ham: counts.ham = UInt32(clamping: Int64(counts.ham) + amount)
        }
    }

    // MARK: File

    private static let magic: UInt32 = 0x4354_5345
    private static let headSize = 36
    private static let entrySize = 16

    package func serialized() -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(Self.headSize + counts.count * Self.entrySize)
        func append<T: FixedWidthInteger>(_ value: T) {
            withUnsafeBytes(of: value.littleEndian) { result.append(contentsOf: $0) }
        }
        append(Self.magic)
        append(UInt32(1))
        append(Tokenizer.version)
        append(UInt64(learned.spam))
        append(UInt64(learned.ham))
        append(UInt64(counts.count))
        for (token, seen) in counts.sorted(by: { $0.key < $1.key }) {
            append(token)
            append(seen.spam)
            append(seen.ham)
        }
        return result
    }

    /// Reads the file form.
    package init(serialized bytes: [UInt8], file: String) throws(SpamCompilerError) {
        let problem: String? = bytes.withView { view in
            guard view.load(UInt32.self, at: 0) == Self.magic, view.load(UInt32.self, at: 4) == 1,
                let spam = view.load(UInt64.self, at: 12), let ham = view.load(UInt64.self, at: 20),
                let count = view.load(UInt64.self, at: 28)
            else { return "this is no file of token counts" }
            guard view.load(UInt32.self, at: 8) == Tokenizer.version else {
                return "the counts are of another tokenizer; learn the messages again"
            }
            guard count == UInt64((view.count - Self.headSize) / Self.entrySize),
                (view.count - Self.headSize) % Self.entrySize == 0
            else { return "the file is cut off or has more than it says" }
            learned = TokenCounts(spam: UInt32(clamping: spam), ham: UInt32(clamping: ham))
            for index in 0..<Int(count) {
                let offset = Self.headSize + index * Self.entrySize
                guard let token = view.load(UInt64.self, at: offset), let spam = view.load(UInt32.self, at: offset + 8),
                    let ham = view.load(UInt32.self, at: offset + 12)
                else { return "the file is cut off" }
                counts[token] = TokenCounts(spam: spam, ham: ham)
            }
            return nil
        }
        if let problem { throw SpamCompilerError(file, problem) }
    }
}
