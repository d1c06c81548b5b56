import BytesE
import CModuleABI
import DatabaseSections
import Matching

/// Finds out where the strings of rules match, each once for an object and only when a condition asks.
///
/// Texts were matched by the index; programs run where one of their atoms was.
final class StringMatches {
    struct Place {
        var offset, length: Int
    }

    private let tables: RuleTables
    let machine: Machine
    private var object = ByteView()
    private var hits: Hits?
    private var places: [Place] = []
    private var starts: [Int] = []
    /// Where the places of a string are: an open hash table.
    private var entries = [Entry](repeating: Entry(), count: 64)
    private var used = 0
    private var stamp: UInt32 = 0
    /// Work that may still be done for the object.
    private var budget = 0
    /// The work of the object was more than it may cause, or a string has more matches than are noted.
    private(set) var isOverLimit = false
    private(set) var isDamaged = false

    private struct Entry {
        var stamp: UInt32 = 0
        var string: UInt32 = 0
        var first = 0
        var count = 0
    }

    /// Places of all strings of an object.
    private static let placeLimit = 1 << 21

    init(_ tables: RuleTables) {
        self.tables = tables
        machine = Machine(tables)
    }

    /// Begins with an object.
    func begin(_ object: ByteView, _ hits: Hits, budget: Int) {
        self.object = object
        self.hits = hits
        self.budget = budget
        places.removeAll(keepingCapacity: true)
        isOverLimit = false
        isDamaged = false
        used = 0
        stamp &+= 1
        if stamp == 0 {
            for index in entries.indices { entries[index].stamp = 0 }
            stamp = 1
        }
    }

    /// Takes work off the allowance; false when it is used up.
    func spend(_ amount: Int) -> Bool {
        budget -= amount
        if budget < 0 { isOverLimit = true }
        return budget >= 0
    }

    // MARK: - Questions

    func count(_ string: UInt32) -> Int { entry(string).count }

    /// Match `number` of a string, from 0.
    func place(_ string: UInt32, _ number: Int) -> Place? {
        let entry = entry(string)
        return number >= 0 && number < entry.count ? places[entry.first + number] : nil
    }

    /// The matches that begin in a range.
    func count(_ string: UInt32, from low: Int, to high: Int) -> Int {
        guard low <= high else { return 0 }
        let entry = entry(string)
        let first = lowest(entry, from: low)
        guard high < Int.max else { return entry.count - first }
        return lowest(entry, from: high + 1) - first
    }

    /// Whether a string matches; cheaper than its places.
    func isFound(_ string: UInt32) -> Bool {
        guard let hits, let definition = tables.strings.element(Int(string), as: em_yara_string.self) else {
            isDamaged = true
            return false
        }
        // Most strings of a rule have no hit at all.
        var isPossible = false
        for index in 0..<Int(definition.variant_count) {
            guard let variant = variant(definition, index) else { return false }
            if variant.kind == UInt16(EM_YARA_VARIANT_SLOT), variant.a != EM_NO_SLOT {
                guard hits.contains(variant.a) else { continue }
                if definition.flags & EM_YARA_FULLWORD == 0 { return true }
                isPossible = true
            } else if variant.atom_count == 0 || hasAtom(variant) {
                isPossible = true
            }
        }
        return isPossible && entry(string).count > 0
    }

