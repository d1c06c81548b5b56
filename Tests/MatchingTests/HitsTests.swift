import CModuleABI
import Matching
import Testing

@Suite("What matched of rules")
struct HitsTests {
    private func slot(limit: UInt32, places: Bool) -> em_slot {
        var slot = em_slot()
        slot.limit = limit
        slot.flags = places ? UInt32(EM_SLOT_PLACES) : 0
        return slot
    }

    @Test func countsAndPlaces() {
        let hits = Hits()
        let all = slot(limit: 10, places: true)
        hits.begin()
        #expect(hits.count(7) == 0 && !hits.contains(7) && hits.first(7) == nil && hits.place(7, 0) == nil)
        for offset in [30, 10, 20, 10, 30] { hits.add(7, .init(offset: offset, length: 3), all) }
        #expect(hits.count(7) == 3 && hits.first(7) == 10 && hits.last(7) == 30)
        #expect((0..<4).map { hits.place(7, $0)?.offset } == [10, 20, 30, nil])
        #expect(hits.number(7, from: 11) == 1 && hits.number(7, from: 31) == 3)
        // What comes later is put in order as well.
        hits.add(7, .init(offset: 5, length: 1), all)
        #expect((0..<4).map { hits.place(7, $0)?.offset } == [5, 10, 20, 30] && !hits.isCut(7))
        hits.begin()
        #expect(hits.count(7) == 0 && hits.slots.isEmpty)
    }

    @Test func limits() {
        let hits = Hits()
        hits.begin()
        let two = slot(limit: 2, places: false)
        for offset in 0..<5 { hits.add(1, .init(offset: offset, length: 1), two) }
        #expect(hits.count(1) == 2 && hits.isFull(1, limit: 2) && hits.isCut(1))
        #expect(!hits.isFull(2, limit: 1))
    }

    @Test func manySlots() {
        let hits = Hits()
        for round in 0..<3 {
            hits.begin()
            for slot in 0..<UInt32(5000) {
                hits.add(slot &* 77, .init(offset: Int(slot) + round, length: 1), self.slot(limit: 1, places: false))
            }
            #expect(hits.slots.count == 5000)
            #expect(
                (0..<UInt32(5000)).allSatisfy { hits.first($0 &* 77) == Int($0) + round && hits.count($0 &* 77) == 1 })
            #expect(hits.count(5000 &* 77) == 0)
        }
    }
}
