import BytesE
import CArchive
package import CModuleABI
import MIMEE
package import ModuleKit
package import Unpacking

/// An archive of many entries, read by libarchive.
package final class LibarchiveUnpacker: Unpacker {
    private var reader: LibarchiveReader?
    private let support: LibarchiveSupport
    private var hasChildren = false

    package init(
        _ scan: ScanContext, _ object: UnsafePointer<em_object>, format: StaticString, _ support: LibarchiveSupport
    ) {
        self.support = support
        super.init(scan, object, format: format)
        reader = LibarchiveReader(scan, data, support)
        if reader == nil { found(EM_OBJECT_MALFORMED | EM_OBJECT_UNSUPPORTED) }
    }

    package override func next() throws(ModuleError) -> Bool {
        guard let reader, !isOpenedElsewhere, mayHaveChildren() else { return false }
        while true {
            try scan.check()
            var entry: OpaquePointer?
            let outcome = try reader.next(&entry)
            if reader.hasEncryptedEntries { found(EM_OBJECT_ENCRYPTED) }
            switch outcome {
            case .ready: break
            case .end:
                self.reader = nil
                return false
            case .failed:
                found(EM_OBJECT_UNSUPPORTED)
                continue
            case .fatal:
                // An archive of which nothing can be read was not scanned.
                if !reader.hasEncryptedEntries {
                    found(hasChildren ? EM_OBJECT_MALFORMED : EM_OBJECT_MALFORMED | EM_OBJECT_UNSUPPORTED)
                }
                self.reader = nil
                return false
            }
            guard let entry, holdsContent(entry) else { continue }
            hasChildren = true
            try submitContent(entry, reader)
            return true
        }
    }

    /// Whether a password for it was found: then the archive without its encryption is an object of its own.
    private var isOpenedElsewhere: Bool { scan.notes?.opened.contains(object.pointee.id) ?? false }

    /// Whether the entry is a file; links and directories have nothing to scan.
    private func holdsContent(_ entry: OpaquePointer) -> Bool {
        guard archive_entry_hardlink(entry) == nil || archive_entry_size(entry) > 0 else { return false }
        let kind = UInt32(archive_entry_filetype(entry)) & 0o170000
        return kind == 0o100000 || kind == 0
    }

    private func submitContent(_ entry: OpaquePointer, _ reader: LibarchiveReader) throws(ModuleError) {
        var child = Child()
        let name = entryName(of: entry)
        let isEncrypted = archive_entry_is_encrypted(entry) != 0
        if isEncrypted { child.flags |= EM_OBJECT_ENCRYPTED }
        let size = archive_entry_size_is_set(entry) != 0 ? Int(clamping: archive_entry_size(entry)) : Output.step
        try support.reserveWindow(scan, for: object)
        var output = try Output(scan, in: object, expected: size)
        reading: while let room = try output.room() {
            let (outcome, count) = try reader.read(into: room)
            output.advance(count)
            switch outcome {
            case .ready: continue
            case .end: break reading
            case .failed:
                if !isEncrypted { child.flags |= EM_OBJECT_UNSUPPORTED }
                break reading
            case .fatal:
                if child.flags & EM_OBJECT_ENCRYPTED == 0 {
                    // Nothing came out: damaged, or a method that libarchive lacks. Either way it was not scanned.
                    child.flags |= output.count == 0 ? EM_OBJECT_MALFORMED | EM_OBJECT_UNSUPPORTED : EM_OBJECT_MALFORMED
                }
                self.reader = nil
                break reading
            }
        }
        try close(&output, &child)
        try submit(child, name: name)
    }

    private func entryName(of entry: OpaquePointer) -> [UInt8] {
        // The second form is what the archive has, when it is in no known character set.
        guard let text = archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry) else { return [] }
        var length = 0
        while length < 4096, text[length] != 0 { length += 1 }
        let bytes = UnsafeBufferPointer(start: text, count: length).withMemoryRebound(to: UInt8.self) {
            ByteView($0).array
        }
        return bytes.withUnsafeBufferPointer {
            Unpacking.entryName(ByteView($0), isUTF8: false, otherwise: .codePage437)
        }
    }
}
