import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Virtual hard disks of Hyper-V (MS-VHDX). Of a differencing disk the blocks that it has come out; a log that was not
/// replayed is left out.
final class VHDXUnpacker: SparseDiskUnpacker {
    // The first half of each identifier of 16 bytes, as a number.
    private static let blockTable: UInt64 = 0x4200_f623_2dc2_7766
    private static let metadata: UInt64 = 0x4b9a_4790_8b7c_a206
    private static let fileParameters: UInt64 = 0x4d43_fa36_caa1_6737
    private static let diskSize: UInt64 = 0x4876_cd1b_2fa5_4224
    private static let sectorSize: UInt64 = 0x4709_a96f_8141_bf1d
    /// Where the two copies of the table of regions lie.
    private static let regionTables = [0x30000, 0x40000]

    static var extractor: Extractor {
        Extractor(
            "VHDX",
            identify: { $0.data.hasPrefix(ByteView("vhdxfile")) ? .magic(EM_TYPE_ARCHIVE) : nil },
            open: { scan, object, _ throws(ModuleError) in VHDXUnpacker(scan, object, format: "VHDX") })
    }

    override func expand(into output: inout Output) throws(ModuleError) {
        guard let table = region(Self.blockTable), let values = region(Self.metadata),
            let parameters = item(Self.fileParameters, in: values), let size = item(Self.diskSize, in: values),
            let sector = item(Self.sectorSize, in: values), let block = parameters.load(UInt32.self, at: 0),
            let wanted = size.load(UInt64.self, at: 0), let sectorSize = sector.load(UInt32.self, at: 0),
            block >= 1 << 20, block <= 1 << 28, block & (block - 1) == 0, sectorSize == 512 || sectorSize == 4096,
            wanted < 1 << 46
        else { return found(EM_OBJECT_MALFORMED | EM_OBJECT_UNSUPPORTED) }
        // After so many blocks stands an entry for a map of sectors.
        let ratio = (1 << 23) * Int(sectorSize) / Int(block)
        let blocks = (Int(wanted) + Int(block) - 1) / Int(block)
        for index in 0..<blocks {
            try scan.check()
            guard let entry = table.load(UInt64.self, at: 8 * (index + index / ratio)) else {
                return found(EM_OBJECT_TRUNCATED)
            }
            // 6: all of the block is there; 7: some of it.
            guard entry & 7 == 6 || entry & 7 == 7 else { continue }
            guard let place = data.place((entry >> 20) << 20) else {
                found(EM_OBJECT_TRUNCATED)
                continue
            }
            let amount = min(Int(block), Int(wanted) - index * Int(block))
            guard try fill(&output, to: index * Int(block)),
                try output.append(data.dropFirst(place).prefix(amount))
            else { return }
        }
    }

    /// The bytes of a region.
    private func region(_ wanted: UInt64) -> ByteView? {
        for start in Self.regionTables where data.dropFirst(start).hasPrefix(ByteView("regi")) {
            let count = min(data.load(UInt32.self, at: start + 8) ?? 0, 2047)
            for index in 0..<Int(count) {
                let entry = start + 16 + 32 * index
                guard data.load(UInt64.self, at: entry) == wanted, let offset = data.load(UInt64.self, at: entry + 16),
                    let length = data.load(UInt32.self, at: entry + 24), let place = data.place(offset)
                else { continue }
                return data.dropFirst(place).prefix(Int(length))
            }
        }
        return nil
    }

    /// A value of the metadata.
    private func item(_ wanted: UInt64, in table: ByteView) -> ByteView? {
        guard table.hasPrefix(ByteView("metadata")), let count = table.load(UInt16.self, at: 10) else { return nil }
        for index in 0..<min(Int(count), 2047) {
            let entry = 32 + 32 * index
            guard table.load(UInt64.self, at: entry) == wanted, let offset = table.load(UInt32.self, at: entry + 16),
                let length = table.load(UInt32.self, at: entry + 20)
            else { continue }
            return table.dropFirst(Int(offset)).prefix(Int(length))
        }
        return nil
    }
}
