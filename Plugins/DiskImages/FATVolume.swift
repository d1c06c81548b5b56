import BytesE

/// The layout of a FAT file system, by its first sector.
struct FATVolume {
    let data: ByteView
    /// 12, 16 or 32: by the number of clusters and nothing else.
    let bits: Int
    let clusterSize: Int
    /// The root directory of FAT12 and FAT16.
    let root: Range<Int>
    /// That of FAT32.
    let rootCluster: Int
    private let table: Int
    private let firstData: Int
    private let clusters: Int

    /// Nil when the bytes are no such file system.
    init?(_ data: ByteView) {
        guard data.count >= 512, data[0] == 0xeb || data[0] == 0xe9, let sector = data.load(UInt16.self, at: 11),
            sector == 512 || sector == 1024 || sector == 2048 || sector == 4096,
            let reserved = data.load(UInt16.self, at: 14), reserved > 0, (1...2).contains(data[16]),
            let rootEntries = data.load(UInt16.self, at: 17), let small = data.load(UInt16.self, at: 19),
            let tableSize16 = data.load(UInt16.self, at: 22), let large = data.load(UInt32.self, at: 32),
            let tableSize32 = data.load(UInt32.self, at: 36), let root = data.load(UInt32.self, at: 44)
        else { return nil }
        let perCluster = Int(data[13])
        guard perCluster > 0, perCluster & (perCluster - 1) == 0, data[21] == 0xf0 || data[21] >= 0xf8 else {
            return nil
        }
        let sectorSize = Int(sector)
        let tableSize = tableSize16 != 0 ? Int(tableSize16) : Int(tableSize32)
        let sectors = small != 0 ? Int(small) : Int(large)
        let rootSize = (Int(rootEntries) * 32 + sectorSize - 1) / sectorSize
        let firstRoot = Int(reserved) + Int(data[16]) * tableSize
        guard tableSize > 0, sectors > firstRoot + rootSize else { return nil }
        self.data = data
        clusterSize = perCluster * sectorSize
        table = Int(reserved) * sectorSize
        firstData = (firstRoot + rootSize) * sectorSize
        clusters = (sectors - firstRoot - rootSize) / perCluster
        bits = clusters < 4085 ? 12 : clusters < 65525 ? 16 : 32
        rootCluster = Int(root)
        self.root = firstRoot * sectorSize..<(firstRoot + rootSize) * sectorSize
        guard table < data.count, bits != 32 || tableSize16 == 0 else { return nil }
    }

    /// Where a cluster lies; nil when there is none of that number. It may reach beyond the data's end.
    func range(of cluster: Int) -> Range<Int>? {
        guard cluster >= 2, cluster - 2 < clusters else { return nil }
        let start = firstData + (cluster - 2) * clusterSize
        guard start < data.count else { return nil }
        return start..<start + clusterSize
    }

    /// The cluster that follows in a file; nil at its end.
    func next(after cluster: Int) -> Int? {
        let value: Int?
        switch bits {
        case 12:
            let pair = data.load(UInt16.self, at: table + cluster + cluster / 2).map { Int($0) }
            value = pair.map { cluster & 1 == 0 ? $0 & 0xfff : $0 >> 4 }
        case 16: value = data.load(UInt16.self, at: table + 2 * cluster).map { Int($0) }
        default: value = data.load(UInt32.self, at: table + 4 * cluster).map { Int($0 & 0x0fff_ffff) }
        }
        guard let value, value >= 2, value - 2 < clusters else { return nil }
        return value
    }
}
