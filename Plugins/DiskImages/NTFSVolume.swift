import BytesE

/// The layout of an NTFS file system by its first sector, and its file records.
///
/// Not specified by its maker; the fields as the free drivers and tools have them.
struct NTFSVolume {
    let data: ByteView
    let clusterSize: Int
    let recordSize: Int
    /// Where the records of files lie.
    private var table: [NTFSRun] = []
    /// The first cluster of the table's content in each run, and behind the last.
    private var starts: [UInt64] = []
    private let sectorSize: Int

    static func isOne(_ data: ByteView) -> Bool {
        data.slice(3, 11).equals(ByteView("NTFS    ")) && data.count >= 4096
    }

    /// Nil when the bytes are no such file system.
    init?(_ data: ByteView) {
        guard Self.isOne(data), let sector = data.load(UInt16.self, at: 11), sector >= 256, sector <= 4096,
            sector & (sector - 1) == 0, let first = data.load(UInt64.self, at: 48)
        else { return nil }
        self.data = data
        sectorSize = Int(sector)
        // Large clusters are given as a power of two, negated; so are small records.
        let perCluster = data[13] <= 128 ? Int(data[13]) : 1 << min(16, 256 - Int(data[13]))
        clusterSize = perCluster * sectorSize
        guard clusterSize >= 256, clusterSize <= 2 << 20, clusterSize & (clusterSize - 1) == 0 else { return nil }
        let perRecord = Int8(bitPattern: data[64])
        recordSize = perRecord > 0 ? Int(perRecord) * clusterSize : 1 << min(16, -Int(perRecord))
        guard recordSize >= 256, recordSize <= 65_536, recordSize % sectorSize == 0, first < 1 << 40 else { return nil }
        // The first record is of the table of records itself.
        setTable([NTFSRun(start: first, count: UInt64((recordSize + clusterSize - 1) / clusterSize))])
        guard let itself = record(0), let content = NTFSRecord(itself, 0).streams.first(where: { $0.name.isEmpty }),
            case .runs(let runs) = content.place
        else { return nil }
        setTable(runs)
    }

    private mutating func setTable(_ runs: [NTFSRun]) {
        table = runs
        starts = [0]
        // At most 65,536 counts below 2^40.
        for run in runs { starts.append((starts.last ?? 0) + run.count) }
    }

    /// How many records the table has room for.
    var recordCount: Int {
        let clusters = starts.last ?? 0
        return Int(clamping: min(clusters, UInt64(data.count / clusterSize + 1))) * clusterSize / recordSize
    }

    /// A file record, with the last bytes of its sectors put back; nil when there is none.
    func record(_ number: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var place = number * recordSize
        while bytes.count < recordSize, let from = offset(of: place) {
            let step = min(recordSize - bytes.count, clusterSize - place % clusterSize)
            let piece = data.slice(from, from + step)
            guard piece.count == step else { return nil }
            bytes += piece.array
            place += step
        }
        guard bytes.count == recordSize, bytes[0] == 0x46, bytes[1] == 0x49, bytes[2] == 0x4c, bytes[3] == 0x45 else {
            return nil
        }
        // Each sector ends with the same number; what was there stands in a list.
        let list = Int(bytes[4]) | Int(bytes[5]) << 8
        let count = Int(bytes[6]) | Int(bytes[7]) << 8
        guard count >= 1, list + 2 * count <= bytes.count else { return nil }
        for sector in 0..<(count - 1) {
            let end = (sector + 1) * sectorSize
            guard end <= bytes.count else { break }
            bytes[end - 2] = bytes[list + 2 * (sector + 1)]
            bytes[end - 1] = bytes[list + 2 * (sector + 1) + 1]
        }
        return bytes
    }

    /// The bytes of clusters one behind another; fewer when the image ends before, none of a hole.
    func bytes(_ run: NTFSRun) -> ByteView {
        guard let start = run.start, start < UInt64(data.count / clusterSize + 1) else { return ByteView() }
        let from = Int(start) * clusterSize
        let room = UInt64(max(0, data.count - from) / clusterSize + 1)
        return data.slice(from, from + Int(min(run.count, room)) * clusterSize)
    }

    /// Where a place of the table of records lies in the data.
    private func offset(of place: Int) -> Int? {
        let cluster = UInt64(place / clusterSize)
        var low = 0
        var high = table.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle + 1] <= cluster { low = middle + 1 } else { high = middle }
        }
        guard low < table.count, let start = table[low].start else { return nil }
        let found = start + (cluster - starts[low])
        guard found < UInt64(data.count / clusterSize) else { return nil }
        return Int(found) * clusterSize + place % clusterSize
    }
}

/// Clusters one behind another; nowhere when they are a hole.
struct NTFSRun {
    let start: UInt64?
    let count: UInt64

    private static let most = 65_536

