import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Compiled help of Windows (.chm): a directory of pages and files, most of them in one stream of LZX.
final class CHMUnpacker: Unpacker {
    /// An entry of the directory.
    private struct Entry {
        let name: ByteView
        let section: Int
        let offset: Int
        let size: Int
    }

    private let directory: CHMDirectory
    /// The stream of LZX, expanded; lives as long as the unpacker.
    private var content = ByteView()
    private var chunk: Int
    private var position = 0
    private var seen = 0

    static var extractor: Extractor {
        Extractor(
            "CHM",
            identify: { candidate in
                candidate.data.hasPrefix(ByteView("ITSF")) && CHMDirectory(candidate.data) != nil
                    ? .magic(EM_TYPE_ARCHIVE) : nil
            },
            open: { scan, object, _ throws(ModuleError) in try CHMUnpacker(scan, object) })
    }

    private init(_ scan: ScanContext, _ object: UnsafePointer<em_object>) throws(ModuleError) {
        let data = ByteView(object.pointee.data)
        directory = CHMDirectory(data) ?? CHMDirectory()
        chunk = directory.firstChunk
        super.init(scan, object, format: "CHM")
        var control = ByteView()
        var table = ByteView()
        var packed = ByteView()
        while let entry = try nextEntry() {
            guard entry.section == 0, entry.name.hasPrefix(ByteView("::DataSpace/Storage/MSCompressed/")) else {
                continue
            }
            let bytes = stored(entry)
            if entry.name.hasSuffixIgnoringCase(ByteView("/ControlData")) { control = bytes }
            if entry.name.hasSuffixIgnoringCase(ByteView("/ResetTable")) { table = bytes }
            if entry.name.hasSuffixIgnoringCase(ByteView("/Content")) { packed = bytes }
        }
        chunk = directory.firstChunk
        position = 0
        seen = 0
        if !packed.isEmpty { try expand(packed, control, table) }
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        while let entry = try nextEntry() {
            guard entry.size > 0, entry.name.count > 0, !entry.name.hasPrefix(ByteView("::")) else { continue }
            var child = Child()
            if entry.section == 0 {
                child.data = stored(entry)
                child.offset = UInt64(min(data.count, directory.content + entry.offset))
                child.extent = UInt64(child.data.count)
                child.flags |= EM_OBJECT_IN_PLACE
            } else {
                child.data = content.slice(entry.offset, entry.offset + entry.size)
            }
            child.statedSize = UInt64(entry.size)
            if child.data.count < entry.size { child.flags |= EM_OBJECT_TRUNCATED }
            try submit(child, name: entry.name.array)
            return true
        }
        return false
    }

    private func stored(_ entry: Entry) -> ByteView {
        data.slice(directory.content + entry.offset, directory.content + entry.offset + entry.size)
    }

    /// The next entry of the chunks of the directory, which are linked; each is visited once.
    private func nextEntry() throws(ModuleError) -> Entry? {
        while chunk >= 0, chunk < directory.chunkCount, seen <= directory.chunkCount {
            try scan.check()
            let start = directory.start + chunk * directory.chunkSize
            let bytes = data.slice(start, start + directory.chunkSize)
            guard bytes.hasPrefix(ByteView("PMGL")), let free = bytes.load(UInt32.self, at: 4),
                let following = bytes.load(Int32.self, at: 16)
            else { break }
            let end = bytes.count - min(bytes.count, Int(free))
            if position == 0 { position = 20 }
            if position < end, let entry = entry(bytes.prefix(end)) { return entry }
            chunk = Int(following)
            position = 0
            seen += 1
        }
        return nil
    }

    private func entry(_ bytes: ByteView) -> Entry? {
        /// Seven bits in each byte, the highest first; the last has no high bit.
        func number() -> Int? {
            var result = 0
            for _ in 0..<9 {
                guard position < bytes.count else { return nil }
                let byte = bytes[position]
                position += 1
                result = result << 7 | Int(byte & 0x7f)
                if byte & 0x80 == 0 { return result < 1 << 48 ? result : nil }
            }
            return nil
        }
        guard let length = number(), length <= bytes.count - position else { return nil }
        let name = bytes.slice(position, position + length)
        position += length
        guard let section = number(), let offset = number(), let size = number() else { return nil }
        return Entry(name: name, section: section, offset: offset, size: size)
    }

    private func expand(_ packed: ByteView, _ control: ByteView, _ table: ByteView) throws(ModuleError) {
        guard control.slice(4, 8).equals(ByteView("LZXC")), let version = control.load(UInt32.self, at: 8),
            let interval = control.load(UInt32.self, at: 12), let window = control.load(UInt32.self, at: 16),
            let tableHead = table.load(UInt32.self, at: 12), let size = table.load(UInt64.self, at: 16),
            table.load(UInt64.self, at: 32) == 0x8000, size < 1 << 40
        else { return found(EM_OBJECT_UNSUPPORTED) }
        let unit = version >= 2 ? 0x8000 : 1
        let (windowSize, frames) = (Int(window) * unit, max(1, Int(interval) * unit / 0x8000))
        guard windowSize >= 1 << 15, windowSize <= 1 << 21, windowSize & (windowSize - 1) == 0 else {
            return found(EM_OBJECT_UNSUPPORTED)
        }
        var output = try Output(scan, in: object, expected: Int(size))
        let isWhole = try expandLZXFrames(
            { number in
                guard let offset = table.load(UInt64.self, at: Int(tableHead) + 8 * number),
                    offset < UInt64(packed.count)
                else { return nil }
                return packed.dropFirst(Int(offset))
            }, size: Int(size), window: windowSize, interval: frames, into: &output)
        content = try output.finish()
        if output.stoppedBy != 0 {
            overLimit(output.stoppedBy)
        } else if !isWhole {
            found(EM_OBJECT_MALFORMED)
        }
    }
}

/// Where the directory of compiled help lies (headers "ITSF" and "ITSP").
private struct CHMDirectory {
    /// Of the first chunk.
    var start = 0
    var chunkSize = 1
    var chunkCount = 0
    var firstChunk = -1
    /// Where what is not packed begins.
    var content = 0

    init() {}

    init?(_ data: ByteView) {
        guard let version = data.load(UInt32.self, at: 4), let place = data.load(UInt64.self, at: 0x48),
            let length = data.load(UInt64.self, at: 0x50), place < UInt64(data.count), length <= UInt64(data.count)
        else { return nil }
        let head = data.dropFirst(Int(place))
        guard head.hasPrefix(ByteView("ITSP")), let headSize = head.load(UInt32.self, at: 8),
            let chunkSize = head.load(UInt32.self, at: 16), let first = head.load(Int32.self, at: 32),
            let count = head.load(UInt32.self, at: 44), (64...1 << 20).contains(chunkSize)
        else { return nil }
        start = Int(place) + Int(headSize)
        self.chunkSize = Int(chunkSize)
        chunkCount = min(Int(count), data.count / Int(chunkSize) + 1)
        firstChunk = Int(first)
        let stated = version >= 3 ? data.load(UInt64.self, at: 0x58) : place + length
        guard let stated, stated <= UInt64(data.count) else { return nil }
        content = Int(stated)
    }
}
