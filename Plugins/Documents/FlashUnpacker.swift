import BytesE
import CModuleABI
import ModuleKit
import Streams
import Unpacking

/// Flash (SWF File Format Specification, version 19): a packed movie becomes the same movie in the clear; of that one, what
/// its tags embed: binary data, which often are movies or programs again, and JPEG pictures.
final class FlashUnpacker: Unpacker {
    private var position = 0
    private var count = 0

    /// Tags that are looked at: a movie of hours has fewer.
    private static let mostTags = 1_000_000
    private static let headSize = 8

    static var extractor: Extractor {
        Extractor(
            "SWF",
            identify: { candidate in
                // The second and third byte are "WS"; then the version and the unpacked size.
                guard let size = candidate.data.load(UInt32.self, at: 4), size > UInt32(headSize),
                    packing(candidate.data) != nil, (1..<64).contains(candidate.data[3]),
                    // Versions above 31 are characters as well.
                    candidate.data[3] < 0x20 || !candidate.isText
                else { return nil }
                return .magic(EM_TYPE_FLASH)
            },
            open: { scan, object, _ throws(ModuleError) in FlashUnpacker(scan, object, format: "SWF") })
    }

    private enum Packing { case none, zlib, lzma }

    private static func packing(_ data: ByteView) -> Packing? {
        guard data.slice(1, 3).equals(ByteView("WS")) else { return nil }
        switch data[0] {
        case 0x46: return Packing.none
        case 0x43: return .zlib
        case 0x5a: return .lzma
        default: return nil
        }
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren(), let packing = Self.packing(data) else { return false }
        guard packing == .none else {
            guard position == 0 else { return false }
            position = data.count
            try expand(packing)
            return true
        }
        if position == 0 {
            // A rectangle: five bits with the width of its four numbers, then these; the rate and the number of frames.
            guard data.count > Self.headSize else { return false }
            position = Self.headSize + (5 + 4 * Int(data[Self.headSize] >> 3) + 7) / 8 + 4
        }
        return try nextTag()
    }

    private func expand(_ packing: Packing) throws(ModuleError) {
        let stated = UInt64(data.load(UInt32.self, at: 4) ?? 0)
        // LZMA has the packed size before its properties.
        let start = packing == .lzma ? 12 : Self.headSize
        let packed = data.dropFirst(start)
        var child = Child()
        child.offset = UInt64(min(start, data.count))
        child.extent = UInt64(packed.count)
        child.type = EM_TYPE_FLASH
        child.statedSize = stated
        if packing == .lzma {
            try StreamFormat.lzma.reserveWindow(scan, for: object, stated: packed.load(UInt32.self, at: 1))
        }
        var output = try Output(scan, in: object, expected: Int(clamping: stated))
        guard try output.append(0x46), try output.append(data.slice(1, Self.headSize)) else {
            return try close(&output, &child)
        }
        let end =
            packing == .lzma
            ? try expandLZMA(
                packed, most: Int(clamping: stated) - Self.headSize, mostWindow: .max, into: &output
            ).end
            : try inflateZlib(packed, into: &output).end
        note(end, &child)
        found(child.flags)
        try close(&output, &child)
        try submit(child)
    }

    /// Tags: ten bits of a number and six of a length, which is in the next four bytes when they are all set.
    private func nextTag() throws(ModuleError) -> Bool {
        while count < Self.mostTags, let word = data.load(UInt16.self, at: position) {
            count += 1
            if count & 0xfff == 0 { try scan.check() }
            var start = position + 2
            var size = Int(word & 0x3f)
            if size == 0x3f {
                guard let long = data.load(UInt32.self, at: start) else { break }
                size = Int(long)
                start += 4
            }
            position = start + size
            let tag = word >> 6
            if tag == 0 { break }
            guard let head = Self.head(of: tag), size > head else { continue }
            try submit(part((start + head)..<(start + size)))
            return true
        }
        position = data.count
        return false
    }

    /// How much of a tag stands before what it embeds; nil when it embeds nothing that could be a file.
    private static func head(of tag: UInt16) -> Int? {
        switch tag {
        case 87: 6  // DefineBinaryData
        case 6, 21: 2  // DefineBits, DefineBitsJPEG2
        case 35: 6  // DefineBitsJPEG3
        case 90: 8  // DefineBitsJPEG4
        default: nil
        }
    }
}
