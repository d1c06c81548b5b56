package import BytesE

/// A compound file (MS-CFB): its directory, and its streams.
///
/// Bounded: chains are followed no further than the file has sectors, the directory no further than
/// `maximumEntries`, a stream no further than the caller says. Damage ends the reading, never traps.
package struct CompoundFile {
    package static let maximumEntries = 16_384

    /// One stream or storage of the directory.
    package struct Entry {
        /// 1 = storage, 2 = stream, 5 = root.
        package let kind: UInt8
        package let start: UInt32
        package let size: Int
        /// Numbers in the directory, or none (0xffffffff): the entries beside it, and the first one inside.
        package let left: UInt32
        package let right: UInt32
        package let child: UInt32
    }

    private let data: ByteView
    private let sectorSize: Int
    private let allocation: [UInt32]
    private let miniCutoff: Int
    private let firstMiniAllocation: UInt32
    /// The directory's entries in its order, unused ones (kind 0) too, so that numbers fit.
    package private(set) var entries: [Entry] = []
    /// Whether the directory has more entries than are read.
    package private(set) var isCut = false
    /// The sectors of the root's stream, which holds the short streams.
    private var miniSectors: [UInt32] = []

    /// Whether the bytes begin as a compound file does.
    package static func isOne(_ data: ByteView) -> Bool { data.load(UInt64.self, at: 0) == 0xe11a_b1a1_e011_cfd0 }

    /// Reads the header, the allocation table's place and the directory; nil when it is no compound file.
    package init?(_ data: ByteView) {
        guard data.count >= 512, CompoundFile.isOne(data),
            let shift = data.load(UInt16.self, at: 30), shift == 9 || shift == 12,
            let directory = data.load(UInt32.self, at: 48), let cutoff = data.load(UInt32.self, at: 56),
            let mini = data.load(UInt32.self, at: 60), let next = data.load(UInt32.self, at: 68)
        else { return nil }
        self.data = data
        sectorSize = 1 << Int(shift)
        miniCutoff = Int(min(cutoff, 4096))
        firstMiniAllocation = mini
        allocation = CompoundFile.allocationSectors(data, sectorSize, next)
        let table = chain(directory, limit: CompoundFile.maximumEntries * 128)
        table.withUnsafeBufferPointer { buffer in readDirectory(ByteView(buffer)) }
        isCut = table.count >= CompoundFile.maximumEntries * 128
        if let root = entries.first(where: { $0.kind == 5 }) {
            var left = (root.size + sectorSize - 1) / sectorSize
            followChain(root.start) { sector in
                miniSectors.append(sector)
                left -= 1
                return left > 0
            }
        }
    }

    private mutating func readDirectory(_ table: ByteView) {
        var offset = 0
        while offset + 128 <= table.count, entries.count < CompoundFile.maximumEntries {
            let length = Int(table.load(UInt16.self, at: offset + 64) ?? 0)
            func number(_ place: Int) -> UInt32 { table.load(UInt32.self, at: offset + place) ?? .max }
            names.append(contentsOf: table.slice(offset, offset + min(64, max(0, length - 2))).buffer)
            ends.append(names.count)
            let kind = table[offset + 66]
            entries.append(
                Entry(
                    kind: kind == 1 || kind == 2 || kind == 5 ? kind : 0, start: number(116), size: Int(number(120)),
                    left: number(68), right: number(72), child: number(76)))
            offset += 128
        }
    }

    // The directory's sectors may lie scattered, so names are copied.
    private var names: [UInt8] = []
    private var ends: [Int] = []

    /// Whether an entry has a name (ASCII, any case).
    package func isNamed(_ index: Int, _ name: StaticString) -> Bool {
        let start = index == 0 ? 0 : ends[index - 1]
        let wanted = ByteView(name)
        guard ends[index] - start == wanted.count * 2 else { return false }
        for position in 0..<wanted.count {
            guard names[start + 2 * position + 1] == 0,
                asciiLowercased(names[start + 2 * position]) == asciiLowercased(wanted[position])
            else { return false }
        }
        return true
    }

    /// Whether the directory has an entry of a kind with a name.
    package func contains(_ name: StaticString, kind: UInt8) -> Bool {
        entries.indices.contains { entries[$0].kind == kind && isNamed($0, name) }
    }

    /// The name of an entry, UTF-16 little-endian as it stands there.
    package func name(_ index: Int) -> [UInt8] {
        Array(names[(index == 0 ? 0 : ends[index - 1])..<ends[index]])
    }

    /// The name in ASCII, anything else as "?".
    package func asciiName(_ index: Int) -> [UInt8] {
        let wide = name(index)
        var result: [UInt8] = []
        var position = 0
        while position + 1 < wide.count {
            result.append(wide[position + 1] == 0 && wide[position] < 0x80 ? wide[position] : 0x3f)
            position += 2
        }
        return result
    }

    /// For each entry, the number of the storage that it lies in; -1 for those that no tree reaches.
    package func parents() -> [Int] {
        var result = [Int](repeating: -1, count: entries.count)
        // Entries still to visit: each is entered once, so damaged links cannot go round.
        var waiting: [(entry: UInt32, parent: Int)] = []
        for (index, entry) in entries.enumerated() where entry.kind == 5 || entry.kind == 1 {
            waiting.append((entry.child, index))
            while let next = waiting.popLast() {
                guard let number = Int(exactly: next.entry), number < entries.count, result[number] < 0 else {
                    continue
                }
                result[number] = next.parent
                waiting.append((entries[number].left, next.parent))
                waiting.append((entries[number].right, next.parent))
            }
        }
        return result
    }

    /// A stream's bytes, at most `limit` of them; what is left of it when its chain is damaged.
    package func stream(_ entry: Entry, limit: Int) -> [UInt8] {
        var result: [UInt8] = []
        read(entry, limit: limit) { piece in
            result.append(contentsOf: piece.buffer)
            return true
        }
        return result
    }

    /// Gives a stream's bytes piece by piece, at most `limit` of them, until the receiver says no.
    package func read(_ entry: Entry, limit: Int = .max, _ receive: (ByteView) -> Bool) {
        var left = min(entry.size, limit)
        guard left > 0 else { return }
        guard entry.size < miniCutoff else {
            followChain(entry.start) { sector in
                let base = (Int(sector) + 1) * sectorSize
                let piece = data.slice(base, base + min(sectorSize, left))
                left -= piece.count
                return receive(piece) && left > 0 && !piece.isEmpty
            }
            return
        }
        let table = MiniTable(self)
        var sector = entry.start
        var seen = 0
        while left > 0, seen <= miniSectors.count * (sectorSize / 64), let piece = miniSector(sector, left) {
            left -= piece.count
            seen += 1
            guard receive(piece), let next = table.next(sector, self) else { return }
            sector = next
        }
    }

    /// Up to 64 bytes of the root's stream.
    private func miniSector(_ number: UInt32, _ most: Int) -> ByteView? {
        let place = Int(number) * 64
        guard place / sectorSize < miniSectors.count else { return nil }
        let base = (Int(miniSectors[place / sectorSize]) + 1) * sectorSize + place % sectorSize
        let piece = data.slice(base, base + min(64, most))
        return piece.isEmpty ? nil : piece
    }

    /// The sectors of the table that links mini sectors.
    private struct MiniTable {
        var sectors: [UInt32] = []

        init(_ file: CompoundFile) {
            let most = file.miniSectors.count * (file.sectorSize / 64) / (file.sectorSize / 4) + 1
            file.followChain(file.firstMiniAllocation) { sector in
                sectors.append(sector)
                return sectors.count < most
            }
        }

        func next(_ sector: UInt32, _ file: CompoundFile) -> UInt32? {
            let perSector = file.sectorSize / 4
            guard Int(sector) / perSector < sectors.count else { return nil }
            let base = (Int(sectors[Int(sector) / perSector]) + 1) * file.sectorSize
            return file.data.load(UInt32.self, at: base + 4 * (Int(sector) % perSector))
        }
    }

    // MARK: Sectors

    private static func allocationSectors(_ data: ByteView, _ sectorSize: Int, _ first: UInt32) -> [UInt32] {
        let sectors = data.count / sectorSize
        var result: [UInt32] = []
        for index in 0..<109 {
            guard let sector = data.load(UInt32.self, at: 76 + 4 * index), Int(sector) < sectors else { break }
            result.append(sector)
        }
        var next = first
        var seen = 0
        while Int(next) < sectors, seen < sectors, result.count < sectors {
            let base = (Int(next) + 1) * sectorSize
            for index in 0..<(sectorSize / 4 - 1) {
                guard let sector = data.load(UInt32.self, at: base + 4 * index), Int(sector) < sectors else { break }
                result.append(sector)
            }
            guard let following = data.load(UInt32.self, at: base + sectorSize - 4) else { break }
            next = following
            seen += 1
        }
        return result
    }

    /// The bytes of a chain of sectors, at most about `limit`.
    private func chain(_ first: UInt32, limit: Int) -> [UInt8] {
        var result: [UInt8] = []
        followChain(first) { sector in
            let base = (Int(sector) + 1) * sectorSize
            result.append(contentsOf: data.slice(base, base + sectorSize).buffer)
            return result.count < limit
        }
        return result
    }

    /// Walks along a chain of sectors, no further than the file has sectors, until the visitor says no.
    private func followChain(_ first: UInt32, _ visit: (UInt32) -> Bool) {
        let perSector = sectorSize / 4
        // The last sector may be cut off.
        let sectors = (data.count - 1) / sectorSize
        var sector = first
        var seen = 0
        while Int(sector) < sectors, seen <= sectors {
            guard visit(sector), Int(sector) / perSector < allocation.count else { return }
            let base = (Int(allocation[Int(sector) / perSector]) + 1) * sectorSize
            guard let next = data.load(UInt32.self, at: base + 4 * (Int(sector) % perSector)) else { return }
            sector = next
            seen += 1
        }
    }
}
