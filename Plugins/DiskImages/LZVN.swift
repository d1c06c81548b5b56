import BytesE
import ModuleKit
import Unpacking

/// Expands a stream of LZVN: literals and copies of what came out of it before. (As Apple's lzvn_decode_base.c describes it.)
///
/// - Parameters:
///   - start: how much the output had when what copies may reach began.
///   - most: the stream ends after so many bytes.
/// - Returns: false when it is damaged, or ended early.
func expandLZVN(
    _ packed: ByteView, most: Int, from start: Int, into output: inout Output
) throws(ModuleError) -> Bool {
    let begin = output.count
    var read = 0
    var distance = 0
    var turns = 0
    while read < packed.count {
        turns += 1
        if turns & 0xfff == 0 { try output.check() }
        let code = Int(packed[read])
        let next = read + 1 < packed.count ? Int(packed[read + 1]) : 0
        let pair = Int(packed.load(UInt16.self, at: read + 1) ?? 0)
        var literals = 0
        var copied = 0
        switch code {
        case 0x06: return true
        case 0x0e, 0x16:
            read += 1
            continue
        case 0x1e, 0x26, 0x2e, 0x36, 0x3e, 0x70...0x7f, 0xd0...0xdf: return false
        case 0xe0:
            literals = next + 16
            read += 2
        case 0xe1...0xef:
            literals = code & 15
            read += 1
        case 0xf0:
            copied = next + 16
            read += 2
        case 0xf1...0xff:
            copied = code & 15
            read += 1
        case 0xa0...0xbf:
            literals = code >> 3 & 3
            copied = (code & 7) << 2 + pair & 3 + 3
            distance = pair >> 2
            read += 3
        default:
            literals = code >> 6
            copied = code >> 3 & 7 + 3
            switch code & 7 {
            case 6: read += 1
            case 7:
                distance = pair
                read += 3
            default:
                distance = (code & 7) << 8 + next
                read += 2
            }
        }
        guard read + literals <= packed.count else { return false }
        literals = min(literals, most - (output.count - begin))
        guard try output.append(packed.slice(read, read + literals)) else { return false }
        read += literals
        copied = min(copied, most - (output.count - begin))
        guard copied > 0 else { continue }
        guard distance > 0, distance <= output.count - start,
            try output.repeatBytes(from: distance, count: copied)
        else { return false }
    }
    return false
}
