import CModuleABI
import ScanProtocol

/// Where objects lie: what a verdict tells about the objects that its findings name.
struct ObjectPaths {
    private let records: [ObjectRecord]

    init(_ records: [ObjectRecord]) {
        self.records = records
    }

    /// The named objects and their ancestors, root first.
    func infos(for findings: [Finding]) -> [ObjectInfo] {
        var wanted: Set<UInt64> = []
        for finding in findings {
            var id = finding.object
            while let record = record(id), wanted.insert(id).inserted { id = record.parent }
        }
        return wanted.sorted().map(info)
    }

    private func record(_ id: UInt64) -> ObjectRecord? {
        id >= 1 && id <= UInt64(records.count) ? records[Int(id) - 1] : nil
    }

    private func info(_ id: UInt64) -> ObjectInfo {
        let record = records[Int(id) - 1]
        return ObjectInfo(
            id: id, parent: record.parent, name: printable(record.name), format: printable(record.format),
            type: record.type, flags: record.flags, rootRange: rootRange(id), size: record.size)
    }

    /// The smallest range of the root's bytes that holds the object: in-place children are followed
    /// down, the first encoded one ends it.
    private func rootRange(_ id: UInt64) -> Range<UInt64>? {
        var chain: [ObjectRecord] = []
        var next = id
        while next > 1, let record = record(next) {
            chain.append(record)
            next = record.parent
        }
        guard let size = records.first?.size else { return nil }
        var base: UInt64 = 0
        var range: Range<UInt64>?
        for record in chain.reversed() {
            guard record.offset != .max, base <= size, record.offset <= size - base,
                record.extent <= size - base - record.offset
            else { break }
            base += record.offset
            range = base..<base + record.extent
            if record.flags & EM_OBJECT_IN_PLACE == 0 { break }
        }
        return range
    }
}
