import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// Images with the file system of DVDs (UDF), alone or beside ISO 9660: every file of every folder. Systems prefer one
/// or the other, so an image with both is opened as both.
final class UDFUnpacker: Unpacker {
    private var volume: UDFVolume?
    /// Folders and files that are still to be read.
    private var waiting: [(block: UInt32, partition: Int, name: [UInt8])] = []
    private var seenFolders: [UInt64] = []
    private var entries = 0

    private static let mostEntries = 100_000
    private static let mostFolders = 4096
    /// Bytes of a folder that are read.
    private static let mostOfFolder = 4 << 20

    static var extractor: Extractor {
        Extractor(
            "UDF",
            identify: { candidate in
                UDFVolume.isOne(candidate.data) ? Claim(.beside, sureness: 90, type: EM_TYPE_ARCHIVE) : nil
            },
            open: { scan, object, _ throws(ModuleError) in UDFUnpacker(scan, object, format: "UDF") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        if volume == nil {
            guard let read = UDFVolume(data) else {
                found(EM_OBJECT_MALFORMED | EM_OBJECT_UNSUPPORTED)
                return false
            }
            volume = read
            waiting = [(read.root.block, read.root.partition, [])]
        }
        guard let volume else { return false }
        while let entry = waiting.popLast() {
            try scan.check()
            guard let node = volume.node(block: entry.block, partition: entry.partition) else {
                found(EM_OBJECT_MALFORMED)
                continue
            }
            if node.isFolder {
                let key = UInt64(entry.partition) << 32 | UInt64(entry.block)
                guard !seenFolders.contains(key) else { continue }
                guard seenFolders.count < Self.mostFolders else {
                    overLimit(EM_BUDGET_OBJECTS)
                    continue
                }
                seenFolders.append(key)
                try read(node, entry.name)
            } else if node.size > 0 {
                try submit(node, entry.name)
                return true
            }
        }
        return false
    }

    private func submit(_ node: UDFVolume.Node, _ name: [UInt8]) throws(ModuleError) {
        var child = Child()
        if node.extents.count == 1, node.extents[0].place.count == node.extents[0].size {
            child = part(node.extents[0].place)
        } else {
            var output = try Output(scan, in: object, expected: Int(clamping: node.size))
            for extent in node.extents {
                let bytes = data.slice(extent.place.lowerBound, extent.place.upperBound)
                guard try output.append(bytes) else { break }
                guard try output.append(0, count: extent.size - bytes.count) else { break }
            }
            try close(&output, &child)
        }
        child.statedSize = node.size
        if UInt64(child.data.count) < node.size, child.flags & EM_OBJECT_OVER_LIMIT == 0 {
            child.flags |= EM_OBJECT_TRUNCATED
        }
        try submit(child, name: name)
    }

    /// Notes what is in a folder: identifiers (14.4) one behind another, each a multiple of 4 bytes.
    private func read(_ folder: UDFVolume.Node, _ path: [UInt8]) throws(ModuleError) {
        var bytes: [UInt8] = []
        for extent in folder.extents where bytes.count < Self.mostOfFolder {
            bytes.append(
                contentsOf: data.slice(extent.place.lowerBound, extent.place.upperBound).prefix(Self.mostOfFolder)
                    .buffer)
        }
        try scan.check()
        var found: [(block: UInt32, partition: Int, name: [UInt8])] = []
        bytes.withUnsafeBufferPointer { buffer in
            let table = ByteView(buffer)
            var place = 0
            while table.load(UInt16.self, at: place) == 257, place + 38 <= table.count, entries < Self.mostEntries,
                let block = table.load(UInt32.self, at: place + 24),
                let partition = table.load(UInt16.self, at: place + 28),
                let use = table.load(UInt16.self, at: place + 36)
            {
                entries += 1
                let flags = table[place + 18]
                let size = Int(table[place + 19])
                let start = place + 38 + Int(use)
                // Deleted ones, and the way up.
                if flags & 0x0c == 0 {
                    let name = Self.name(table.slice(start, start + size))
                    found.append(
                        (block, Int(partition), path.isEmpty ? name : Array((path + [0x2f] + name).prefix(1024))))
                }
                place = (start + size + 3) & ~3
            }
        }
        if entries >= Self.mostEntries { overLimit(EM_BUDGET_OBJECTS) }
        waiting.append(contentsOf: found.reversed())
    }

    /// Characters of one or of two bytes, as the first byte says.
    private static func name(_ raw: ByteView) -> [UInt8] {
        guard !raw.isEmpty else { return [] }
        let text = raw.dropFirst(1)
        return raw[0] == 16 ? Charset.utf16BigEndian.decode(text) : Charset.latin1.decode(text)
    }
}
