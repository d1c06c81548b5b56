import BytesE
import CModuleABI
import ModuleKit
import Streams
import Unpacking

/// Images of QEMU, versions 2 and 3 (docs/interop/qcow2.rst of QEMU). Clusters may be compressed.
final class QCOWUnpacker: SparseDiskUnpacker {
    static var extractor: Extractor {
        Extractor(
            "QCOW2",
            identify: { candidate in
                guard candidate.data.loadBigEndian(UInt32.self, at: 0) == 0x5146_49fb,
                    let version = candidate.data.loadBigEndian(UInt32.self, at: 4), (2...3).contains(version)
                else { return nil }
                return .magic(EM_TYPE_ARCHIVE)
            },
            open: { scan, object, _ throws(ModuleError) in QCOWUnpacker(scan, object, format: "QCOW2") })
    }

    override func expand(into output: inout Output) throws(ModuleError) {
        guard let version = data.loadBigEndian(UInt32.self, at: 4), let bits = data.loadBigEndian(UInt32.self, at: 20),
            (9...21).contains(bits), let encryption = data.loadBigEndian(UInt32.self, at: 32),
            let stated = data.loadBigEndian(UInt32.self, at: 36), let start = data.loadBigEndian(UInt64.self, at: 40),
            let table = data.place(start)
        else { return found(EM_OBJECT_MALFORMED) }
        guard encryption == 0 else { return found(EM_OBJECT_ENCRYPTED) }
        let hasFeatures = version == 3
        let features = hasFeatures ? data.loadBigEndian(UInt64.self, at: 72) ?? 0 : 0
        // An external data file, or entries of another size.
        guard features & 0b1_0100 == 0 else { return found(EM_OBJECT_UNSUPPORTED) }
        let isZstandard = features & 8 != 0 && data.count > 104 && data[104] == 1
        let size = 1 << Int(bits)
        // Of a right image each table is there once.
        var entriesLeft = data.count / 8
        for number in 0..<min(Int(stated), (data.count - table) / 8) {
            try scan.check()
            let entry = (data.loadBigEndian(UInt64.self, at: table + 8 * number) ?? 0) & 0x00ff_ffff_ffff_fe00
            guard entry != 0 else { continue }
            guard let second = data.place(entry) else {
                found(EM_OBJECT_TRUNCATED)
                continue
            }
            let entries = min(size / 8, (data.count - second) / 8)
            entriesLeft -= entries
            guard entriesLeft >= 0 else { return overLimit(EM_BUDGET_OBJECTS) }
            for index in 0..<entries {
                let entry = data.loadBigEndian(UInt64.self, at: second + 8 * index) ?? 0
                let isCompressed = entry & 1 << 62 != 0
                guard entry & 0x3fff_ffff_ffff_ffff != 0, isCompressed || !hasFeatures || entry & 1 == 0 else {
                    continue
                }
                try scan.check()
                let (to, isTooFar) = (number * (size / 8) + index).multipliedReportingOverflow(by: size)
                guard !isTooFar, try fill(&output, to: to) else { return }
                if isCompressed {
                    let split = UInt64(62 - (Int(bits) - 8))
                    let offset = entry & ((1 << split) - 1)
                    let sectors = (entry >> split) & ((1 << (62 - split)) - 1)
                    guard let place = data.place(offset) else { continue }
                    let packed = data.slice(place, (place / 512 + Int(sectors) + 1) * 512)
                    try expand(packed, isZstandard, size, &output)
                } else if let place = data.place(entry & 0x00ff_ffff_ffff_fe00) {
                    guard try output.append(data.dropFirst(place).prefix(size)) else { return }
                } else {
                    found(EM_OBJECT_TRUNCATED)
                }
                if output.stoppedBy != 0 { return }
            }
        }
    }

    private func expand(
        _ packed: ByteView, _ isZstandard: Bool, _ size: Int, _ output: inout Output
    ) throws(ModuleError) {
        let end: InflateEnd
        if isZstandard {
            end = try Streams.expand(packed, by: .zstd, most: size, into: &output).end
        } else {
            end = try inflateRaw(packed, into: &output).end
        }
        if end == .damaged || end == .truncated { found(EM_OBJECT_MALFORMED) }
    }
}
