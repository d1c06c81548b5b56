import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// The partitions of a disk: those of a master boot record with its logical ones, or of a GUID partition table (UEFI
/// 5.3), and those of an Apple partition map (Inside Macintosh: Devices, chapter 3). Each is an object of its own, in
/// place.
final class PartitionUnpacker: Unpacker {
    private var partitions: [Range<Int>] = []
    private var index = 0
    private var isRead = false

    private static let most = 256

    static var extractor: Extractor {
        Extractor(
            "PARTITIONS",
            identify: { candidate in
                guard isDisk(candidate.data) || mapBlock(candidate.data) != nil else { return nil }
                return Claim(.whole, sureness: 60, type: EM_TYPE_ARCHIVE)
            },
            open: { scan, object, _ throws(ModuleError) in PartitionUnpacker(scan, object, format: "DISK") })
    }

    /// The signature, four entries that are marked as active or not, and one of them that begins in the data. The
    /// first sector of a file system looks otherwise there.
    private static func isDisk(_ data: ByteView) -> Bool {
        guard data.count > 1024, data[510] == 0x55, data[511] == 0xaa, FATVolume(data) == nil else { return false }
        var count = 0
        for entry in 0..<4 {
            let place = 446 + 16 * entry
            guard data[place] & 0x7f == 0, let start = data.load(UInt32.self, at: place + 8) else { return false }
            if data[place + 4] != 0, start > 0, Int(start) * 512 < data.count { count += 1 }
        }
        return count > 0
    }

    /// The size of a block of an Apple partition map, whose first entry stands in the second block. Discs for several
    /// systems may have something else in the first.
    private static func mapBlock(_ data: ByteView) -> Int? {
        for size in [512, 1024, 2048, 4096] {
            guard data.loadBigEndian(UInt32.self, at: size) == 0x504d_0000,
                let count = data.loadBigEndian(UInt32.self, at: size + 4),
                let start = data.loadBigEndian(UInt32.self, at: size + 8), (1...UInt32(most)).contains(count), start > 0
            else { continue }
            return size
        }
        return nil
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        if !isRead {
            isRead = true
            try read()
        }
        guard index < partitions.count else { return false }
        try submit(part(partitions[index]))
        index += 1
        return true
    }

    private func read() throws(ModuleError) {
        if let block = Self.mapBlock(data) { readMap(block) }
        guard Self.isDisk(data) else { return }
        for sector in [512, 2048, 4096] where data.dropFirst(sector).hasPrefix(ByteView("EFI PART")) {
            return readGUIDs(sector)
        }
        for entry in 0..<4 {
            guard let (kind, start, count) = self.entry(446 + 16 * entry) else { continue }
            if kind == 0x05 || kind == 0x0f || kind == 0x85 {
                try readLogical(start)
            } else {
                add(start, count)
            }
        }
    }

    private func entry(_ place: Int) -> (kind: UInt8, start: UInt64, count: UInt64)? {
        guard let start = data.load(UInt32.self, at: place + 8), let count = data.load(UInt32.self, at: place + 12)
        else { return nil }
        return data[place + 4] == 0 ? nil : (data[place + 4], UInt64(start), UInt64(count))
    }

    /// A chain of boot records: one partition relative to the record, the next record relative to the first.
    private func readLogical(_ first: UInt64) throws(ModuleError) {
        var record = first
        for _ in 0..<Self.most {
            try scan.check()
            guard record < UInt64(data.count) / 512 else { return }
            let place = Int(record) * 512
            if let (_, start, count) = entry(place + 446) { add(record + start, count) }
            guard let (_, start, _) = entry(place + 462), start > 0 else { return }
            record = first + start
        }
    }

    /// Each entry says how many there are, and where its partition lies. What is free, and the map itself, is left out.
    private func readMap(_ block: Int) {
        let count = Int(data.loadBigEndian(UInt32.self, at: block + 4) ?? 0)
        for index in 1...max(1, count) {
            let place = index * block
            guard data.loadBigEndian(UInt16.self, at: place) == 0x504d,
                let start = data.loadBigEndian(UInt32.self, at: place + 8),
                let count = data.loadBigEndian(UInt32.self, at: place + 12)
            else { return found(EM_OBJECT_MALFORMED) }
            let kind = data.dropFirst(place + 48)
            let isUnused =
                kind.hasPrefix(ByteView("Apple_Free")) || kind.hasPrefix(ByteView("Apple_partition_map"))
            if !isUnused { add(UInt64(start) * UInt64(block / 512), UInt64(count) * UInt64(block / 512)) }
        }
    }

    private func readGUIDs(_ sector: Int) {
        guard let start = data.load(UInt64.self, at: sector + 72), start < 1 << 40,
            let count = data.load(UInt32.self, at: sector + 80), let size = data.load(UInt32.self, at: sector + 84),
            size >= 128, size <= 4096
        else { return found(EM_OBJECT_MALFORMED) }
        for index in 0..<min(Int(count), Self.most) {
            let place = Int(start) * sector + index * Int(size)
            guard let type = data.load(UInt64.self, at: place), let first = data.load(UInt64.self, at: place + 32),
                let last = data.load(UInt64.self, at: place + 40)
            else { return }
            guard type != 0, first < 1 << 40, last >= first, last < 1 << 40 else { continue }
            add(first * UInt64(sector / 512), (last - first + 1) * UInt64(sector / 512))
        }
    }

    private func add(_ start: UInt64, _ count: UInt64) {
        guard start > 0, start < UInt64(data.count) / 512, count > 0, partitions.count < Self.most else { return }
        let from = Int(start) * 512
        let to = from + Int(min(count, UInt64(data.count - from) / 512 + 1)) * 512
        let place = from..<min(to, data.count)
        // Several tables may name the same.
        if !partitions.contains(place) { partitions.append(place) }
    }
}
