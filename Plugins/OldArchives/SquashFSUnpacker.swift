import BytesE
import CModuleABI
import ModuleKit
import Streams
import Unpacking

/// SquashFS 4.0 (Documentation/filesystems/squashfs.rst of Linux): the content of
/// every file, in the order of the inodes, under its name.
final class SquashFSUnpacker: Unpacker {
    private var inodes: SquashFSInodes
    private let image: SquashFSImage
    private var names: NumberedNames?
    /// Most bytes of the table of directories.
    private static let mostDirectories = 4 << 20
    /// Most bytes of one inode.
    private static let most = 1 << 20

    private init(_ scan: ScanContext, _ object: UnsafePointer<em_object>, _ image: SquashFSImage) {
        self.image = image
        inodes = SquashFSInodes(position: image.inodeTable, end: image.directoryTable)
        super.init(scan, object, format: "SQUASHFS")
    }

    static var extractor: Extractor {
        Extractor(
            "SQUASHFS",
            identify: { SquashFSImage($0.data) != nil ? .magic(EM_TYPE_ARCHIVE) : nil },
            open: { scan, object, _ throws(ModuleError) in
                guard let image = SquashFSImage(ByteView(object.pointee.data)) else {
                    throw ModuleError(EM_E_UNSUPPORTED)
                }
                return SquashFSUnpacker(scan, object, image)
            })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        guard image.isSupported else {
            found(EM_OBJECT_UNSUPPORTED)
            return false
        }
        if names == nil { names = try readNames() }
        while let file = try nextFile() {
            guard file.size > 0 else { continue }
            try submit(file)
            return true
        }
        return false
    }

    /// The names in the table of directories, which ends where the next one begins.
    private func readNames() throws(ModuleError) -> NumberedNames {
        var table = try Output(scan, in: object)
        var place = image.directoryTable
        while place < image.directoryEnd, table.count < Self.mostDirectories {
            try scan.check()
            guard let used = try image.metadata(at: place, into: &table) else { break }
            place += used
        }
        return NumberedNames(squashFS: try table.finish())
    }

    // MARK: Inodes

    private struct File {
        var inode: UInt32
        var start: UInt64
        var size: UInt64
        var fragment: UInt32
        var offsetInFragment: UInt32
        /// Sizes of the blocks, 4 bytes each.
        var blocks: [UInt8]
    }

    /// Makes at least so many bytes of inodes available; false at the end of the table.
    private func need(_ count: Int) throws(ModuleError) -> Bool {
        while inodes.bytes.count - inodes.read < count {
            try scan.check()
            guard inodes.position < inodes.end, count <= Self.most else { return false }
            var output = try Output(scan, in: object, expected: 8192)
            guard let used = try image.metadata(at: inodes.position, into: &output) else {
                found(EM_OBJECT_MALFORMED)
                return false
            }
            inodes.position += used
            inodes.bytes.removeFirst(inodes.read)
            inodes.read = 0
            inodes.bytes.append(contentsOf: try output.finish().prefix(8192).buffer)
        }
        return true
    }

    private func number<T: FixedWidthInteger>(_ type: T.Type, _ offset: Int) -> T {
        var result: T = 0
        for index in (0..<MemoryLayout<T>.size).reversed() {
            result = result << 8 | T(truncatingIfNeeded: inodes.bytes[inodes.read + offset + index])
        }
        return result
    }

    /// Goes to the next inode that is a file.
    private func nextFile() throws(ModuleError) -> File? {
        while try need(16) {
            let type = number(UInt16.self, 0)
            switch type {
            case 2:
                guard try need(32) else { return nil }
                var file = File(
                    inode: number(UInt32.self, 12), start: UInt64(number(UInt32.self, 16)),
                    size: UInt64(number(UInt32.self, 28)),
                    fragment: number(UInt32.self, 20), offsetInFragment: number(UInt32.self, 24), blocks: [])
                return try readBlocks(&file, 32) ? file : nil
            case 9:
                guard try need(56) else { return nil }
                var file = File(
                    inode: number(UInt32.self, 12), start: number(UInt64.self, 16), size: number(UInt64.self, 24),
                    fragment: number(UInt32.self, 44), offsetInFragment: number(UInt32.self, 48), blocks: [])
                return try readBlocks(&file, 56) ? file : nil
            case 1: guard try skip(32) else { return nil }
            case 8:
                guard try need(40) else { return nil }
                let count = Int(number(UInt16.self, 32))
                guard try skip(40) else { return nil }
                for _ in 0..<count {
                    guard try need(12) else { return nil }
                    guard number(UInt32.self, 8) < 1024, try skip(13 + Int(number(UInt32.self, 8))) else { return nil }
                }
            case 3, 10:
                guard try need(24), number(UInt32.self, 20) <= 65536,
                    try skip(24 + Int(number(UInt32.self, 20)) + (type == 10 ? 4 : 0))
                else { return nil }
            case 4, 5: guard try skip(24) else { return nil }
            case 11, 12: guard try skip(28) else { return nil }
            case 6, 7: guard try skip(20) else { return nil }
            case 13, 14: guard try skip(24) else { return nil }
            default:
                found(EM_OBJECT_MALFORMED)
                inodes.position = inodes.end
                return nil
            }
        }
        return nil
    }

