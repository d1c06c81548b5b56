import BytesE
package import CModuleABI
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
        guard !isOpenedElsewhere, mayHaveChildren() else { return false }
        while let reader {
            try scan.check()
            let (outcome, entry) = try reader.next()
            if let entry, entry.holdsContent {
                hasChildren = true
                try submitContent(entry, reader)
                return true
            }
            found(flags(outcome, reader))
            if outcome == .end || outcome == .fatal { self.reader = nil }
        }
        return false
    }

    /// Whether a password for it was found: then the archive without its encryption is an object of its own.
    private var isOpenedElsewhere: Bool { scan.notes?.opened.contains(object.pointee.id) == true }

    /// What the archive is, by how the step to an entry ended.
    private func flags(_ outcome: LibarchiveReader.Outcome, _ reader: LibarchiveReader) -> UInt32 {
        let encryption = reader.hasEncryptedEntries ? EM_OBJECT_ENCRYPTED : 0
        switch outcome {
        case .ready, .end: return encryption
        case .failed: return encryption | EM_OBJECT_UNSUPPORTED
        case .fatal:
            // Nothing can be read without the password; an archive of which nothing can be read was not scanned.
            if encryption != 0 { return encryption }
            return hasChildren ? EM_OBJECT_MALFORMED : EM_OBJECT_MALFORMED | EM_OBJECT_UNSUPPORTED
        }
    }

    private func submitContent(_ entry: LibarchiveEntry, _ reader: LibarchiveReader) throws(ModuleError) {
        var child = Child()
        child.flags = entry.flags
        let name = entry.name
        try support.reserveWindow(scan, for: object)
        var output = try Output(scan, in: object, expected: entry.size)
        var outcome = LibarchiveReader.Outcome.ready
        while outcome == .ready, let room = try output.room() {
            let (step, count) = try reader.read(into: room)
            output.advance(count)
            outcome = step
        }
        found(reader.hasEncryptedEntries ? EM_OBJECT_ENCRYPTED : 0)
        if child.flags == 0 {
            // Nothing came out: damaged, or a method that libarchive lacks. Either way it was not scanned.
            let isLost = outcome == .failed || outcome == .fatal && output.count == 0
            child.flags = (isLost ? EM_OBJECT_UNSUPPORTED : 0) | (outcome == .fatal ? EM_OBJECT_MALFORMED : 0)
        }
        if outcome == .fatal { self.reader = nil }
        try close(&output, &child)
        try submit(child, name: name)
    }
}
