/// The different tokens of one message, in the order in which they were first seen.
///
/// Bounded: what comes after `limit` different tokens is left out, so hostile input costs no more than a
/// long letter does.
package struct TokenSet: Sendable {
    /// The tokens' hashes.
    package private(set) var values: [UInt64] = []
    private var slots: [UInt64]
    private var mask: Int
    private let limit: Int

    /// - Parameter limit: how many different tokens are kept at most.
    package init(limit: Int = 12_000) {
        self.limit = limit
        slots = [UInt64](repeating: 0, count: 1024)
        mask = 1023
        values.reserveCapacity(512)
    }

    /// Adds a token; one that is in the set already changes nothing.
    package mutating func insert(_ token: UInt64) {
        // 0 marks an empty slot.
        let token = token == 0 ? 1 : token
        var index = Int(truncatingIfNeeded: token) & mask
        while slots[index] != 0 {
            if slots[index] == token { return }
            index = (index + 1) & mask
        }
        guard values.count < limit else { return }
        slots[index] = token
        values.append(token)
        if values.count * 2 > slots.count { grow() }
    }

    private mutating func grow() {
        slots = [UInt64](repeating: 0, count: slots.count * 2)
        mask = slots.count - 1
        for token in values {
            var index = Int(truncatingIfNeeded: token) & mask
            while slots[index] != 0 { index = (index + 1) & mask }
            slots[index] = token
        }
    }
}
