package import BytesE

/// A compound file (MS-CFB), read as far as macros need it: the directory and single streams.
///
/// Bounded: chains are followed no further than the file has sectors, the directory no further than
/// `maximumEntries`, a stream no further than the caller says. Damage ends the reading, never traps.
package struct CompoundFile {
    package static let maximumEntries = 4_096

    /// One stream or storage of the directory.
    package struct Entry {
        /// 1 = storage, 2 = stream, 5 = root.
        package let kind: UInt8
        package let start: UInt32
        package let size: Int
    }

    private let data: ByteView
    private let sectorSize: Int
    private let allocation: [UInt32]
    private let miniCutoff: Int
    private let firstMiniAllocation: UInt32
    /// The directory's used entries, in its order.
    package private(set) var entries: [Entry] = []

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
    }

    private mutating func readDirectory(_ table: ByteView) {
        var offset = 0
        while offset + 128 <= table.count, entries.count < CompoundFile.maximumEntries {
            let kind = table[offset + 66]
            if kind == 1 || kind == 2 || kind == 5, let start = table.load(UInt32.self, at: offset + 116),
                let size = table.load(UInt32.self, at: offset + 120),
                let length = table.load(UInt16.self, at: offset + 64)
            {
                names.append(contentsOf: table.slice(offset, offset + min(64, max(0, Int(length) - 2))).buffer)
                ends.append(names.count)
                entries.append(Entry(kind: kind, start: start, size: Int(size)))
            }
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

    /// A stream's bytes, at most `limit` of them; what is left of it when its chain is damaged.
    package func stream(_ entry: Entry, limit: Int) -> [UInt8] {
        let size = min(entry.size, limit)
        guard entry.size < miniCutoff else {
            return Array(chain(entry.start, limit: size).prefix(size))
        }
        guard let root = entries.first(where: { $0.kind == 5 }) else { return [] }
        let container = chain(root.start, limit: min(root.size, 16 << 20))
        let table = chain(firstMiniAllocation, limit: 4 << 20)
        var result: [UInt8] = []
        var sector = entry.start
        while result.count < size, let offset = Int(exactly: sector).map({ $0 << 6 }), offset < container.count {
            result.append(contentsOf: container[offset..<min(container.count, offset + 64)])
            let index = Int(sector) * 4
            guard index + 4 <= table.count else { break }
            sector =
                UInt32(table[index]) | UInt32(table[index + 1]) << 8 | UInt32(table[index + 2]) << 16
                | UInt32(table[index + 3]) << 24
        }
        return Array(result.prefix(size))
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
        let perSector = sectorSize / 4
        let sectors = data.count / sectorSize
        var result: [UInt8] = []
        var sector = Int(first)
        var seen = 0
        while sector < sectors, seen <= sectors, result.count < limit {
            let base = (sector + 1) * sectorSize
            result.append(contentsOf: data.slice(base, base + sectorSize).buffer)
            guard sector / perSector < allocation.count else { break }
            let tableBase = (Int(allocation[sector / perSector]) + 1) * sectorSize
            guard let next = data.load(UInt32.self, at: tableBase + 4 * (sector % perSector)) else { break }
            sector = Int(next)
            seen += 1
        }
        return result
    }
}
