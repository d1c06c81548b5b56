import Bytes
import CArchive
import CVD

/// Takes files of some endings out of an archive: zip, tar with gzip, or gzip alone.
///
/// Members keep their names only for messages; nothing is written under them.
enum ArchiveMembers {
    private static let memberLimit = 100_000
    private static let totalLimit = 4 << 30

    /// - Parameters:
    ///   - name: of the archive; gives the name of what gzip alone has packed.
    ///   - sink: takes the members; what it took is good only when this returns.
    static func read(
        _ bytes: ByteView, name: String, endings: Set<String>, _ sink: inout some CVDMemberSink
    ) throws(CVDError) {
        guard let archive = archive_read_new() else { throw CVDError(.limit, "there is no memory to unpack it") }
        defer { archive_read_free(archive) }
        // One by one: the functions for all formats would run programs.
        var isReady = archive_read_support_filter_gzip(archive) == ARCHIVE_OK
        let isPlain = Formats.ending(of: name) == "gz"
        if isPlain {
            isReady = isReady && archive_read_support_format_raw(archive) == ARCHIVE_OK
        } else {
            // By its directory at the end: one that was cut has none.
            isReady = isReady && archive_read_support_format_zip_seekable(archive) == ARCHIVE_OK
            isReady = isReady && archive_read_support_format_tar(archive) == ARCHIVE_OK
        }
        guard isReady, archive_read_open_memory(archive, bytes.base, bytes.count) == ARCHIVE_OK else {
            throw CVDError(.malformed, "it is no archive that can be read")
        }
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { chunk.deallocate() }
        var count = 0
        var used = 0
        var total = 0
        while true {
            var entry: OpaquePointer?
            let result = archive_read_next_header(archive, &entry)
            if result == ARCHIVE_EOF { break }
            guard result == ARCHIVE_OK || result == ARCHIVE_WARN, let entry else {
                throw CVDError(.malformed, "it is damaged")
            }
            count += 1
            guard count <= memberLimit else { throw CVDError(.limit, "it has too many members") }
            let member = isPlain ? String(name.dropLast(3)) : Self.name(of: entry)
            guard archive_entry_filetype(entry) == 0o100000, endings.contains(Formats.ending(of: member)) else {
                continue
            }
            used += 1
            try sink.begin(member, size: 0)
            while true {
                let got = archive_read_data(archive, chunk.baseAddress, chunk.count)
                if got == 0 { break }
                guard got > 0 else { throw CVDError(.malformed, "\(member) in it is damaged") }
                total += got
                guard total <= totalLimit else {
                    throw CVDError(.limit, "its members are larger than \(totalLimit) bytes")
                }
                try sink.append(ByteView(UnsafeRawBufferPointer(rebasing: chunk[..<got])))
            }
            try sink.end()
        }
        // What it held before would be lost in silence.
        guard used > 0 else { throw CVDError(.malformed, "there is no file in it with an ending that is allowed") }
    }

    /// The last component, printable characters only.
    private static func name(of entry: OpaquePointer) -> String {
        guard let path = archive_entry_pathname(entry) else { return "" }
        let text = String(cString: path)
        let last = text.split(separator: "/").last.map(String.init) ?? ""
        return String(decoding: last.utf8.prefix(200).map { $0 > 0x20 && $0 < 0x7f ? $0 : 0x5f }, as: UTF8.self)
    }
}
