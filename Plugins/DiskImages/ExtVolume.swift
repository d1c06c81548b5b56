import BytesE

/// The layout of an ext2, ext3 or ext4 file system (the Linux kernel's "ext4 Data Structures and Algorithms").
struct ExtVolume {
    let data: ByteView
    let blockSize: Int
    private let inodesPerGroup: UInt32
    private let inodeCount: UInt32
    private let inodeSize: Int
    private let descriptorSize: Int
    private let descriptors: Int

    static let root: UInt32 = 2

    static func isOne(_ data: ByteView) -> Bool {
        data.load(UInt16.self, at: 1080) == 0xef53 && data.count >= 4096
    }

    /// Nil when the bytes are no such file system.
    init?(_ data: ByteView) {
        guard Self.isOne(data), let inodes = data.load(UInt32.self, at: 1024),
            let first = data.load(UInt32.self, at: 1044),
            let scale = data.load(UInt32.self, at: 1048), scale <= 6, first <= 1,
            let perGroup = data.load(UInt32.self, at: 1064), perGroup > 0,
            let revision = data.load(UInt32.self, at: 1100), let features = data.load(UInt32.self, at: 1120),
            let size = data.load(UInt16.self, at: 1112), let descriptorSize = data.load(UInt16.self, at: 1278)
        else { return nil }
        self.data = data
        blockSize = 1024 << Int(scale)
        inodesPerGroup = perGroup
        inodeCount = inodes
        inodeSize = revision == 0 ? 128 : Int(size)
        self.descriptorSize = features & 0x80 != 0 ? Int(descriptorSize) : 32
        descriptors = (Int(first) + 1) * blockSize
        guard inodeSize >= 128, inodeSize <= blockSize, self.descriptorSize >= 32 else { return nil }
    }

    func block(_ number: UInt64) -> Int? {
        number > 0 && number < UInt64(data.count / blockSize + 1) ? Int(number) * blockSize : nil
    }

    func inode(_ number: UInt32) -> ExtInode? {
        guard number >= 1, number <= inodeCount else { return nil }
        let group = Int((number - 1) / inodesPerGroup)
        let descriptor = descriptors + group * descriptorSize
        guard let low = data.load(UInt32.self, at: descriptor + 8) else { return nil }
        var table = UInt64(low)
        if descriptorSize >= 64, let high = data.load(UInt32.self, at: descriptor + 40) { table |= UInt64(high) << 32 }
        guard let start = block(table) else { return nil }
        let place = start + Int((number - 1) % inodesPerGroup) * inodeSize
        let bytes = data.slice(place, place + inodeSize)
        return bytes.count == inodeSize ? ExtInode(bytes, at: place) : nil
    }

    /// Blocks one behind another; `start` 0 is a hole.
    struct Run {
        var start: UInt64
        var count: Int
    }

    /// Where the content of a file lies, up to its size or the bounds.
    func runs(_ inode: ExtInode) -> [Run] {
        let blocks = Int(clamping: min(inode.size, UInt64(1) << 44) / UInt64(blockSize)) + 1
        var list = RunList(left: blocks, work: data.count / 4 + 1024)
        if inode.usesExtents {
            readExtents(inode.map, depth: 0, &list)
        } else {
            for index in 0..<12 { list.add(UInt64(inode.map.load(UInt32.self, at: 4 * index) ?? 0)) }
            for level in 1...3 {
                readBlocks(UInt64(inode.map.load(UInt32.self, at: 44 + 4 * level) ?? 0), level, &list)
            }
        }
        return list.runs
    }

    /// Runs that are being collected.
    private struct RunList {
        private(set) var runs: [Run] = []
        private(set) var blocks = 0
        /// Blocks that are still wanted.
        private(set) var left: Int
        /// Entries that may still be looked at: in an honest file system each stands in the data once.
        var work: Int

        private static let most = 1 << 16

        init(left: Int, work: Int) {
            self.left = left
            self.work = work
        }

        mutating func add(_ number: UInt64, count: Int = 1) {
            guard left > 0, runs.count < Self.most else {
                left = 0
                return
            }
            let count = min(count, left)
            left -= count
            blocks += count
            let follows = runs.last.map {
                number == 0 ? $0.start == 0 : $0.start > 0 && $0.start + UInt64($0.count) == number
            }
            if follows == true {
                runs[runs.count - 1].count += count
            } else {
                runs.append(Run(start: number, count: count))
            }
        }
    }

