import BytesE
import CModuleABI
import Libarchive
import MIMEE
import ModuleKit
import Passwords
import Unpacking

/// ZIP. Unpackers believe either the central directory or the local headers, and forged archives show each of them
/// something else; so first every entry of the directory is offered, then every local header that the directory
/// does not know or describes otherwise.
final class ZIPUnpacker: Unpacker {
    private enum Stage {
        case central(Int)
        case local(Int)
        case done
    }
    private var stage = Stage.local(0)
    private let directory: ZIPDirectory?
    /// The central headers by the offset of their local header, sorted; in the arena.
    private var known: UnsafeMutableBufferPointer<Known>?

    /// Packed bytes that may still be read. Entries of an honest archive do not overlap; both views of a forged one
    /// read everything twice.
    private var work: UInt64

    /// Passwords to try, once they were collected, and what trying them may still cost.
    var candidates: [[UInt8]]?
    var workLeft = mostRoundsOfObject

    /// Entries so far, directories included.
    private var number: UInt32 = 0

    private struct Known {
        let local: Int
        let central: Int
    }

    /// Reads the directory once to know its entries.
    init(_ scan: ScanContext, _ object: UnsafePointer<em_object>) throws(ModuleError) {
        directory = ZIPDirectory(ByteView(object.pointee.data))
        work = 4 * object.pointee.data.len + (16 << 20)
        super.init(scan, object, format: "ZIP")
        guard let directory else { return }
        stage = .central(directory.start)
        try index(directory)
    }

    private func index(_ directory: ZIPDirectory) throws(ModuleError) {
        var count = 0
        var position = directory.start
        while let entry = ZIPEntry(centralIn: data, at: position) {
            count += 1
            position = entry.end
            if count % 512 == 0 { try scan.check() }
        }
        guard count > 0 else { return }
        let memory = try scan.allocate(count * MemoryLayout<Known>.stride)
        var table = UnsafeMutableBufferPointer(start: memory.bindMemory(to: Known.self, capacity: count), count: count)
        position = directory.start
        var next = 0
        while next < count, let entry = ZIPEntry(centralIn: data, at: position) {
            (table.baseAddress.map { $0 + next })?.initialize(
                to: Known(local: localOffset(entry), central: position))
            next += 1
            position = entry.end
        }
        table.sort { $0.local < $1.local }
        known = table
    }

    private func localOffset(_ entry: ZIPEntry) -> Int {
        let sum = entry.headerOffset.addingReportingOverflow(directory?.shift ?? 0)
        return sum.overflow ? .max : sum.partialValue
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        while true {
            try scan.check()
            switch stage {
            case .central(let position):
                guard let entry = ZIPEntry(centralIn: data, at: position) else {
                    stage = .local(0)
                    continue
                }
                stage = .central(entry.end)
                if try central(entry) { return true }
            case .local(let position):
                guard let found = try nextLocal(from: position) else {
                    if directory == nil { self.found(EM_OBJECT_TRUNCATED) }
                    stage = .done
                    continue
                }
                if try local(found) { return true }
            case .done: return false
            }
        }
    }

    /// Offers an entry of the directory.
    private func central(_ entry: ZIPEntry) throws(ModuleError) -> Bool {
        let at = localOffset(entry)
        guard let header = ZIPEntry(localIn: data, at: at) else {
            found(EM_OBJECT_MALFORMED)
            return false
        }
        return try unpack(entry, from: header.end, headerStart: at).submitted
    }

    /// Offers a local header, unless the directory described it in the same way; sets the stage behind it.
    private func local(_ header: ZIPEntry) throws(ModuleError) -> Bool {
        let offset = header.headerOffset
        let twin = knownEntry(at: offset)
        if let twin {
            let sameSize = header.hasDescriptor || header.packedSize == twin.packedSize
            let packed =
                header.hasDescriptor && header.packedSize == 0
                ? twin.packedSize : min(header.packedSize, twin.packedSize)
            stage = .local(behind(header.end, packed))
            if sameSize, header.method == twin.method, header.isEncrypted == twin.isEncrypted { return false }
        }
        if directory != nil { found(EM_OBJECT_MALFORMED) }
        let result = try unpack(header, from: header.end, headerStart: offset)
        if twin == nil { stage = .local(behind(header.end, UInt64(result.used))) }
        return result.submitted
    }

