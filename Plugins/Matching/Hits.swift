package import CModuleABI

/// What of the rules matched in the object at hand: for each slot (a distinct part, see em_slot) how often and where.
///
/// A slot costs nothing until its part matches. Matches at the same place count once. Places are kept for slots that ask
/// for them (EM_SLOT_PLACES), up to the slot's limit and `placeLimit` for all; what did not fit is told by `isCut`.
///
/// Owned by a `Scratch`, reused from object to object, used by one thread at a time.
package final class Hits {
    /// Where a part matched.
    package struct Place: Equatable, Sendable {
        /// From the object's first byte.
        package let offset: Int
        /// Bytes; the shortest match that the part's gaps allow.
        package let length: Int

        package init(offset: Int, length: Int) {
            self.offset = offset
            self.length = length
        }
    }

    /// Places kept for one object, of all slots together.
    package static let placeLimit = 1 << 20

    private struct Entry {
        var object: UInt32 = 0
        var slot: UInt32 = 0
        var count: UInt32 = 0
        /// Distinct matches that came out of order may be counted twice until `settle`.
        var isOrdered = true
        var isCut = false
        var keepsPlaces = false
        /// Places already in order, at `ordered`; the others are in the chain from `chain` on.
        var isSettled = false
        var first = 0
        var last = 0
        var chain: Int32 = -1
        var ordered: Int32 = 0
    }

    private struct Link {
        var place: Place
        var next: Int32
    }

    private var entries = [Entry](repeating: Entry(), count: 64)
    private var object: UInt32 = 0
    private var links: [Link] = []
    private var ordered: [Place] = []

    /// Slots that have a match, in the order of their first one.
    package private(set) var slots: [UInt32] = []

    package init() {}

    /// Forgets the object before.
    package func begin() {
        slots.removeAll(keepingCapacity: true)
        links.removeAll(keepingCapacity: true)
        ordered.removeAll(keepingCapacity: true)
        object &+= 1
        if object == 0 {
            // The stamp came round: old entries would look new.
            entries = [Entry](repeating: Entry(), count: 64)
            object = 1
        }
    }

    // MARK: - Questions

    /// Matches of a slot, 0 when there are none.
    package func count(_ slot: UInt32) -> Int {
        let index = index(of: slot)
        guard entries[index].object == object else { return 0 }
        settle(index)
        return Int(entries[index].count)
    }

    /// Whether a slot has a match.
    package func contains(_ slot: UInt32) -> Bool { entries[index(of: slot)].object == object }

    /// The lowest offset of a match.
    package func first(_ slot: UInt32) -> Int? {
        let entry = entries[index(of: slot)]
        return entry.object == object ? entry.first : nil
    }

    /// The highest offset of a match that was noted.
    package func last(_ slot: UInt32) -> Int? {
        let entry = entries[index(of: slot)]
        return entry.object == object ? entry.last : nil
    }

    /// Whether a slot has more matches than were noted.
    package func isCut(_ slot: UInt32) -> Bool {
        let entry = entries[index(of: slot)]
        return entry.object == object && entry.isCut
    }

    /// The place of match `number` of a slot, from 0, in order of offsets; nil behind the last.
    /// Only for slots with EM_SLOT_PLACES.
    package func place(_ slot: UInt32, _ number: Int) -> Place? {
        let index = index(of: slot)
        guard entries[index].object == object, entries[index].keepsPlaces else { return nil }
        settle(index)
        guard number >= 0, number < Int(entries[index].count) else { return nil }
        return ordered[Int(entries[index].ordered) + number]
    }

    /// The number of the first match of a slot at `offset` or behind it; `count` when there is none.
    package func number(_ slot: UInt32, from offset: Int) -> Int {
        var low = 0
        var high = count(slot)
        while low < high {
            let middle = low + (high - low) / 2
            if let place = place(slot, middle), place.offset < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: - Notes

    /// Whether a slot needs no more matches.
    package func isFull(_ slot: UInt32, limit: UInt32) -> Bool {
        let entry = entries[index(of: slot)]
        return entry.object == object && entry.count >= limit
    }

    /// Notes a match.
    ///
    /// - Parameters:
    ///   - rule: the slot's em_slot.
    package func add(_ slot: UInt32, _ place: Place, _ rule: em_slot) {
        var index = index(of: slot)
        if entries[index].object != object {
            if (slots.count + 1) * 2 > entries.count {
                grow()
                index = self.index(of: slot)
            }
            slots.append(slot)
            entries[index] = Entry(
                object: object, slot: slot, keepsPlaces: rule.flags & EM_SLOT_PLACES != 0, first: place.offset,
                last: place.offset)
        } else {
            if place.offset == entries[index].last { return }
            entries[index].isSettled = false
        }
        guard entries[index].count < max(1, rule.limit) else {
            entries[index].isCut = true
            return
        }
        if place.offset < entries[index].last { entries[index].isOrdered = false }
        entries[index].first = min(entries[index].first, place.offset)
        entries[index].last = max(entries[index].last, place.offset)
        if entries[index].keepsPlaces {
            guard links.count < Self.placeLimit else {
                entries[index].isCut = true
                return
            }
            links.append(Link(place: place, next: entries[index].chain))
            entries[index].chain = Int32(links.count - 1)
        }
        entries[index].count += 1
    }

    // MARK: - Storage

    private func index(of slot: UInt32) -> Int {
        var index = Int(slot &* 0x9e37_79b1) & (entries.count - 1)
        while entries[index].object == object, entries[index].slot != slot { index = (index + 1) & (entries.count - 1) }
        return index
    }

    private func grow() {
        let old = entries
        entries = [Entry](repeating: Entry(), count: old.count * 2)
        for entry in old where entry.object == object { entries[index(of: entry.slot)] = entry }
    }

    /// Puts the places of a slot in order and takes out those that came twice.
    private func settle(_ index: Int) {
        guard entries[index].keepsPlaces, !entries[index].isSettled else { return }
        let start = ordered.count
        var link = entries[index].chain
        while link >= 0 {
            ordered.append(links[Int(link)].place)
            link = links[Int(link)].next
        }
        ordered[start...].reverse()
        if !entries[index].isOrdered {
            ordered[start...].sort { ($0.offset, $0.length) < ($1.offset, $1.length) }
            var kept = start
            for i in start..<ordered.count where i == start || ordered[i].offset != ordered[kept - 1].offset {
                ordered[kept] = ordered[i]
                kept += 1
            }
            ordered.removeLast(ordered.count - kept)
        }
        entries[index].ordered = Int32(start)
        entries[index].count = UInt32(ordered.count - start)
        entries[index].isSettled = true
    }
}
