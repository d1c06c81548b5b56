import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Virtual hard disks of Microsoft ("Virtual Hard Disk Image Format Specification" 1.0): fixed and dynamic ones. Of a
/// differencing disk the blocks that it has come out.
final class VHDUnpacker: SparseDiskUnpacker {
    static var extractor: Extractor {
        Extractor(
            "VHD",
            identify: { footer($0.data) != nil ? Claim(.whole, sureness: 95, type: EM_TYPE_ARCHIVE) : nil },
            open: { scan, object, _ throws(ModuleError) in VHDUnpacker(scan, object, format: "VHD") })
    }

    /// The footer's place: the last sector, or its copy in front of a dynamic disk.
    private static func footer(_ data: ByteView) -> Int? {
        guard data.count >= 1024 else { return nil }
        if data.hasPrefix(ByteView("conectix")) { return 0 }
        for size in [512, 511] where data.dropFirst(data.count - size).hasPrefix(ByteView("conectix")) {
            return data.count - size
        }
        return nil
    }

    override func expand(into output: inout Output) throws(ModuleError) {
        guard let footer = Self.footer(data) else { return }
        if data.loadBigEndian(UInt32.self, at: footer + 60) == 2 {
            _ = try output.append(data.slice(footer == 0 ? 512 : 0, footer == 0 ? data.count : footer))
            return
        }
        guard let start = data.loadBigEndian(UInt64.self, at: footer + 16), let header = data.place(start),
            data.dropFirst(header).hasPrefix(ByteView("cxsparse")),
            let table = data.loadBigEndian(UInt64.self, at: header + 16).flatMap({ data.place($0) }),
            let stated = data.loadBigEndian(UInt32.self, at: header + 28),
            let size = data.loadBigEndian(UInt32.self, at: header + 32), size >= 512, size <= 1 << 28, size % 512 == 0
        else { return found(EM_OBJECT_MALFORMED) }
        let blockSize = Int(size)
        // Each block begins with a bit for each of its sectors, in whole sectors.
        let bitmap = (blockSize / 4096 + 511) / 512 * 512
        let entries = min(Int(stated), (data.count - table) / 4)
        for index in 0..<entries {
            try scan.check()
            guard let sector = data.loadBigEndian(UInt32.self, at: table + 4 * index), sector != .max else { continue }
            guard let place = data.place(UInt64(sector) * 512) else {
                found(EM_OBJECT_TRUNCATED)
                continue
            }
            guard try fill(&output, to: index * blockSize),
                try output.append(data.dropFirst(place + bitmap).prefix(blockSize))
            else { return }
        }
    }
}
