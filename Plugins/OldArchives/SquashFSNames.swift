import BytesE

/// The names of the files of a SquashFS image by the numbers of their inodes, out of its table of directories.
struct SquashFSNames {
    private struct Entry {
        let inode: UInt32
        let name: Range<Int>
    }
    private var entries: [Entry] = []
    private var names: [UInt8] = []

    private static let most = 65_536

    init() {}

    /// Reads the whole table: lists of up to 256 entries, each behind a header with the number that the entries add to.
    init(_ table: ByteView) {
        var place = 0
        while let count = table.load(UInt32.self, at: place), count < 256,
            let base = table.load(UInt32.self, at: place + 8)
        {
            place += 12
            for _ in 0...count {
                guard let difference = table.load(Int16.self, at: place + 2),
                    let kind = table.load(UInt16.self, at: place + 4),
                    let size = table.load(UInt16.self, at: place + 6), size < 256, entries.count < Self.most
                else {
                    sort()
                    return
                }
                let name = table.slice(place + 8, place + 9 + Int(size))
                place += 9 + Int(size)
                guard kind == 2 else { continue }
                entries.append(
                    Entry(
                        inode: base &+ UInt32(bitPattern: Int32(difference)),
                        name: names.count..<(names.count + name.count)))
                names += name.array
            }
        }
        sort()
    }

    private mutating func sort() { entries.sort { $0.inode < $1.inode } }

    /// The name of a file; empty when there is none.
    func name(_ inode: UInt32) -> [UInt8] {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].inode < inode { low = middle + 1 } else { high = middle }
        }
        return low < entries.count && entries[low].inode == inode ? Array(names[entries[low].name]) : []
    }
}