    private func skip(_ count: Int) throws(ModuleError) -> Bool {
        guard try need(count) else { return false }
        inodes.read += count
        return true
    }

    private func readBlocks(_ file: inout File, _ head: Int) throws(ModuleError) -> Bool {
        let size = UInt64(image.blockSize)
        let count = file.fragment == .max ? file.size / size + (file.size % size > 0 ? 1 : 0) : file.size / size
        guard count < UInt64(Self.most / 4) else {
            overLimit(EM_BUDGET_SIZE)
            return false
        }
        guard try need(head + 4 * Int(count)) else {
            found(EM_OBJECT_MALFORMED)
            return false
        }
        let first = inodes.read + head
        file.blocks = Array(inodes.bytes[first..<first + 4 * Int(count)])
        inodes.read = first + 4 * Int(count)
        return true
    }

    // MARK: Content

    private func submit(_ file: File) throws(ModuleError) {
        var child = Child()
        child.statedSize = file.size
        child.offset = file.start
        let tail = try fragment(of: file, &child)
        var output = try Output(scan, in: object, expected: Int(clamping: file.size))
        var position = Int(clamping: file.start)
        var index = 0
        while index + 4 <= file.blocks.count, output.stoppedBy == 0 {
            try scan.check()
            var word: UInt32 = 0
            for byte in 0..<4 { word |= UInt32(file.blocks[index + byte]) << UInt32(8 * byte) }
            index += 4
            let size = Int(word & 0xff_ffff)
            if size == 0 {
                let left = file.size - min(file.size, UInt64(output.count))
                _ = try output.append(0, count: Int(min(UInt64(image.blockSize), left)))
                continue
            }
            let packed = image.data.dropFirst(min(position, image.data.count)).prefix(size)
            position = min(image.data.count, position) + packed.count
            if packed.count < size { child.flags |= EM_OBJECT_TRUNCATED }
            if try !image.expand(packed, isStored: word >> 24 & 1 == 1, image.blockSize, into: &output),
                output.stoppedBy == 0
            {
                child.flags |= EM_OBJECT_MALFORMED
            }
        }
        if output.stoppedBy == 0 { _ = try output.append(tail) }
        try close(&output, &child)
        child.extent = UInt64(max(0, position - Int(clamping: file.start)))
        try submit(child, name: names?.name(UInt64(file.inode)) ?? [])
    }

    /// The end of a file, which lies together with those of others.
    private func fragment(of file: File, _ child: inout Child) throws(ModuleError) -> ByteView {
        let size = Int(file.size % UInt64(image.blockSize))
        guard file.fragment != .max, size > 0 else { return ByteView() }
        child.flags |= EM_OBJECT_MALFORMED
        guard file.fragment < image.fragments,
            let block = image.data.load(UInt64.self, at: image.fragmentTable + Int(file.fragment) / 512 * 8),
            block < UInt64(image.data.count)
        else { return ByteView() }
        var entries = try Output(scan, in: object, expected: 8192)
        guard try image.metadata(at: Int(block), into: &entries) != nil else { return ByteView() }
        let list = try entries.finish()
        let place = Int(file.fragment) % 512 * 16
        guard let start = list.load(UInt64.self, at: place), start < UInt64(image.data.count),
            let word = list.load(UInt32.self, at: place + 8)
        else { return ByteView() }
        var content = try Output(scan, in: object)
        let packed = image.data.dropFirst(Int(start)).prefix(Int(word & 0xff_ffff))
        guard try image.expand(packed, isStored: word >> 24 & 1 == 1, image.blockSize, into: &content) else {
            return ByteView()
        }
        child.flags &= ~EM_OBJECT_MALFORMED
        return try content.finish().dropFirst(Int(file.offsetInFragment)).prefix(size)
    }
}

/// How far the table of inodes was read.
struct SquashFSInodes {
    /// Where the next block of the table lies, and where the table ends.
    var position: Int
    let end: Int
    /// Unpacked, of which so many bytes are done with: less than the largest inode and a block.
    var bytes: [UInt8] = []
    var read = 0

    init(position: Int, end: Int) {
        self.position = position
        self.end = end
    }
}
