import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// NTFS: the content of every file record that is in use, and further streams of a file beside it.
final class NTFSUnpacker: Unpacker {
    private var volume: NTFSVolume?
    private var number = 0
    private var record: NTFSRecord?
    private var bytes: [UInt8] = []
    private var stream = 0

    /// Before it stand the file system's own files.
    private static let firstFile = 16

    static var extractor: Extractor {
        Extractor(
            "NTFS",
            identify: { NTFSVolume.isOne($0.data) ? .magic(EM_TYPE_ARCHIVE) : nil },
            open: { scan, object, _ throws(ModuleError) in NTFSUnpacker(scan, object, format: "NTFS") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        if volume == nil {
            guard let read = NTFSVolume(data) else {
                found(EM_OBJECT_MALFORMED | EM_OBJECT_UNSUPPORTED)
                return false
            }
            volume = read
            number = Self.firstFile
        }
        guard let volume else { return false }
        while true {
            try scan.check()
            if let record, stream < record.streams.count {
                stream += 1
                if try submit(record.streams[stream - 1], of: record, volume) { return true }
                continue
            }
            guard number < volume.recordCount else { return false }
            record = nil
            stream = 0
            if let read = volume.record(number) {
                let found = NTFSRecord(read, number)
                if found.isInUse, found.base >= Self.firstFile || found.base == 0 {
                    record = found
                    bytes = read
                }
            }
            number += 1
        }
    }

    private func submit(
        _ stream: NTFSRecord.Stream, of record: NTFSRecord, _ volume: NTFSVolume
    ) throws(ModuleError) -> Bool {
        guard stream.size > 0 else { return false }
        var child = Child()
        var name = record.name.withUnsafeBufferPointer { Charset.utf16LittleEndian.decode(ByteView($0)) }
        if !stream.name.isEmpty {
            name += [0x3a] + stream.name.withUnsafeBufferPointer { Charset.utf16LittleEndian.decode(ByteView($0)) }
        }
        if stream.isEncrypted { child.flags |= EM_OBJECT_ENCRYPTED }
        switch stream.place {
        case .resident(let range):
            var output = try Output(scan, in: object, expected: range.count)
            _ = try output.append(Array(bytes[range]))
            try close(&output, &child)
        case .runs(let runs):
            if stream.size != .max { child.statedSize = stream.size }
            if stream.isCompressed, !stream.isEncrypted {
                if try !readCompressed(runs, stream, volume, &child) {
                    child.flags |= EM_OBJECT_UNSUPPORTED
                    try read(runs, stream.size, volume, &child)
                }
            } else {
                try read(runs, stream.size, volume, &child)
            }
            guard !child.data.isEmpty else {
                found(child.flags | EM_OBJECT_TRUNCATED)
                return false
            }
        }
        try submit(child, name: name)
        return true
    }

    /// In place when the clusters lie one behind another.
    private func read(
        _ runs: [NTFSRun], _ size: UInt64, _ volume: NTFSVolume, _ child: inout Child
    ) throws(ModuleError) {
        if runs.count == 1, let start = runs[0].start {
            let whole = volume.bytes(runs[0])
            child.data = whole.prefix(Int(clamping: size))
            child.offset = start &* UInt64(volume.clusterSize)
            child.extent = UInt64(child.data.count)
            child.flags |= EM_OBJECT_IN_PLACE
            if size != .max, UInt64(child.data.count) < size { child.flags |= EM_OBJECT_TRUNCATED }
            return
        }
        var output = try Output(scan, in: object, expected: Int(clamping: min(size, UInt64(data.count))))
        var left = size
        for run in runs where left > 0 {
            try scan.check()
            let wanted = min(left, run.count &* UInt64(volume.clusterSize))
            if run.start == nil {
                // What a hole would be in a stream without a size is not known.
                guard size != .max, try output.append(0, count: Int(clamping: wanted)) else { break }
            } else {
                let piece = volume.bytes(run).prefix(Int(clamping: wanted))
                guard try output.append(piece) else { break }
                if UInt64(piece.count) < wanted, size != .max {
                    child.flags |= EM_OBJECT_TRUNCATED
                    break
                }
            }
            left -= wanted
        }
        try close(&output, &child)
    }
}
