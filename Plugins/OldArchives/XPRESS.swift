import BytesE
import ModuleKit
import Unpacking

/// Expands one chunk of XPRESS with Huffman codes (MS-XCA 2.1.4, 2.2.4).
///
/// - Parameter size: of the content, in bytes, at most 64 KiB for each table of codes.
/// - Returns: whether all of it came out.
func expandXPRESS(_ packed: ByteView, _ size: Int, into output: inout Output) throws(ModuleError) -> Bool {
    let start = output.count
    var position = 0
    while output.count - start < size {
        try output.check()
        guard position + 256 <= packed.count else { return false }
        var lengths: [UInt8] = []
        lengths.reserveCapacity(512)
        for index in 0..<256 {
            lengths.append(packed[position + index] & 15)
            lengths.append(packed[position + index] >> 4)
        }
        let code = PrefixCode(lengths)
        var bits = WordBits(packed, from: position + 256)
        bits.ensure(32)
        let end = min(size, output.count - start + 65536)
        while output.count - start < end {
            guard let symbol = bits.decode(code), !bits.isPastEnd else { return false }
            bits.ensure(16)
            if symbol < 256 {
                guard try output.append(UInt8(symbol)) else { return false }
                continue
            }
            var length = symbol & 15
            if length == 15 {
                guard let more = bits.byte() else { return false }
                length += more
                if more == 255 {
                    guard let low = bits.byte(), let high = bits.byte() else { return false }
                    length = high << 8 | low
                }
            }
            let width = symbol >> 4 & 15
            let distance = 1 << width + bits.take(width)
            bits.ensure(16)
            guard distance <= output.count - start,
                try output.repeatBytes(from: distance, count: min(length + 3, size - (output.count - start)))
            else { return false }
        }
        position = bits.position
    }
    return true
}
