import BytesE
import ModuleKit

/// The structures of a UDF file system (ECMA-167 and OSTA UDF) that lead to its files: anchor, partitions, entries.
struct UDFVolume {
    /// A file or a folder: where its bytes lie, in order.
    struct Node {
        let isFolder: Bool
        let size: UInt64
        /// Places in the image; empty ones are holes of so many bytes.
        var extents: [(place: Range<Int>, size: Int)]
    }

    /// Blocks of a partition, by where they are counted from.
    private enum Partition {
        case physical(Int)
        /// In a file whose extents these are.
        case metadata([Range<Int>])
    }

    static let sectorSize = 2048
    private static let mostExtents = 4096

    private let data: ByteView
    private let blockSize: Int
    private var partitions: [Partition] = []
    private(set) var root: (block: UInt32, partition: Int)

    /// Whether sectors 16 and up announce the file system: they lie where ISO 9660 has its own.
    static func isOne(_ data: ByteView) -> Bool {
        for sector in 16..<24 {
            let mark = data.slice(sector * sectorSize + 1, sector * sectorSize + 6)
            if mark.equals(ByteView("NSR02")) || mark.equals(ByteView("NSR03")) { return true }
        }
        return false
    }

    init?(_ data: ByteView) {
        self.data = data
        guard data.load(UInt16.self, at: 256 * Self.sectorSize) == 2,
            let length = data.load(UInt32.self, at: 256 * Self.sectorSize + 16),
            let first = data.load(UInt32.self, at: 256 * Self.sectorSize + 20)
        else { return nil }
        var starts: [(number: UInt16, start: Int)] = []
        var volume: Int?
        for sector in 0..<min(64, Int(length) / Self.sectorSize) {
            let place = (Int(first) + sector) * Self.sectorSize
            guard let tag = data.load(UInt16.self, at: place) else { break }
            if tag == 5, let number = data.load(UInt16.self, at: place + 22),
                let start = data.load(UInt32.self, at: place + 188)
            {
                starts.append((number, Int(start) * Self.sectorSize))
            }
            if tag == 6 { volume = place }
            if tag == 8 { break }
        }
        guard let volume, let size = data.load(UInt32.self, at: volume + 212),
            size == 2048 || size == 512 || size == 4096,
            let set = data.load(UInt32.self, at: volume + 252),
            let setPartition = data.load(UInt16.self, at: volume + 256),
            let maps = data.load(UInt32.self, at: volume + 268)
        else { return nil }
        blockSize = Int(size)
        root = (0, 0)
        var place = volume + 440
        for _ in 0..<min(maps, 8) {
            guard place + 2 <= data.count else { return nil }
            let kind = data[place]
            let number = data.load(UInt16.self, at: place + (kind == 1 ? 4 : 38)) ?? 0
            let start = starts.first { $0.number == number }?.start ?? 0
            if kind == 2, data.slice(place + 5, place + 28).equals(ByteView("*UDF Metadata Partition")) {
                let file = data.load(UInt32.self, at: place + 40) ?? 0
                partitions.append(.physical(start))
                let node = node(block: file, partition: partitions.count - 1)
                partitions[partitions.count - 1] = .metadata((node?.extents ?? []).map { $0.place })
            } else {
                partitions.append(.physical(start))
            }
            place += max(2, Int(data[place + 1]))
        }
        guard let set = offset(set, Int(setPartition)), data.load(UInt16.self, at: set) == 256,
            let block = data.load(UInt32.self, at: set + 404), let partition = data.load(UInt16.self, at: set + 408)
        else { return nil }
        root = (block, Int(partition))
    }

    /// Where a block lies in the image.
    private func offset(_ block: UInt32, _ partition: Int) -> Int? {
        guard partition < partitions.count else { return nil }
        var rest = Int(block) * blockSize
        switch partitions[partition] {
        case .physical(let start): return start + rest < data.count ? start + rest : nil
        case .metadata(let extents):
            for extent in extents {
                if rest < extent.count { return extent.lowerBound + rest }
                rest -= extent.count
            }
            return nil
        }
    }

    /// A file entry (14.9, 14.17).
    func node(block: UInt32, partition: Int) -> Node? {
        guard let place = offset(block, partition), let tag = data.load(UInt16.self, at: place),
            tag == 261 || tag == 266,
            place + 216 <= data.count, let flags = data.load(UInt16.self, at: place + 34),
            let size = data.load(UInt64.self, at: place + 56)
        else { return nil }
        let lengths = place + (tag == 261 ? 168 : 208)
        guard let attributes = data.load(UInt32.self, at: lengths),
            let descriptors = data.load(UInt32.self, at: lengths + 4)
        else { return nil }
        let start = lengths + 8 + Int(attributes)
        var node = Node(isFolder: data[place + 27] == 4, size: size, extents: [])
        let kind = flags & 7
        if kind == 3 {
            let bytes = data.slice(start, start + Int(descriptors)).prefix(Int(clamping: size))
            if !bytes.isEmpty { node.extents.append((start..<start + bytes.count, bytes.count)) }
            return node
        }
        guard kind == 0 || kind == 1 else { return nil }
        var left = size
        var at = start
        while at < start + Int(descriptors), left > 0, node.extents.count < Self.mostExtents,
            let length = data.load(UInt32.self, at: at), let block = data.load(UInt32.self, at: at + 4)
        {
            let bytes = Int(min(UInt64(length & 0x3fff_ffff), left))
            if bytes == 0 { break }
            let other = kind == 1 ? Int(data.load(UInt16.self, at: at + 8) ?? 0) : partition
            at += kind == 1 ? 16 : 8
            left -= UInt64(bytes)
            // Only the first kind is recorded; others are holes.
            if length >> 30 == 0, let from = offset(block, other) {
                node.extents.append((from..<min(data.count, from + bytes), bytes))
            } else {
                node.extents.append((0..<0, bytes))
            }
        }
        return node
    }
}
