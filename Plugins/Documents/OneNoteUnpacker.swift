import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// OneNote sections (MS-ONESTORE): the files in them lie whole, each behind the identifier of a FileDataStoreObject.
final class OneNoteUnpacker: Unpacker {
    private var position = 0

    /// {BDE316E7-2665-4511-A4C4-8D4D0B7A9EAC}, MS-ONESTORE 2.6.13.
    private static let mark: InlineArray<16, UInt8> = [
        0xe7, 0x16, 0xe3, 0xbd, 0x65, 0x26, 0x11, 0x45, 0xa4, 0xc4, 0x8d, 0x4d, 0x0b, 0x7a, 0x9e, 0xac,
    ]

    static var extractor: Extractor {
        Extractor(
            "ONENOTE",
            identify: { candidate in
                // {7B5C52E4-D88C-4DA7-AEB1-5378D02996D3} begins a section, 2.3.1.
                guard candidate.data.load(UInt64.self, at: 0) == 0x4da7_d88c_7b5c_52e4 else { return nil }
                return .magic(EM_TYPE_ARCHIVE)
            },
            open: { scan, object, _ throws(ModuleError) in OneNoteUnpacker(scan, object, format: "ONENOTE") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        while position < data.count {
            try scan.check()
            let window = data.prefix(position + 65536 + 16)
            guard
                let hit = Self.mark.span.withUnsafeBufferPointer({ window.firstIndex(of: ByteView($0), from: position) }
                )
            else {
                position += 65536
                continue
            }
            position = hit + 16
            guard let size = data.load(UInt64.self, at: hit + 16) else { return false }
            let start = hit + 36
            var child = Child()
            child.data = data.slice(start, start + Int(clamping: min(size, UInt64(data.count))))
            guard !child.data.isEmpty else { continue }
            child.offset = UInt64(start)
            child.extent = UInt64(child.data.count)
            child.flags = EM_OBJECT_IN_PLACE
            if UInt64(child.data.count) < size { child.flags |= EM_OBJECT_TRUNCATED }
            position = start + child.data.count
            try submit(child)
            return true
        }
        return false
    }
}
