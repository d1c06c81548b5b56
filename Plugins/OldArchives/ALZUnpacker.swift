import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Streams
import Unpacking

/// Archives of ALZip up to version 8: stored files, deflate and bzip2.
final class ALZUnpacker: Unpacker {
    private var position = 8

    static var extractor: Extractor {
        Extractor(
            "ALZ",
            identify: { $0.data.hasPrefix(ByteView("ALZ\u{1}")) ? .magic(EM_TYPE_ARCHIVE) : nil },
            open: { scan, object, _ throws(ModuleError) in ALZUnpacker(scan, object, format: "ALZ") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        try scan.check()
        guard data.dropFirst(position).hasPrefix(ByteView("BLZ\u{1}")), position + 19 <= data.count,
            let nameSize = data.load(UInt16.self, at: position + 4)
        else {
            // "CLZ": the directory at the end.
            if !data.dropFirst(position).hasPrefix(ByteView("CLZ")) { found(EM_OBJECT_TRUNCATED) }
            return false
        }
        let description = data[position + 11]
        let width = Int(description >> 4)
        var child = Child()
        var method: UInt8 = 0
        position += 13
        var packedSize = 0
        if width > 0 {
            guard width <= 8, position + 6 + 2 * width <= data.count else {
                found(EM_OBJECT_MALFORMED)
                return false
            }
            method = data[position]
            child.crc32 = data.load(UInt32.self, at: position + 2)
            packedSize = number(at: position + 6, width)
            child.statedSize = UInt64(number(at: position + 6 + width, width))
            child.packedSize = UInt64(packedSize)
            position += 6 + 2 * width
        }
        let name = data.dropFirst(position).prefix(Int(nameSize))
        position = min(data.count, position + Int(nameSize))
        if description & 1 != 0 {
            position = min(data.count, position + 12)
            child.flags |= EM_OBJECT_ENCRYPTED
        }
        let packed = data.dropFirst(position).prefix(packedSize)
        if packed.count < packedSize { child.flags |= EM_OBJECT_TRUNCATED }
        child.offset = UInt64(position)
        child.extent = UInt64(packed.count)
        position += packed.count
        if child.flags & EM_OBJECT_ENCRYPTED == 0 { try expand(packed, method, &child) }
        try submit(child, name: entryName(name, isUTF8: false, otherwise: .codePage437))
        return true
    }

    private func expand(_ packed: ByteView, _ method: UInt8, _ child: inout Child) throws(ModuleError) {
        switch method {
        case 0:
            child.data = packed
            child.flags |= EM_OBJECT_IN_PLACE
        case 2:
            var output = try Output(scan, in: object)
            note(try inflateRaw(packed, into: &output).end, &child)
            try close(&output, &child)
        case 1:
            var output = try Output(scan, in: object)
            note(try Streams.expand(packed, by: .bzip2, into: &output).end, &child)
            try close(&output, &child)
        default: child.flags |= EM_OBJECT_UNSUPPORTED
        }
    }

    /// A number of so many bytes, at most 8; at most `Int.max`.
    private func number(at place: Int, _ width: Int) -> Int {
        var result: UInt64 = 0
        for index in 0..<width { result |= UInt64(data[place + index]) << UInt64(8 * index) }
        return Int(clamping: result)
    }
}