    private func behind(_ start: Int, _ size: UInt64) -> Int {
        size > UInt64(data.count - start) ? start : start + Int(size)
    }

    /// What the directory says about the local header at an offset; of several headers, the first.
    private func knownEntry(at offset: Int) -> ZIPEntry? {
        guard let known else { return nil }
        var low = 0
        var high = known.count
        while low < high {
            let middle = low + (high - low) / 2
            if known[middle].local < offset { low = middle + 1 } else { high = middle }
        }
        guard low < known.count, known[low].local == offset else { return nil }
        return ZIPEntry(centralIn: data, at: known[low].central)
    }

    /// The next local header at or after an offset.
    private func nextLocal(from start: Int) throws(ModuleError) -> ZIPEntry? {
        var index = start
        var looked = start
        while let hit = data.slice(0, index + 65536 + 3).firstIndex(of: ByteView("PK\u{3}\u{4}"), from: index)
            ?? (index + 65536 < data.count ? -1 : nil)
        {
            if hit < 0 {
                index += 65536
                try scan.check()
                continue
            }
            if let header = ZIPEntry(localIn: data, at: hit) { return header }
            index = hit + 4
            if index - looked > 65536 {
                looked = index
                try scan.check()
            }
        }
        return nil
    }

    /// Unpacks and submits an entry whose data begins at `start`.
    private func unpack(
        _ entry: ZIPEntry, from start: Int, headerStart: Int
    ) throws(ModuleError) -> (submitted: Bool, used: Int) {
        let available = data.dropFirst(start)
        var child = Child()
        child.offset = UInt64(headerStart)
        child.packedSize = entry.packedSize
        child.statedSize = entry.size
        child.crc32 = entry.crc32
        number += 1
        child.position = number
        let isSizeKnown = entry.packedSize > 0 || !entry.hasDescriptor
        var packed = available
        if isSizeKnown {
            if entry.packedSize > UInt64(available.count) { child.flags |= EM_OBJECT_TRUNCATED }
            packed = available.prefix(Int(clamping: entry.packedSize))
        }
        if entry.isEncrypted {
            if isSizeKnown, try decrypt(entry, packed, &child) {
            } else {
                child.flags |= EM_OBJECT_ENCRYPTED
                if !isSizeKnown { packed = ByteView() }
            }
        } else if entry.method == 0 {
            if !isSizeKnown { packed = available.prefix(storedSize(start)) }
            child.data = packed
            child.offset = UInt64(start)
            child.flags |= EM_OBJECT_IN_PLACE
        } else {
            packed = packed.prefix(
                try expand(entry, method: entry.method, packed, isSizeKnown: isSizeKnown, &child))
        }
        child.extent = UInt64(start + packed.count) - child.offset
        // Without a size, only a whole stream says where the entry ends; what else was read may hide others.
        let isWhole = child.flags & (EM_OBJECT_TRUNCATED | EM_OBJECT_MALFORMED) == 0 && !child.data.isEmpty
        let used = isSizeKnown || isWhole ? packed.count : 0
        let read = UInt64(packed.count)
        if read > work {
            // Many entries over the same bytes.
            found(EM_OBJECT_MALFORMED)
            overLimit(EM_BUDGET_TOTAL)
            stage = .done
            work = 0
            return (true, packed.count)
        }
        work -= read
        // Directories, and entries without content.
        if packed.isEmpty, child.data.isEmpty, child.flags & (EM_OBJECT_ENCRYPTED | EM_OBJECT_UNSUPPORTED) == 0 {
            return (false, 0)
        }
        let name =
            entry.unicodeName.isEmpty
            ? entryName(entry.name, isUTF8: entry.isNameUTF8, otherwise: .codePage437)
            : entryName(entry.unicodeName, isUTF8: true, otherwise: .codePage437)
        try submit(child, name: name)
        return (true, used)
    }

    /// The size of stored data whose size stands only behind it (4.3.9): up to a descriptor that fits, else to the
    /// next header, else to the end.
    private func storedSize(_ start: Int) -> Int {
        var index = start
        while let hit = data.firstIndex(of: ByteView("PK"), from: index) {
            switch data.load(UInt32.self, at: hit) {
            case 0x0807_4B50 where data.load(UInt32.self, at: hit + 8).map(Int.init) == hit - start: return hit - start
            case ZIPEntry.localSignature, ZIPEntry.centralSignature: return hit - start
            default: index = hit + 2
            }
        }
        return data.count - start
    }
}
