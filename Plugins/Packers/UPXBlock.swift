import BytesE
import CModuleABI
import ModuleKit
import Streams
import Unpacking

/// A packed block of UPX: its method, its filter and its bytes.
struct UPXBlock {
    let data: ByteView
    let size: Int
    let method: UInt8
    let filter: UInt8
    /// What the filter put in place of the highest byte of a call's target.
    let mark: UInt8

    /// Expands the block.
    func expand(into output: inout Output) throws(ModuleError) -> InflateEnd {
        switch method {
        case 2: try NRV.expand(data, .b, wordSize: 4, most: size, into: &output)
        case 3: try NRV.expand(data, .b, wordSize: 1, most: size, into: &output)
        case 4: try NRV.expand(data, .b, wordSize: 2, most: size, into: &output)
        case 5: try NRV.expand(data, .d, wordSize: 4, most: size, into: &output)
        case 6: try NRV.expand(data, .d, wordSize: 1, most: size, into: &output)
        case 7: try NRV.expand(data, .d, wordSize: 2, most: size, into: &output)
        case 8: try NRV.expand(data, .e, wordSize: 4, most: size, into: &output)
        case 9: try NRV.expand(data, .e, wordSize: 1, most: size, into: &output)
        case 10: try NRV.expand(data, .e, wordSize: 2, most: size, into: &output)
        case 14: try lzma(into: &output)
        case 15: try inflateRaw(data, into: &output).end
        default: .damaged
        }
    }

    /// LZMA with two bytes of properties and without an end mark; a window of 64 MiB at most.
    private func lzma(into output: inout Output) throws(ModuleError) -> InflateEnd {
        guard data.count > 2 else { return .truncated }
        let pb = Int(data[0] & 7)
        let lp = Int(data[1] >> 4)
        let lc = Int(data[1] & 15)
        guard pb <= 4, lp <= 4, lc <= 8, Int(data[0] >> 3) == lp + lc else { return .damaged }
        return try expandLZMA(
            data.dropFirst(2), properties: UInt8((pb * 5 + lp) * 9 + lc), window: min(UInt32(clamping: size), 1 << 26),
            most: size,
            into: &output
        ).end
    }

    /// Undoes the filter in place: targets of calls and jumps are relative again.
    ///
    /// - Parameters:
    ///   - code: bytes that are ours to change.
    ///   - base: where they begin in what the filter saw.
    func unfilter(_ code: ByteView, base: Int, _ scan: ScanContext) throws(ModuleError) {
        guard let start = code.buffer.baseAddress, code.count > 5 else { return }
        let bytes = UnsafeMutablePointer(mutating: start)
        let calls: Bool
        let jumps: Bool
        switch filter {
        case 0x11, 0x14, 0x21, 0x24: (calls, jumps) = (true, false)
        case 0x12, 0x15, 0x22, 0x25: (calls, jumps) = (false, true)
        case 0x13, 0x16, 0x23, 0x26, 0x36, 0x46, 0x49: (calls, jumps) = (true, true)
        default: return
        }
        let isMarked = filter >= 0x20
        let isBigEndian =
            filter != 0x11 && filter != 0x12 && filter != 0x13
            && filter != 0x21 && filter != 0x22 && filter != 0x23
        var index = 0
        var last = -1
        while index <= code.count - 5 {
            if index & 0xffff == 0 { try scan.check() }
            let byte = bytes[index]
            // Conditional jumps too, by the newest filter.
            let isBranch =
                calls && byte == 0xe8 || jumps && byte == 0xe9
                || filter == 0x49 && index > 0 && index != last && bytes[index - 1] == 0x0f && byte & 0xf0 == 0x80
            guard isBranch, !isMarked || bytes[index + 1] == mark || !isBigEndian && bytes[index + 4] == mark else {
                index += 1
                continue
            }
            let stored =
                (isBigEndian
                    ? code.loadBigEndian(UInt32.self, at: index + 1) : code.load(UInt32.self, at: index + 1)) ?? 0
            var target = stored &- UInt32(truncatingIfNeeded: base + index + 1)
            if isMarked { target = target &- UInt32(mark) << 24 }
            for place in 0..<4 { bytes[index + 1 + place] = UInt8(truncatingIfNeeded: target >> UInt32(8 * place)) }
            index += 5
            last = index
        }
    }
}
