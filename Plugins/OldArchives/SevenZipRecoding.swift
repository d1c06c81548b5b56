import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// 7z archives with coders that libarchive lacks: the same archive with what these packed as it is, which then is opened as
/// any other.
final class SevenZipRecoding: Unpacker {
    private var isDone = false

    private static let largestHeader: UInt64 = 64 << 20

    static var extractor: Extractor {
        Extractor(
            "7Z-CODERS",
            identify: { candidate in
                // Which coders there are is most often told in a header that is packed: it is looked at when opened.
                SevenZipFile.isOne(candidate.data) ? .magic(EM_TYPE_ARCHIVE) : nil
            },
            open: { scan, object, _ throws(ModuleError) in SevenZipRecoding(scan, object, format: "7Z") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard !isDone, scan.notes?.opened.contains(object.pointee.id) != true, mayHaveChildren(),
            let header = try plainHeader(), let streams = SevenZipStreams(header, from: 2),
            lacksFiles(header, streams) || recoded(streams).contains(true)
        else { return false }
        isDone = true
        guard let child = try rewritten(streams, header) else { return false }
        scan.notes?.opened.append(object.pointee.id)
        try submit(child, name: ByteView(object.pointee.name).array)
        return true
    }

    /// For each folder, whether it is unpacked here.
    private func recoded(_ streams: SevenZipStreams) -> [Bool] {
        let wanted = SevenZipCoders.unpacked(streams.folders, scan, object)
        return zip(streams.folders, wanted).map { $1 && !$0.isEncrypted }
    }

    /// Whether it is not said which files are in the folders: then it is one in each. libarchive wants that to be said.
    private func lacksFiles(_ header: ByteView, _ streams: SevenZipStreams) -> Bool {
        !streams.folders.isEmpty && header.load(UInt8.self, at: streams.rest) != 8
    }

    /// The header, unpacked when it is packed; nil when it is encrypted or damaged.
    private func plainHeader() throws(ModuleError) -> ByteView? {
        let file = SevenZipFile(data)
        guard let header = file.header, header.count > 1 else { return nil }
        if header[0] == 1, header[1] == 4 { return header }
        guard header[0] == 0x17, let streams = SevenZipStreams(header, from: 1), streams.folders.count == 1,
            !streams.folders[0].isEncrypted, streams.sizes.count == streams.folders[0].packed.count,
            streams.folders[0].sizes.allSatisfy({ $0 <= Self.largestHeader })
        else { return nil }
        var position = streams.position
        var packed: [ByteView] = []
        for size in streams.sizes {
            packed.append(file.packed(position, size))
            position &+= size
        }
        var coders = SevenZipCoders(scan, object, streams.folders[0], packed)
        guard let plain = try coders.content(), plain.count > 1, plain[0] == 1, plain[1] == 4 else { return nil }
        return plain
    }

    /// The archive with the folders unpacked that libarchive does not read; nil when none could be.
    private func rewritten(_ streams: SevenZipStreams, _ header: ByteView) throws(ModuleError) -> Child? {
        let file = SevenZipFile(data)
        var position = streams.position
        var rest = streams.sizes[...]
        var parts: [(folder: SevenZipStreams.Folder, packed: [ByteView])] = []
        var isAny = lacksFiles(header, streams)
        for (folder, isRecoded) in zip(streams.folders, recoded(streams)) {
            guard rest.count >= folder.packed.count else { break }
            var packed: [ByteView] = []
            for size in rest.prefix(folder.packed.count) {
                packed.append(file.packed(position, size))
                position &+= size
            }
            rest = rest.dropFirst(folder.packed.count)
            if !isRecoded {
                parts.append((folder, packed))
                continue
            }
            var coders = SevenZipCoders(scan, object, folder, packed)
            guard let content = try coders.content() else {
                // The files of this folder stay closed, those of the others not.
                found(EM_OBJECT_UNSUPPORTED)
                parts.append((folder, packed))
                continue
            }
            isAny = true
            parts.append((folder.stored(content), [content]))
        }
        guard isAny else { return nil }
        var archive = try Output(scan, in: object, expected: data.count)
        guard try archive.append(0, count: SevenZipWriter.startSize) else { return nil }
        var sizes: [UInt64] = []
        for part in parts {
            for stream in part.packed {
                guard try archive.append(stream) else { return nil }
                sizes.append(UInt64(stream.count))
            }
        }
        var writer = SevenZipWriter()
        writer.streams(parts.map { $0.folder }, sizes)
        if lacksFiles(header, streams) { for byte: UInt8 in [8, 0] { writer.byte(byte) } }
        writer.append(header.dropFirst(streams.rest))
        guard try archive.append(writer.bytes) else { return nil }
        var child = Child()
        try close(&archive, &child)
        writer.start(of: child.data)
        return child
    }
}
