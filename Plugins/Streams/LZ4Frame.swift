import BytesE
import ModuleKit
import Unpacking

/// What the head of a frame of LZ4 says (lz4_Frame_format.md), or of the older form without one.
struct LZ4Frame {
    /// Of the head.
    let size: Int
    /// The older form: blocks alone, up to the end of the file.
    var isLegacy = false
    var hasBlockSums = false
    var hasSum = false

    /// The largest block that the older form may have: 8 MiB that could not be compressed.
    static let mostLegacyBlock = (8 << 20) + (8 << 20) / 255 + 16

    /// nil when no frame begins here.
    init?(_ data: ByteView) {
        switch data.load(UInt32.self, at: 0) {
        case 0x184c_2102:
            size = 4
            isLegacy = true
        case 0x184d_2204:
            guard data.count > 6, data[4] >> 6 == 1 else { return nil }
            let flags = data[4]
            hasBlockSums = flags & 0x10 != 0
            hasSum = flags & 4 != 0
            size = 7 + (flags & 8 != 0 ? 8 : 0) + (flags & 1 != 0 ? 4 : 0)
        default: return nil
        }
    }
}

/// Expands one frame of LZ4, or passes over one that is to be skipped.
func expandLZ4Frame(
    _ data: ByteView, into output: inout Output
) throws(ModuleError) -> (end: InflateEnd, used: Int) {
    if isSkippable(data), let size = data.load(UInt32.self, at: 4) {
        return (.complete, min(8 + Int(size), data.count))
    }
    guard let frame = LZ4Frame(data) else { return (.damaged, 0) }
    let start = output.count
    var position = frame.size
    while let word = data.load(UInt32.self, at: position) {
        try output.check()
        if frame.isLegacy {
            // Whatever is no size of a block is not of this stream any more.
            guard (1...LZ4Frame.mostLegacyBlock).contains(Int(word)) else { return (.complete, position) }
        } else if word == 0 {
            return (.complete, min(position + (frame.hasSum ? 8 : 4), data.count))
        }
        let isStored = !frame.isLegacy && word >> 31 == 1
        let size = Int(frame.isLegacy ? word : word & 0x7fff_ffff)
        let packed = data.slice(position + 4, position + 4 + size)
        position += 4 + packed.count
        let history = frame.isLegacy ? output.count : start
        let isWhole =
            isStored ? try output.append(packed) : try expandLZ4(packed, history: history, into: &output)
        if output.stoppedBy != 0 { return (.overLimit, position) }
        if packed.count < size { return (.truncated, position) }
        guard isWhole else { return (.damaged, position) }
        if frame.hasBlockSums { position += 4 }
    }
    return (frame.isLegacy && position == data.count ? .complete : .truncated, data.count)
}
