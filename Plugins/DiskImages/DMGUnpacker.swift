import BytesE
import CModuleABI
import ModuleKit
import Streams
import Unpacking

/// Disk images of Apple (UDIF): a trailer leads to a property list, which has a table of blocks for each partition.
///
/// Blocks may be stored, or compressed by ADC, zlib, bzip2, LZFSE or LZMA.
final class DMGUnpacker: Unpacker {
    /// Where the property list is read on.
    private var position: Int?
    private var end = 0
    /// Compressed bytes that were looked at: several blocks may name the same.
    private var packedRead = 0

    static var extractor: Extractor {
        Extractor(
            "DMG",
            identify: { trailer($0.data) != nil ? Claim(.whole, sureness: 95, type: EM_TYPE_ARCHIVE) : nil },
            open: { scan, object, _ throws(ModuleError) in DMGUnpacker(scan, object, format: "DMG") })
    }

    private static func trailer(_ data: ByteView) -> ByteView? {
        guard data.count > 512 else { return nil }
        let trailer = data.dropFirst(data.count - 512)
        return trailer.hasPrefix(ByteView("koly\0\0\0\u{4}")) ? trailer : nil
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren(), let trailer = Self.trailer(data) else { return false }
        if position == nil {
            let start = trailer.loadBigEndian(UInt64.self, at: 216) ?? 0
            let size = trailer.loadBigEndian(UInt64.self, at: 224) ?? 0
            guard start < UInt64(data.count) else {
                found(EM_OBJECT_MALFORMED)
                return false
            }
            position = Int(start)
            end = Int(start) + Int(min(size, UInt64(data.count) - start))
        }
        let list = data.prefix(end)
        while let from = position, let open = try find(ByteView("<data>"), in: list, from: from) {
            let close = try find(ByteView("</data>"), in: list, from: open) ?? end
            position = close
            var table = try Output(scan, in: object)
            try decodeBase64(list.slice(open + 6, close), into: &table)
            let blocks = try table.finish()
            guard blocks.hasPrefix(ByteView("mish")) else { continue }
            try submitPartition(blocks, Int(clamping: trailer.loadBigEndian(UInt64.self, at: 24) ?? 0))
            return true
        }
        return false
    }

    private func find(_ word: ByteView, in list: ByteView, from: Int) throws(ModuleError) -> Int? {
        try scan.check()
        return list.firstIndex(of: word, from: from)
    }

    private func submitPartition(_ blocks: ByteView, _ base: Int) throws(ModuleError) {
        var child = Child()
        var output = try Output(scan, in: object)
        let count = min(Int(blocks.loadBigEndian(UInt32.self, at: 200) ?? 0), (blocks.count - 204) / 40)
        let fork = (blocks.loadBigEndian(UInt64.self, at: 24) ?? 0)
        for index in 0..<max(0, count) where output.stoppedBy == 0 {
            try scan.check()
            let place = 204 + 40 * index
            guard let kind = blocks.loadBigEndian(UInt32.self, at: place), kind != .max,
                let sector = blocks.loadBigEndian(UInt64.self, at: place + 8), sector < 1 << 48,
                let sectors = blocks.loadBigEndian(UInt64.self, at: place + 16), sectors < 1 << 48,
                let offset = blocks.loadBigEndian(UInt64.self, at: place + 24),
                let size = blocks.loadBigEndian(UInt64.self, at: place + 32)
            else { break }
            let (start, isTooFar) = offset.addingReportingOverflow(UInt64(base))
            let (whole, isFar) = start.addingReportingOverflow(fork)
            let packed: ByteView
            if !isTooFar, !isFar, whole < UInt64(data.count) {
                packed = data.dropFirst(Int(whole)).prefix(Int(clamping: size))
            } else {
                packed = ByteView()
            }
            let to = Int(sector) * 512
            if kind == 0 || kind == 2 {
                // Nothing is stored; zeros come before what is.
                continue
            }
            if kind == 0x7fff_fffe { continue }
            if output.count < to { _ = try output.append(0, count: to - output.count) }
            try expand(kind, packed, Int(sectors) * 512, &output, &child)
        }
        try close(&output, &child)
        if !child.data.isEmpty { try submit(child) }
    }

    private func expand(
        _ kind: UInt32, _ packed: ByteView, _ size: Int, _ output: inout Output, _ child: inout Child
    ) throws(ModuleError) {
        packedRead += packed.count
        guard packedRead <= 4 * data.count + (16 << 20) else { return overLimit(EM_BUDGET_TOTAL) }
        var end = InflateEnd.complete
        switch kind {
        case 1: _ = try output.append(packed.prefix(size))
        case 0x8000_0004: try expandADC(packed, into: &output)
        case 0x8000_0005: end = try inflateZlib(packed, into: &output).end
        case 0x8000_0006: end = try Streams.expand(packed, by: .bzip2, most: size, into: &output).end
        case 0x8000_0007: end = try expandLZFSE(packed, into: &output) ? .complete : .damaged
        case 0x8000_0008: end = try Streams.expand(packed, by: .xz, most: size, into: &output).end
        default: child.flags |= EM_OBJECT_UNSUPPORTED
        }
        if end == .damaged || end == .truncated { child.flags |= EM_OBJECT_MALFORMED }
    }

    /// Apple Data Compression: runs of literals, and copies with distances of 10 or 16 bits.
    private func expandADC(_ packed: ByteView, into output: inout Output) throws(ModuleError) {
        let start = output.count
        var read = 0
        while read < packed.count {
            if read & 0xfff == 0 { try scan.check() }
            let code = Int(packed[read])
            if code & 0x80 != 0 {
                let count = (code & 0x7f) + 1
                guard try output.append(packed.slice(read + 1, read + 1 + count)) else { return }
                read += 1 + count
                continue
            }
            let isLong = code & 0x40 != 0
            guard read + (isLong ? 2 : 1) < packed.count else { return }
            let count = isLong ? (code & 0x3f) + 4 : (code >> 2 & 0xf) + 3
            let distance =
                isLong
                ? Int(packed[read + 1]) << 8 + Int(packed[read + 2]) : (code & 3) << 8 + Int(packed[read + 1])
            guard distance + 1 <= output.count - start,
                try output.repeatBytes(from: distance + 1, count: count)
            else { return }
            read += isLong ? 3 : 2
        }
    }

    private func decodeBase64(_ text: ByteView, into output: inout Output) throws(ModuleError) {
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for index in 0..<text.count {
            if index & 0xffff == 0 { try scan.check() }
            let value: UInt8
            switch text[index] {
            case 0x41...0x5a: value = text[index] - 0x41
            case 0x61...0x7a: value = text[index] - 0x61 + 26
            case 0x30...0x39: value = text[index] - 0x30 + 52
            case 0x2b: value = 62
            case 0x2f: value = 63
            default: continue
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            guard try output.append(UInt8(truncatingIfNeeded: bits >> count)) else { return }
        }
    }
}
