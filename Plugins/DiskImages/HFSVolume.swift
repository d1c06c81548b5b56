import BytesE

/// The layout of an HFS+ or HFSX file system by its volume header (Apple's Technical Note TN1150).
struct HFSVolume {
    /// From the beginning of the file system on: it may lie in one of the older HFS.
    let data: ByteView
    /// Where that is in the object.
    let base: Int
    let blockSize: Int
    let overflow: HFSFork
    let catalog: HFSFork
    let attributes: HFSFork

    private static let headerPlace = 1024

    /// Nil when the bytes are no such file system.
    init?(_ object: ByteView) {
        base = Self.wrapped(in: object) ?? 0
        data = object.dropFirst(base)
        let header = data.slice(Self.headerPlace, Self.headerPlace + 512)
        guard let signature = header.loadBigEndian(UInt16.self, at: 0), signature == 0x482b || signature == 0x4858,
            let version = header.loadBigEndian(UInt16.self, at: 2), version == 4 || version == 5,
            let size = header.loadBigEndian(UInt32.self, at: 40), size >= 512, size <= 1 << 26, size & (size - 1) == 0,
            let overflow = HFSFork(header, at: 192), let catalog = HFSFork(header, at: 272),
            let attributes = HFSFork(header, at: 352)
        else { return nil }
        blockSize = Int(size)
        self.overflow = overflow
        self.catalog = catalog
        self.attributes = attributes
    }

    /// Where in a file system of the older HFS one of HFS+ lies.
    private static func wrapped(in object: ByteView) -> Int? {
        let header = object.slice(headerPlace, headerPlace + 512)
        guard header.loadBigEndian(UInt16.self, at: 0) == 0x4244, header.loadBigEndian(UInt16.self, at: 124) == 0x482b,
            let blockSize = header.loadBigEndian(UInt32.self, at: 20),
            let first = header.loadBigEndian(UInt16.self, at: 28),
            let start = header.loadBigEndian(UInt16.self, at: 126)
        else { return nil }
        return Int(first) * 512 + Int(start) * Int(blockSize)
    }

    /// The bytes of blocks one behind another; fewer when the image ends before.
    func bytes(_ run: HFSRun) -> ByteView {
        let from = run.start * blockSize
        return data.slice(from, from + run.count * blockSize)
    }
}

/// Blocks one behind another.
struct HFSRun {
    /// Both below 2^33.
    let start: Int
    let count: Int

    /// Eight of them, without those that are not used.
    static func list(_ bytes: ByteView, at place: Int) -> [HFSRun] {
        var result: [HFSRun] = []
        for index in 0..<8 {
            guard let start = bytes.loadBigEndian(UInt32.self, at: place + 8 * index),
                let count = bytes.loadBigEndian(UInt32.self, at: place + 8 * index + 4), count > 0
            else { break }
            result.append(HFSRun(start: Int(start), count: Int(count)))
        }
        return result
    }
}

/// One of the two contents of a file.
struct HFSFork {
    static let size = 80

    /// In bytes.
    let size: UInt64
    let blockCount: UInt32
    /// The first runs; further ones stand in a tree of their own.
    let runs: [HFSRun]

    init?(_ bytes: ByteView, at place: Int) {
        guard let size = bytes.loadBigEndian(UInt64.self, at: place),
            let blocks = bytes.loadBigEndian(UInt32.self, at: place + 12), place + Self.size <= bytes.count
        else { return nil }
        self.size = size
        blockCount = blocks
        runs = HFSRun.list(bytes, at: place + 16)
    }
}

/// A file, as the catalog has it.
struct HFSFile {
    /// UTF-16, big-endian.
    let name: ByteView
    let number: UInt32
    /// Its content is not that of its data fork.
    let isCompressed: Bool
    let content: HFSFork
    let resources: HFSFork

    /// Nil when a record of the catalog is not of a file.
    init?(_ record: ByteView) {
        guard let length = record.loadBigEndian(UInt16.self, at: 0), length >= 6,
            let nameLength = record.loadBigEndian(UInt16.self, at: 6)
        else { return nil }
        let body = record.dropFirst(2 + Int(length))
        guard body.loadBigEndian(UInt16.self, at: 0) == 2, let number = body.loadBigEndian(UInt32.self, at: 8),
            let content = HFSFork(body, at: 88), let resources = HFSFork(body, at: 168)
        else { return nil }
        name = record.slice(8, min(8 + 2 * Int(nameLength), 2 + Int(length)))
        self.number = number
        isCompressed = body[41] & 0x20 != 0
        self.content = content
        self.resources = resources
    }
}
