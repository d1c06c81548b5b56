import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Streams
import Unpacking

/// Archives of ALZip since version 8 (.egg): stored, deflate, bzip2 and LZMA blocks. AZO, solid and encrypted ones are
/// told as such.
final class EGGUnpacker: Unpacker {
    private var position = 0

    // What a header begins with.
    private static let archive: UInt32 = 0x4147_4745
    private static let file: UInt32 = 0x0a85_90e3
    private static let block: UInt32 = 0x02b5_0c13
    private static let fileName: UInt32 = 0x0a85_91ac
    private static let encryption: UInt32 = 0x08d1_470f
    private static let solid: UInt32 = 0x24e5_a060
    private static let end: UInt32 = 0x08e2_8222

    static var extractor: Extractor {
        Extractor(
            "EGG",
            identify: {
                $0.data.load(UInt32.self, at: 0) == archive && $0.data.count > 18 ? .magic(EM_TYPE_ARCHIVE) : nil
            },
            open: { scan, object, _ throws(ModuleError) in EGGUnpacker(scan, object, format: "EGG") })
    }

    private struct Header {
        var name = ByteView()
        var isEncrypted = false
        var isSolid = false
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        if position == 0 {
            position = 14
            guard let header = try fields() else { return damaged() }
            if header.isSolid { found(EM_OBJECT_UNSUPPORTED) }
        }
        while let magic = data.load(UInt32.self, at: position) {
            try scan.check()
            if magic == Self.end {
                position += 4
                continue
            }
            guard magic == Self.file else { return damaged() }
            position += 16
            guard let header = try fields() else { return damaged() }
            try submit(header)
            return true
        }
        return false
    }

    private func damaged() -> Bool {
        found(position < data.count ? EM_OBJECT_MALFORMED : EM_OBJECT_TRUNCATED)
        return false
    }

    /// The fields up to the end mark: each a number, a byte of flags, a size and so many bytes.
    private func fields() throws(ModuleError) -> Header? {
        var header = Header()
        while let magic = data.load(UInt32.self, at: position) {
            try scan.check()
            position += 4
            if magic == Self.end { return header }
            guard position < data.count else { return nil }
            let isLong = data[position] & 1 != 0
            guard
                let size = isLong
                    ? data.load(UInt32.self, at: position + 1).map(Int.init)
                    : data.load(UInt16.self, at: position + 1).map(Int.init)
            else { return nil }
            position += isLong ? 5 : 3
            let bytes = data.slice(position, position + size)
            guard bytes.count == size else { return nil }
            position += size
            if magic == Self.fileName { header.name = bytes }
            if magic == Self.encryption { header.isEncrypted = true }
            if magic == Self.solid { header.isSolid = true }
        }
        return nil
    }

    /// The blocks of a file, one behind another.
    private func submit(_ header: Header) throws(ModuleError) {
        var child = Child()
        child.offset = UInt64(position)
        if header.isEncrypted { child.flags |= EM_OBJECT_ENCRYPTED }
        var output = try Output(scan, in: object)
        while data.load(UInt32.self, at: position) == Self.block, position + 18 <= data.count {
            try scan.check()
            let method = data[position + 4]
            let size = Int(data.load(UInt32.self, at: position + 6) ?? 0)
            let packedSize = Int(data.load(UInt32.self, at: position + 10) ?? 0)
            position += 18
            guard try fields() != nil else { break }
            let packed = data.slice(position, position + packedSize)
            position += packed.count
            if packed.count < packedSize { child.flags |= EM_OBJECT_TRUNCATED }
            guard !header.isEncrypted, output.stoppedBy == 0 else { continue }
            switch method {
            case 0: _ = try output.append(packed)
            case 1: note(try inflateRaw(packed, into: &output).end, &child)
            case 2: note(try expand(packed, by: .bzip2, most: size, into: &output).end, &child)
            // Two numbers stand before the properties: a version, and their size.
            case 4: note(try expandLZMA(packed.dropFirst(4), most: size, into: &output).end, &child)
            default: child.flags |= EM_OBJECT_UNSUPPORTED
            }
        }
        child.extent = UInt64(position) - child.offset
        try close(&output, &child)
        try submit(child, name: entryName(header.name, isUTF8: false, otherwise: .codePage437))
    }
}
