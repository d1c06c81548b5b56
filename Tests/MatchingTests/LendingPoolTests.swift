import Lending
import Testing

@Suite("What threads lend each other")
struct LendingPoolTests {
    private final class Thing: Sendable {}

    @Test("what one leaves, the next one gets, and nobody else at the same time")
    func isLent() {
        let pool = LendingPool { Thing() }
        let first = pool.take()
        #expect(pool.take() !== first)
        pool.give(first)
        #expect(pool.take() === first)
        #expect(pool.take() !== first)
    }

    @Test("of many that come back, sixteen are kept")
    func isBounded() {
        let pool = LendingPool { Thing() }
        let all = (0..<100).map { _ in pool.take() }
        let names = Set(all.map { ObjectIdentifier($0) })
        #expect(names.count == 100)
        for thing in all { pool.give(thing) }
        let again = (0..<100).map { _ in pool.take() }
        #expect(again.count { names.contains(ObjectIdentifier($0)) } == 16)
    }

    @Test("nothing is kept beyond the pool")
    func isFreed() {
        weak var kept: Thing?
        do {
            let pool = LendingPool { Thing() }
            let thing = pool.take()
            pool.give(thing)
            kept = thing
        }
        #expect(kept == nil)
    }
}
