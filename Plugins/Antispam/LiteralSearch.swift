import BytesE
import CModuleABI

/// Finds all literals of the database in a text in one pass: a bit for each anchor hash decides about most positions
/// without leaving the cache.
final class LiteralSearch {
    private let database: AntispamDatabase
    private var anchored = [UInt64](repeating: 0, count: 1024)
    /// How many comparisons one text may cost; beyond, hostile text would slow the scan.
    private static let comparisons = 4 << 20

    init(_ database: AntispamDatabase) {
        self.database = database
        guard database.literalCount > 0 else { return }
        for hash in 0..<65_536 where !database.literals(anchoredAt: hash).isEmpty {
            anchored[hash >> 6] |= 1 << UInt64(hash & 63)
        }
    }

    /// Which literals (by id) a text has. The text is lower case with single spaces.
    func find(in text: ByteView) -> [Bool] {
        var found = [Bool](repeating: false, count: database.literalCount)
        guard database.literalCount > 0, text.count >= 4, let base = text.base else { return found }
        var left = LiteralSearch.comparisons
        var window = UInt32(base[0]) | UInt32(base[1]) << 8 | UInt32(base[2]) << 16
        var index = 3
        while index < text.count {
            window |= UInt32(base[index]) << 24
            let hash = Int((window &* 0x9e37_79b1) >> 16)
            if anchored[hash >> 6] & (1 << UInt64(hash & 63)) != 0 {
                left -= compare(text, index - 3, hash, &found)
                if left < 0 { return found }
            }
            window >>= 8
            index += 1
        }
        return found
    }

    /// Compares the literals anchored at a position; how many bytes that was.
    private func compare(_ text: ByteView, _ position: Int, _ hash: Int, _ found: inout [Bool]) -> Int {
        var cost = 1
        for index in database.literals(anchoredAt: hash) {
            let literal = database.literal(index)
            if found[Int(literal.id)] { continue }
            let wanted = database.text(literal.text)
            let start = position - Int(literal.anchor)
            cost += 1
            guard start >= 0, start + wanted.count <= text.count else { continue }
            if text.slice(start, start + wanted.count).equals(wanted) { found[Int(literal.id)] = true }
            cost += wanted.count
        }
        return cost
    }
}