    /// Pairs of a count and a distance from the run before, each with its size in half of a byte before them.
    static func list(_ bytes: ArraySlice<UInt8>) -> [NTFSRun] {
        var result: [NTFSRun] = []
        var index = bytes.startIndex
        var position: Int64 = 0
        while index < bytes.endIndex, bytes[index] != 0, result.count < most {
            let countSize = Int(bytes[index] & 15)
            let startSize = Int(bytes[index] >> 4)
            index += 1
            guard (1...8).contains(countSize), startSize <= 8, bytes.endIndex - index >= countSize + startSize else {
                break
            }
            var count: UInt64 = 0
            for byte in 0..<countSize { count |= UInt64(bytes[index + byte]) << UInt64(8 * byte) }
            index += countSize
            guard count < 1 << 40 else { break }
            var distance: UInt64 = 0
            for byte in 0..<startSize { distance |= UInt64(bytes[index + byte]) << UInt64(8 * byte) }
            index += startSize
            guard startSize > 0 else {
                result.append(NTFSRun(start: nil, count: count))
                continue
            }
            // A signed number of so many bytes.
            let shift = Int64(64 - 8 * startSize)
            position &+= Int64(bitPattern: distance << UInt64(shift)) >> shift
            guard position >= 0, position < 1 << 40 else { break }
            result.append(NTFSRun(start: UInt64(position), count: count))
        }
        return result
    }
}

/// What a file record says.
struct NTFSRecord {
    struct Stream {
        enum Place {
            case resident(Range<Int>)
            case runs([NTFSRun])
        }
        /// UTF-16; empty for the file's content.
        var name: [UInt8] = []
        var place: Place
        var size: UInt64
        var isCompressed = false
        /// Clusters that are packed together, as a power of two.
        var unitPower: UInt64 = 4
        /// Which of the stream's clusters is its first; not 0 in later pieces of it.
        var firstCluster: UInt64 = 0
        var isEncrypted = false
    }

    let number: Int
    let isInUse: Bool
    /// UTF-16: the long name, if there is one.
    private(set) var name: [UInt8] = []
    private(set) var streams: [Stream] = []
    /// The record that this one belongs to, when it is more of another file, which has no room for it.
    let base: UInt64

    private static let most = 64

    /// - Parameter bytes: of the record, put right.
    init(_ bytes: [UInt8], _ number: Int) {
        self.number = number
        func load(_ at: Int, _ count: Int) -> UInt64 {
            guard at >= 0, at + count <= bytes.count else { return 0 }
            return (0..<count).reduce(0) { $0 | UInt64(bytes[at + $1]) << UInt64(8 * $1) }
        }
        isInUse = load(22, 2) & 1 != 0
        base = load(32, 8) & 0xffff_ffff_ffff
        var at = Int(load(20, 2))
        var nameKind: UInt64 = .max
        for _ in 0..<Self.most {
            let kind = load(at, 4)
            let length = Int(load(at + 4, 4))
            guard kind != 0xffff_ffff, length >= 24, at + length <= bytes.count else { break }
            let isResident = load(at + 8, 1) == 0
            let start = at + Int(load(at + 20, 2))
            let end = start + Int(load(at + 16, 4))
            let flags = load(at + 12, 2)
            switch kind {
            case 0x30 where isResident && end <= at + length && end - start >= 66:
                // 2: the short name for old programs; only if there is no other.
                let space = load(start + 65, 1)
                let nameEnd = start + 66 + 2 * Int(load(start + 64, 1))
                if nameEnd <= end, name.isEmpty || nameKind == 2 {
                    name = Array(bytes[(start + 66)..<nameEnd])
                    nameKind = space
                }
            case 0x80:
                let nameStart = at + Int(load(at + 10, 2))
                let nameEnd = nameStart + 2 * Int(load(at + 9, 1))
                var stream: Stream
                if isResident {
                    guard start <= end, end <= at + length else { break }
                    stream = Stream(place: .resident(start..<end), size: UInt64(end - start))
                } else {
                    // Later pieces of a stream have no size of their own.
                    let runs = at + Int(load(at + 32, 2))
                    guard runs < at + length else { break }
                    let first = load(at + 16, 8)
                    stream = Stream(
                        place: .runs(NTFSRun.list(bytes[runs..<(at + length)])),
                        size: first == 0 ? load(at + 48, 8) : .max)
                    stream.firstCluster = first
                    let power = load(at + 34, 2)
                    if power > 0 { stream.unitPower = min(power, 32) }
                }
                if nameStart <= nameEnd, nameEnd <= at + length { stream.name = Array(bytes[nameStart..<nameEnd]) }
                stream.isCompressed = flags & 0xff != 0
                stream.isEncrypted = flags & 0x4000 != 0
                streams.append(stream)
            default: break
            }
            at += length
        }
    }
}
