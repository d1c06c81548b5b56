package import CModuleABI
import Tokens

/// The token table of em006: buckets of one cache line, see em_antispam_database.h.
package struct TokenTable {
    package private(set) var buckets: [em_antispam_bucket] = []
    /// Tokens that found no place; none, unless the statistics are damaged.
    package private(set) var dropped = 0
    /// How often the table is doubled to find every token a place near its own.
    private static let attempts = 4
    private static let slots = Int(EM_ANTISPAM_BUCKET_TOKENS)
    /// Readers look no further.
    private static let furthest = 32

    /// - Parameters:
    ///   - statistics: what was learned.
    ///   - minimum: tokens that were seen in fewer messages are left out.
    package init(_ statistics: TokenStatistics, minimum: UInt32 = 1) {
        let kept = statistics.counts.filter { UInt64($0.value.spam) + UInt64($0.value.ham) >= UInt64(minimum) }
            .sorted { $0.key < $1.key }
        guard !kept.isEmpty else { return }
        var size = 1
        while size * Self.slots * 6 < kept.count * 10 { size *= 2 }
        for _ in 0..<Self.attempts {
            buckets = [em_antispam_bucket](repeating: em_antispam_bucket(), count: size)
            if kept.allSatisfy({ insert($0.key, $0.value) }) { return }
            size *= 2
        }
        // Hashes that crowd so much are not the tokenizer's; those that find no place are left out.
        size /= 2
        buckets = [em_antispam_bucket](repeating: em_antispam_bucket(), count: size)
        for (token, seen) in kept where !insert(token, seen) { dropped += 1 }
    }

    private mutating func insert(_ token: UInt64, _ seen: TokenCounts) -> Bool {
        var index = Int(truncatingIfNeeded: token) & (buckets.count - 1)
        for _ in 0..<min(Self.furthest, buckets.count) {
            let isDone = withUnsafeMutableBytes(of: &buckets[index].tokens) { bytes in
                bytes.withMemoryRebound(to: em_antispam_token.self) { tokens in
                    guard let free = tokens.firstIndex(where: { $0.spam | $0.ham == 0 }) else { return false }
                    tokens[free] = em_antispam_token(
                        check: UInt32(truncatingIfNeeded: token >> 32), spam: seen.spam, ham: seen.ham)
                    return true
                }
            }
            if isDone { return true }
            buckets[index].overflow = 1
            index = (index + 1) & (buckets.count - 1)
        }
        return false
    }
}
