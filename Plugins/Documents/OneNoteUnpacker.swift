import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// OneNote sections (MS-ONESTORE): the files in them lie whole, each behind the identifier of a FileDataStoreObject; in
/// what OneNote on the web exports (2.8), each in the BLOB of a data element of MS-FSSHTTPB.
final class OneNoteUnpacker: Unpacker {
    private var position = 0
    /// {638DE92F-A6D4-4BC1-9A36-B3FC2511A5B7} says that the section is packed as data elements, 2.8.1.
    private lazy var isAlternative = data.load(UInt64.self, at: 48) == 0x4bc1_a6d4_638d_e92f

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
        return isAlternative ? try nextElement() : try nextObject()
    }

    private func nextObject() throws(ModuleError) -> Bool {
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
            guard size > 0, start < data.count else { continue }
            let child = part(start..<(start + Int(clamping: min(size, UInt64(data.count)))))
            position = start + child.data.count
            try submit(child)
            return true
        }
        return false
    }

    /// An element of type 0x0A, and the header of its BLOB (type 2, MS-FSSHTTPB 2.2.1.5): of 16 bits for a short one, of
    /// 32 otherwise. The content begins with its size.
    private func nextElement() throws(ModuleError) -> Bool {
        while position + 4 < data.count {
            try scan.check()
            guard let hit = data.prefix(position + 65536).firstIndex(of: 0x15, from: position) else {
                position += 65536
                continue
            }
            position = hit + 1
            var place: Int
            var length: UInt64
            if let header = data.load(UInt32.self, at: hit + 1), header & 0x1_ffff == 0x12 {
                place = hit + 5
                length = UInt64(header >> 17)
                if length == 0x7fff { length = compactNumber(&place) ?? 0 }
            } else if let header = data.load(UInt16.self, at: hit + 1), header & 0x1ff == 0x10 {
                place = hit + 3
                length = UInt64(header >> 9)
            } else {
                continue
            }
            let start = place
            guard let size = compactNumber(&place), size > 0, size <= length,
                length - size == UInt64(place - start), size <= UInt64(data.count - place)
            else { continue }
            let child = part(place..<(place + Int(size)))
            position = place + Int(size)
            try submit(child)
            return true
        }
        return false
    }

    /// A number of 1 to 9 bytes (MS-FSSHTTPB 2.2.1.1): its zeros before the lowest one tell how many follow.
    private func compactNumber(_ place: inout Int) -> UInt64? {
        guard place < data.count else { return nil }
        let first = data[place]
        if first == 0 || first == 0x80 {
            let size = first == 0 ? 1 : 9
            defer { place += size }
            return first == 0 ? 0 : data.load(UInt64.self, at: place + 1)
        }
        let size = first.trailingZeroBitCount + 1
        guard place + size <= data.count else { return nil }
        var value: UInt64 = 0
        for index in 0..<size { value |= UInt64(data[place + index]) << UInt64(8 * index) }
        place += size
        return value >> UInt64(size)
    }
}
