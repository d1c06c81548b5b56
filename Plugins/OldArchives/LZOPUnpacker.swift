import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// Files of lzop: LZO1X in blocks. Only the first member's name is used; members behind it are opened too.
final class LZOPUnpacker: Unpacker {
    private var position = 0

    static var extractor: Extractor {
        Extractor(
            "LZOP",
            identify: { hasMagic($0.data) ? .magic(EM_TYPE_ARCHIVE) : nil },
            open: { scan, object, _ throws(ModuleError) in LZOPUnpacker(scan, object, format: "LZOP") })
    }

    private static func hasMagic(_ data: ByteView) -> Bool {
        data.loadBigEndian(UInt64.self, at: 0) == 0x894c_5a4f_000d_0a1a && data.count > 34 && data[8] == 0x0a
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren(), Self.hasMagic(data.dropFirst(position)) else { return false }
        let start = position
        guard let (flags, name) = readHeader() else {
            found(EM_OBJECT_TRUNCATED)
            return false
        }
        var child = Child()
        var output = try Output(scan, in: object)
        while output.stoppedBy == 0 {
            try scan.check()
            guard let size = data.loadBigEndian(UInt32.self, at: position) else {
                child.flags |= EM_OBJECT_TRUNCATED
                break
            }
            position += 4
            if size == 0 { break }
            guard let packedSize = data.loadBigEndian(UInt32.self, at: position) else {
                child.flags |= EM_OBJECT_TRUNCATED
                break
            }
            // Checksums of the content, and of the packed block when it is packed.
            position += 4 + (flags & 0x001 != 0 ? 4 : 0) + (flags & 0x100 != 0 ? 4 : 0)
            if packedSize < size { position += (flags & 0x002 != 0 ? 4 : 0) + (flags & 0x200 != 0 ? 4 : 0) }
            let block = data.dropFirst(position).prefix(Int(packedSize))
            position += block.count
            if block.count < Int(packedSize) { child.flags |= EM_OBJECT_TRUNCATED }
            if packedSize >= size {
                _ = try output.append(block)
            } else if try !expandLZO(block, into: &output), output.stoppedBy == 0 {
                child.flags |= EM_OBJECT_MALFORMED
            }
            if child.flags & EM_OBJECT_TRUNCATED != 0 { break }
        }
        child.offset = UInt64(start)
        child.extent = UInt64(min(position, data.count) - start)
        try close(&output, &child)
        try submit(child, name: entryName(name, isUTF8: false, otherwise: .windows1252))
        return true
    }

    private func readHeader() -> (flags: UInt32, name: ByteView)? {
        guard let version = data.loadBigEndian(UInt16.self, at: position + 9) else { return nil }
        let isNew = version >= 0x0940
        position += 9 + (isNew ? 8 : 5)
        guard let flags = data.loadBigEndian(UInt32.self, at: position) else { return nil }
        // A filter's number, the mode and the time.
        position += 4 + (flags & 0x800 != 0 ? 4 : 0) + (isNew ? 12 : 8)
        guard position < data.count else { return nil }
        let name = data.dropFirst(position + 1).prefix(Int(data[position]))
        position += 1 + name.count + 4
        if flags & 0x40 != 0 {
            guard let extra = data.loadBigEndian(UInt32.self, at: position) else { return nil }
            position += 8 + Int(extra)
        }
        return position <= data.count ? (flags, name) : nil
    }
}
