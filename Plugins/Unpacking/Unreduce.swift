package import BytesE
import CModuleABI
package import ModuleKit

/// Expands reduced data, ZIP's methods 2 to 5 (APPNOTE.TXT 5.2): bytes that are likely after another one have short codes,
/// and under these lie copies of what came before.
///
/// - Parameters:
///   - factor: 1…4, one less than the method.
///   - size: of the content: the data has no end mark.
package func unreduce(
    _ input: ByteView, factor: Int, size: UInt64, into output: inout Output
) throws(ModuleError) -> InflateEnd {
    var bytes = LikelyBytes(input)
    // How many bits of the byte behind the mark are of the length; the rest is of the distance.
    let lengthBits = 8 - factor
    let longest = (1 << lengthBits) - 1
    var turns = 0
    while UInt64(output.count) < size {
        turns += 1
        if turns & 0xfff == 0 { try output.check() }
        guard let byte = bytes.next() else { return .truncated }
        guard byte == 0x90 else {
            guard try output.append(byte) else { return .overLimit }
            continue
        }
        guard let packed = bytes.next() else { return .truncated }
        guard packed != 0 else {
            // The mark itself.
            guard try output.append(0x90) else { return .overLimit }
            continue
        }
        var length = Int(packed) & longest
        if length == longest {
            guard let more = bytes.next() else { return .truncated }
            length += Int(more)
        }
        guard let low = bytes.next() else { return .truncated }
        let distance = (Int(packed) >> lengthBits) << 8 + Int(low) + 1
        let count = Int(min(UInt64(length + 3), size - UInt64(output.count)))
        // Before the beginning stand zeros.
        let before = min(count, max(0, distance - output.count))
        guard try output.append(0, count: before), try output.repeatBytes(from: distance, count: count - before) else {
            return .overLimit
        }
    }
    return .complete
}

/// Bytes, of which up to 32 that may follow each one are listed before them.
private struct LikelyBytes {
    private let input: ByteView
    private var position = 0
    private var bits: UInt32 = 0
    private var count = 0
    private var followers = [UInt8](repeating: 0, count: 256 * 63)
    private var sizes = [UInt8](repeating: 0, count: 256)
    private var last: UInt8 = 0

    init(_ input: ByteView) {
        self.input = input
        for byte in stride(from: 255, through: 0, by: -1) {
            let size = take(6) ?? 0
            sizes[byte] = UInt8(size)
            for index in 0..<size { followers[byte * 63 + index] = UInt8(take(8) ?? 0) }
        }
    }

    /// The next bits, the lowest first; nil behind the end.
    private mutating func take(_ wanted: Int) -> Int? {
        while count < wanted {
            guard position < input.count else { return nil }
            bits |= UInt32(input[position]) << UInt32(count)
            position += 1
            count += 8
        }
        let value = bits & ((1 << UInt32(wanted)) - 1)
        bits >>= UInt32(wanted)
        count -= wanted
        return Int(value)
    }

    mutating func next() -> UInt8? {
        let size = Int(sizes[Int(last)])
        if size > 0 {
            guard let isOther = take(1) else { return nil }
            if isOther == 0 {
                // As many bits as the greatest index has, at least one.
                var width = 1
                while (size - 1) >> width > 0 { width += 1 }
                guard let index = take(width) else { return nil }
                last = followers[Int(last) * 63 + min(index, 62)]
                return last
            }
        }
        guard let byte = take(8) else { return nil }
        last = UInt8(byte)
        return last
    }
}
