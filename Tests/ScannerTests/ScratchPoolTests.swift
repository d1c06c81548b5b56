import Matching
import Testing

@testable import Scanner

@Suite("Working memory that scans share")
struct ScratchPoolTests {
    @Test("what one scan leaves, the next one gets, and nobody else at the same time")
    func isLent() {
        let pool = ScratchPool()
        let first = pool.take()
        let second = pool.take()
        #expect(first !== second)
        pool.give(first)
        let again = pool.take()
        #expect(again === first)
        #expect(pool.take() !== first)
    }

    @Test("many come back, some are kept")
    func isBounded() {
        let pool = ScratchPool()
        weak var last: Scratch?
        do {
            let all = (0..<100).map { _ in pool.take() }
            #expect(Set(all.map { ObjectIdentifier($0) }).count == 100)
            for scratch in all { pool.give(scratch) }
            last = all.last
        }
        // The first ones made room, and the last one is in the first place.
        #expect(last != nil)
        #expect(pool.take() === last)
    }

    @Test("threads take and give at the same time")
    func threads() async {
        let pool = ScratchPool()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<2_000 {
                        let mine = pool.take()
                        pool.give(mine)
                    }
                }
            }
        }
        #expect(!pool.take().isLarge)
    }
}
