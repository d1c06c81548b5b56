import BytesE
import ModuleKit
import Streams
import Unpacking

/// The first block of a SquashFS, and how its blocks are unpacked.
struct SquashFSImage {
    let data: ByteView
    let blockSize: Int
    let fragments: UInt32
    let inodeTable: Int
    let directoryTable: Int
    /// Where the first table behind it begins.
    let directoryEnd: Int
    let fragmentTable: Int
    private let compression: Compression?

    private enum Compression: UInt16 {
        case gzip = 1, lzo = 3, xz, lz4, zstd
    }

    /// Nil when the bytes are none of version 4.
    init?(_ data: ByteView) {
        guard data.hasPrefix(ByteView("hsqs")), data.load(UInt16.self, at: 28) == 4,
            let blockSize = data.load(UInt32.self, at: 12), (4096...1 << 20).contains(blockSize),
            let fragments = data.load(UInt32.self, at: 16), let compression = data.load(UInt16.self, at: 20),
            let inodes = data.load(UInt64.self, at: 64), let directories = data.load(UInt64.self, at: 72),
            let fragmentTable = data.load(UInt64.self, at: 80), inodes < UInt64(data.count)
        else { return nil }
        self.data = data
        self.blockSize = Int(blockSize)
        self.fragments = fragmentTable < UInt64(data.count) ? fragments : 0
        inodeTable = Int(inodes)
        directoryTable = Int(min(directories, UInt64(data.count)))
        self.fragmentTable = Int(min(fragmentTable, UInt64(data.count)))
        // Identifiers, fragments and exports: each has a list of its blocks, which lie before the list.
        var end = UInt64(data.count)
        for place in [48, 80, 88] {
            guard let list = data.load(UInt64.self, at: place), list < UInt64(data.count),
                let first = data.load(UInt64.self, at: Int(list)), first > directories
            else { continue }
            end = min(end, first)
        }
        directoryEnd = Int(end)
        self.compression = Compression(rawValue: compression)
    }

    var isSupported: Bool { compression != nil }

    /// Unpacks a block of metadata; how many bytes it takes, nil when it is damaged.
    func metadata(at place: Int, into output: inout Output) throws(ModuleError) -> Int? {
        guard let word = data.load(UInt16.self, at: place) else { return nil }
        let packed = data.dropFirst(place + 2).prefix(Int(word & 0x7fff))
        guard !packed.isEmpty, try expand(packed, isStored: word >> 15 == 1, 8192, into: &output) else {
            return nil
        }
        return 2 + packed.count
    }

    /// Unpacks a block that may be stored; false when it is damaged or a limit is met.
    func expand(
        _ packed: ByteView, isStored: Bool, _ most: Int, into output: inout Output
    ) throws(ModuleError) -> Bool {
        guard !isStored else { return try output.append(packed) }
        switch compression {
        case .gzip: return try inflateZlib(packed, into: &output).end == .complete
        case .lzo: return try expandLZO(packed, into: &output)
        case .lz4: return try expandLZ4(packed, into: &output)
        case .xz: return try Streams.expand(packed, by: .xz, most: most, into: &output).end == .complete
        case .zstd: return try Streams.expand(packed, by: .zstd, most: most, into: &output).end == .complete
        case nil: return false
        }
    }
}
