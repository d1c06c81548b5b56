import BytesE
import CArchive
import CModuleABI
import MIMEE
import Unpacking

/// What libarchive says of an entry; valid until the reader goes on.
package struct LibarchiveEntry {
    private let entry: OpaquePointer

    init(_ entry: OpaquePointer) { self.entry = entry }

    /// Whether it is a file; links and directories have nothing to scan.
    package var holdsContent: Bool {
        guard archive_entry_hardlink(entry) == nil || archive_entry_size(entry) > 0 else { return false }
        let kind = UInt32(archive_entry_filetype(entry)) & 0o170000
        return kind == 0o100000 || kind == 0
    }

    /// Bytes that it states; 0 when it states none.
    package var size: Int { Int(clamping: archive_entry_size(entry)) }

    /// `EM_OBJECT_ENCRYPTED`, or nothing.
    package var flags: UInt32 { archive_entry_is_encrypted(entry) != 0 ? EM_OBJECT_ENCRYPTED : 0 }

    /// Its path as UTF-8.
    package var name: [UInt8] {
        // The second form is what the archive has, when it is in no known character set.
        guard let text = archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry) else { return [] }
        var length = 0
        while length < 4096, text[length] != 0 { length += 1 }
        return UnsafeBufferPointer(start: text, count: length).withMemoryRebound(to: UInt8.self) {
            entryName(ByteView($0), isUTF8: false, otherwise: .codePage437)
        }
    }
}