    private func lowest(_ entry: Entry, from offset: Int) -> Int {
        var (low, high) = (0, entry.count)
        while low < high {
            let middle = (low + high) / 2
            if places[entry.first + middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    // MARK: - Cache

    private func entry(_ string: UInt32) -> Entry {
        var slot = Int(string &* 0x9e37_79b1) & (entries.count - 1)
        while entries[slot].stamp == stamp {
            if entries[slot].string == string { return entries[slot] }
            slot = (slot + 1) & (entries.count - 1)
        }
        let first = places.count
        find(string)
        let result = Entry(stamp: stamp, string: string, first: first, count: places.count - first)
        if used * 2 >= entries.count {
            let old = entries
            entries = [Entry](repeating: Entry(), count: old.count * 2)
            for entry in old where entry.stamp == stamp { insert(entry) }
        }
        used += 1
        insert(result)
        return result
    }

    private func insert(_ entry: Entry) {
        var slot = Int(entry.string &* 0x9e37_79b1) & (entries.count - 1)
        while entries[slot].stamp == stamp { slot = (slot + 1) & (entries.count - 1) }
        entries[slot] = entry
    }

    // MARK: - Search

    private func variant(_ string: em_yara_string, _ index: Int) -> em_yara_variant? {
        guard
            let variant = tables.variants.element(Int(string.first_variant) + index, as: em_yara_variant.self)
        else {
            isDamaged = true
            return nil
        }
        return variant
    }

    private func hasAtom(_ variant: em_yara_variant) -> Bool {
        guard let hits else { return false }
        for index in 0..<Int(variant.atom_count) {
            if let atom = tables.atoms.element(Int(variant.first_atom) + index, as: em_yara_atom.self),
                hits.contains(atom.slot)
            {
                return true
            }
        }
        return false
    }

    /// Appends the places of a string, in order and each once.
    private func find(_ number: UInt32) {
        guard let string = tables.strings.element(Int(number), as: em_yara_string.self) else {
            isDamaged = true
            return
        }
        let first = places.count
        let isFullword = string.flags & EM_YARA_FULLWORD != 0
        var index = 0
        while index < Int(string.variant_count), !isOverLimit, let variant = variant(string, index) {
            // How many variants belong to one form.
            var count = 1
            while index + count < Int(string.variant_count), let next = self.variant(string, index + count),
                next.flags & UInt16(EM_YARA_CHAINED) != 0
            {
                count += 1
            }
            if count == 1 { find(variant, isFullword) } else { findChain(string, index, count) }
            index += count
        }
        settle(from: first)
    }

    private func settle(from first: Int) {
        guard places.count - first > 1 else { return }
        var isOrdered = true
        for index in first + 1..<places.count where places[index].offset <= places[index - 1].offset {
            isOrdered = false
        }
        if isOrdered { return }
        places[first...].sort { ($0.offset, $0.length) < ($1.offset, $1.length) }
        var kept = first
        for index in first + 1..<places.count where places[index].offset != places[kept].offset {
            kept += 1
            places[kept] = places[index]
        }
        places.removeLast(places.count - kept - 1)
    }

    private func append(_ offset: Int, _ length: Int) {
        guard places.count < Self.placeLimit else {
            isOverLimit = true
            return
        }
        places.append(Place(offset: offset, length: length))
    }

    private func find(_ variant: em_yara_variant, _ isFullword: Bool) {
        let isWide = variant.flags & UInt16(EM_YARA_WIDE) != 0
        switch UInt32(variant.kind) {
        case EM_YARA_VARIANT_SLOT where variant.a != EM_NO_SLOT: findNoted(variant.a, isFullword, isWide)
        case EM_YARA_VARIANT_SLOT: findText(variant, isFullword, isWide)
        case EM_YARA_VARIANT_PROGRAM: findProgram(variant, isFullword, isWide)
        default: isDamaged = true
        }
    }

    private func findNoted(_ slot: UInt32, _ isFullword: Bool, _ isWide: Bool) {
        guard let hits else { return }
        if hits.isCut(slot) { isOverLimit = true }
        var number = 0
        while let place = hits.place(slot, number), spend(1) {
            number += 1
            if isFullword, !isWord(place.offset, place.offset + place.length, isWide: isWide) { continue }
            append(place.offset, place.length)
        }
    }

    private func findText(_ variant: em_yara_variant, _ isFullword: Bool, _ isWide: Bool) {
        let text = tables.bytes.slice(Int(variant.c), Int(variant.c) + Int(variant.b))
        guard !text.isEmpty, spend(object.count), text.count <= object.count else { return }
        let folds = variant.flags & UInt16(EM_YARA_NOCASE) != 0
        for start in 0...(object.count - text.count) {
            var index = 0
            while index < text.count {
                let byte = object[start + index]
                guard byte == text[index] || (folds && lowercased(byte) == text[index]) else { break }
                index += 1
            }
            guard index == text.count else { continue }
            if isFullword, !isWord(start, start + text.count, isWide: isWide) { continue }
            append(start, text.count)
            if isOverLimit { return }
        }
    }

    private func findProgram(_ variant: em_yara_variant, _ isFullword: Bool, _ isWide: Bool) {
        let program = Program(first: variant.a, count: variant.b, flags: UInt32(variant.flags))
        guard variant.atom_count > 0 else { return findEverywhere(program, isFullword, isWide) }
        guard let hits else { return }
        starts.removeAll(keepingCapacity: true)
        for index in 0..<Int(variant.atom_count) {
            guard let atom = tables.atoms.element(Int(variant.first_atom) + index, as: em_yara_atom.self) else {
                isDamaged = true
                return
            }
            if hits.isCut(atom.slot) { isOverLimit = true }
            var number = 0
            // Matches of one atom come in order: a start is tried once.
            var tried = -1
            while let place = hits.place(atom.slot, number) {
                number += 1
                var start = max(place.offset - Int(atom.most), tried + 1, 0)
                let last = place.offset - Int(atom.least)
                while start <= last {
                    guard starts.count < Self.placeLimit, spend(1) else {
                        isOverLimit = true
                        return
                    }
                    starts.append(start)
                    start += 1
                }
                tried = max(tried, last)
            }
        }
        if variant.atom_count > 1 { starts.sort() }
        var last = -1
        for index in 0..<starts.count where starts[index] != last {
            last = starts[index]
            attempt(program, at: last, isFullword, isWide)
            if isOverLimit { return }
        }
    }

    private func findEverywhere(_ program: Program, _ isFullword: Bool, _ isWide: Bool) {
        let first = machine.firstBytes(program)
        guard spend(object.count) else { return }
        for start in 0..<object.count where first.contains(object[start]) {
            attempt(program, at: start, isFullword, isWide)
            if isOverLimit { return }
        }
    }

    private func attempt(_ program: Program, at start: Int, _ isFullword: Bool, _ isWide: Bool) {
        if isFullword, !isWordStart(start, isWide: isWide) { return }
        let end = machine.run(program, object, at: start) { !isFullword || isWordEnd($0, isWide: isWide) }
        _ = spend(1 + machine.takeWork())
        if let end { append(start, end - start) }
    }

    /// Pieces one after another: each match of the first is one of the string when the others follow.
    private func findChain(_ string: em_yara_string, _ index: Int, _ count: Int) {
        let base = places.count
        var tails: [Place] = []
        for piece in (0..<count).reversed() {
            guard let variant = variant(string, index + piece) else { return }
            let first = places.count
            find(variant, false)
            settle(from: first)
            var found: [Place] = []
            if piece == count - 1 {
                found = Array(places[first...])
            } else if let next = self.variant(string, index + piece + 1) {
                for place in places[first...] {
                    let end = place.offset + place.length
                    let least = end + Int(next.gap_least)
                    // The nearest one that follows.
                    var (low, high) = (0, tails.count)
                    while low < high {
                        let middle = (low + high) / 2
                        if tails[middle].offset < least { low = middle + 1 } else { high = middle }
                    }
                    guard low < tails.count else { break }
                    let tail = tails[low]
                    if next.gap_most != EM_GAP_UNBOUNDED, tail.offset > end + Int(next.gap_most) { continue }
                    found.append(Place(offset: place.offset, length: tail.offset + tail.length - place.offset))
                }
            }
            places.removeLast(places.count - base)
            tails = found
            if tails.isEmpty || isOverLimit { return }
        }
        for place in tails { append(place.offset, place.length) }
    }

    // MARK: - Words

    private func isWord(_ start: Int, _ end: Int, isWide: Bool) -> Bool {
        isWordStart(start, isWide: isWide) && isWordEnd(end, isWide: isWide)
    }

    private func isWordStart(_ start: Int, isWide: Bool) -> Bool {
        if isWide { return start < 2 || object[start - 1] != 0 || !isAlphanumeric(object[start - 2]) }
        return start < 1 || !isAlphanumeric(object[start - 1])
    }

    private func isWordEnd(_ end: Int, isWide: Bool) -> Bool {
        if isWide { return end + 1 >= object.count || object[end + 1] != 0 || !isAlphanumeric(object[end]) }
        return end >= object.count || !isAlphanumeric(object[end])
    }
}

func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
