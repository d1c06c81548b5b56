import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Sparse extents of VMware ("Virtual Disk Format" 5.0): monolithic ones and stream-optimized ones with their grains
/// deflated.
final class VMDKUnpacker: SparseDiskUnpacker {
    static var extractor: Extractor {
        Extractor(
            "VMDK",
            identify: { $0.data.count > 512 && $0.data.hasPrefix(ByteView("KDMV")) ? .magic(EM_TYPE_ARCHIVE) : nil },
            open: { scan, object, _ throws(ModuleError) in VMDKUnpacker(scan, object, format: "VMDK") })
    }

    override func expand(into output: inout Output) throws(ModuleError) {
        var header = data
        // The directory of a stream is known at its end only: a footer says where.
        if data.load(UInt64.self, at: 56) == UInt64.max {
            header = data.dropFirst(max(0, data.count - 1024))
            guard header.hasPrefix(ByteView("KDMV")) else { return found(EM_OBJECT_TRUNCATED) }
        }
        guard let flags = header.load(UInt32.self, at: 8), let capacity = header.load(UInt64.self, at: 12),
            let grain = header.load(UInt64.self, at: 20), (1...65536).contains(grain),
            let perTable = header.load(UInt32.self, at: 44), (1...65536).contains(perTable),
            let start = header.load(UInt64.self, at: 56), start < 1 << 40, let directory = data.place(start * 512)
        else { return found(EM_OBJECT_MALFORMED) }
        let isCompressed = flags & 1 << 16 != 0
        let size = Int(grain) * 512
        let sectors = min(capacity, 1 << 40)
        let tables = Int((sectors + grain * UInt64(perTable) - 1) / (grain * UInt64(perTable)))
        // Of a right image each table is there once.
        var entriesLeft = data.count / 4
        for number in 0..<min(tables, (data.count - directory) / 4) {
            try scan.check()
            guard let sector = data.load(UInt32.self, at: directory + 4 * number), sector != 0 else { continue }
            guard let table = data.place(UInt64(sector) * 512) else {
                found(EM_OBJECT_TRUNCATED)
                continue
            }
            let entries = min(Int(perTable), (data.count - table) / 4)
            entriesLeft -= entries
            guard entriesLeft >= 0 else { return overLimit(EM_BUDGET_OBJECTS) }
            for index in 0..<entries {
                guard let sector = data.load(UInt32.self, at: table + 4 * index), sector > 1 else { continue }
                guard let place = data.place(UInt64(sector) * 512) else {
                    found(EM_OBJECT_TRUNCATED)
                    continue
                }
                try scan.check()
                let to = (number * Int(perTable) + index) * size
                guard try fill(&output, to: to) else { return }
                if isCompressed {
                    let packed = Int(data.load(UInt32.self, at: place + 8) ?? 0)
                    let result = try inflateZlib(data.dropFirst(place + 12).prefix(packed), into: &output)
                    if result.end == .overLimit { return }
                    if result.end != .complete { found(EM_OBJECT_MALFORMED) }
                } else {
                    guard try output.append(data.dropFirst(place).prefix(size)) else { return }
                }
            }
        }
    }
}
