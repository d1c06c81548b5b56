import BytesE
import ModuleKit
import Unpacking

/// Expands what `compress` writes: LZW with codes of 9 to 16 bits, the lowest bit first (ncompress, compress42.c). Where less
/// bits are stated there are no codes but those of bytes.
///
/// The stream has no end mark: all of the data belongs to it.
func uncompress(_ data: ByteView, into output: inout Output) throws(ModuleError) -> (end: InflateEnd, used: Int) {
    guard data.count > 3, data[2] & 0x1f <= 16 else { return (.damaged, 0) }
    let most = Int(data[2] & 0x1f)
    var codes = LZWCodes(data.dropFirst(3), most: most)
    let hasClear = data[2] & 0x80 != 0
    let first = hasClear ? 257 : 256
    // The text of a code is that of the code before it and one byte more, and so lies in the output in one piece.
    var starts = [Int](repeating: 0, count: 1 << most)
    var counts = [Int](repeating: 0, count: 1 << most)
    var free = first
    var last: (start: Int, count: Int)?
    var turns = 0
    while let code = codes.next(free: free) {
        turns += 1
        if turns & 0xfff == 0 { try output.check() }
        if hasClear && code == 256 {
            codes.restart()
            free = first
            last = nil
            continue
        }
        let start = output.count
        let isPut: Bool
        if code < 256 {
            isPut = try output.append(UInt8(code))
        } else if code < free {
            isPut = try output.repeatBytes(from: start - starts[code], count: counts[code])
        } else if code == free, let last {
            // Not there yet: the text before, and its first byte again.
            isPut = try output.repeatBytes(from: start - last.start, count: last.count + 1)
        } else {
            return (.damaged, data.count)
        }
        guard isPut else { return (.overLimit, data.count) }
        if let last, free < starts.count {
            starts[free] = last.start
            counts[free] = last.count + 1
            free += 1
        }
        last = (start, output.count - start)
    }
    return (.complete, data.count)
}

/// Codes of growing width. They come in groups of eight: when the width changes, the rest of a group is left out.
private struct LZWCodes {
    private let data: ByteView
    private let most: Int
    private var width = 9
    /// In bits.
    private var position = 0
    /// Where the groups of this width begin.
    private var groups = 0

    init(_ data: ByteView, most: Int) {
        self.data = data
        self.most = most
    }

    private mutating func align(to newWidth: Int) {
        let group = 8 * width
        position = groups + (position - groups + group - 1) / group * group
        groups = position
        width = newWidth
    }

    /// A new table begins.
    mutating func restart() { align(to: 9) }

    /// The next code; nil when the data is at its end.
    ///
    /// - Parameter free: the code that the next text gets; its width counts.
    mutating func next(free: Int) -> Int? {
        if free >= 1 << width, width < most { align(to: width + 1) }
        guard position + width <= 8 * data.count else { return nil }
        var bits = 0
        for index in 0..<3 where position / 8 + index < data.count {
            bits |= Int(data[position / 8 + index]) << (8 * index)
        }
        defer { position += width }
        return bits >> (position % 8) & (1 << width - 1)
    }
}