    /// Blocks of numbers of blocks.
    private func readBlocks(_ number: UInt64, _ level: Int, _ list: inout RunList) {
        guard list.left > 0, list.work > 0 else { return }
        let each = blockSize / 4
        guard let place = block(number) else {
            var count = 1
            for _ in 0..<level { count *= each }
            return list.add(0, count: count)
        }
        for index in 0..<each where list.left > 0 && list.work > 0 {
            list.work -= 1
            let next = UInt64(data.load(UInt32.self, at: place + 4 * index) ?? 0)
            if level == 1 { list.add(next) } else { readBlocks(next, level - 1, &list) }
        }
    }

    /// A tree of extents: a header of 12 bytes and entries of 12.
    private func readExtents(_ node: ByteView, depth: Int, _ list: inout RunList) {
        guard depth <= 5, node.load(UInt16.self, at: 0) == 0xf30a, let count = node.load(UInt16.self, at: 2),
            let level = node.load(UInt16.self, at: 6)
        else { return }
        for index in 0..<Int(count) {
            let entry = 12 + 12 * index
            guard let first = node.load(UInt32.self, at: entry), list.left > 0, list.work > 0 else { return }
            list.work -= 1
            if level > 0 {
                guard let low = node.load(UInt32.self, at: entry + 4), let high = node.load(UInt16.self, at: entry + 8)
                else { return }
                guard let place = block(UInt64(low) | UInt64(high) << 32) else { continue }
                readExtents(data.slice(place, place + blockSize), depth: depth + 1, &list)
                continue
            }
            guard let length = node.load(UInt16.self, at: entry + 4), let high = node.load(UInt16.self, at: entry + 6),
                let low = node.load(UInt32.self, at: entry + 8)
            else { return }
            if Int(first) > list.blocks { list.add(0, count: Int(first) - list.blocks) }
            // Longer ones are set aside, and not written to yet.
            let isWritten = length <= 0x8000
            list.add(
                isWritten ? UInt64(low) | UInt64(high) << 32 : 0, count: isWritten ? Int(length) : Int(length) - 0x8000)
        }
    }
}

/// A file as its inode has it.
struct ExtInode {
    let mode: UInt16
    let size: UInt64
    private let flags: UInt32
    /// Numbers of blocks, extents, or the content itself; 60 bytes.
    let map: ByteView
    /// Where these lie.
    let mapPlace: Int
    private let bytes: ByteView

    init(_ bytes: ByteView, at place: Int) {
        self.bytes = bytes
        mode = bytes.load(UInt16.self, at: 0) ?? 0
        size = UInt64(bytes.load(UInt32.self, at: 4) ?? 0) | UInt64(bytes.load(UInt32.self, at: 108) ?? 0) << 32
        flags = bytes.load(UInt32.self, at: 32) ?? 0
        map = bytes.slice(40, 100)
        mapPlace = place + 40
    }

    var isDirectory: Bool { mode & 0xf000 == 0x4000 }
    var isFile: Bool { mode & 0xf000 == 0x8000 }
    var usesExtents: Bool { flags & 0x8_0000 != 0 }
    var isInline: Bool { flags & 0x1000_0000 != 0 }
    var isEncrypted: Bool { flags & 0x800 != 0 }

    /// Where content lies that is kept in the inode: in the place of the map, and the rest in the attribute "system.data".
    var inlinePlaces: [Range<Int>] {
        var places = [mapPlace..<mapPlace + 60]
        let start = 128 + Int(bytes.load(UInt16.self, at: 128) ?? 0)
        guard bytes.load(UInt32.self, at: start) == 0xea02_0000 else { return places }
        let attributes = bytes.dropFirst(start + 4)
        var entry = 0
        while let head = attributes.load(UInt32.self, at: entry), head != 0,
            let size = attributes.load(UInt32.self, at: entry + 8)
        {
            let nameSize = Int(head & 0xff)
            let value = Int(head >> 16)
            // The name's beginning is a number: 7 for "system.".
            if head >> 8 & 0xff == 7, attributes.slice(entry + 16, entry + 16 + nameSize).equals(ByteView("data")) {
                let first = mapPlace - 40 + start + 4 + value
                places.append(first..<(first + min(Int(size), max(0, attributes.count - value))))
                break
            }
            entry += 16 + (nameSize + 3) & ~3
        }
        return places
    }
}
