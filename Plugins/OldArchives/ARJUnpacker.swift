package import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Passwords
import Unpacking

/// ARJ archives ("ARJ archive file structure" of its manual): stored files, and methods 1 to 4.
final class ARJUnpacker: Unpacker {
    private var position = 0
    private var isStarted = false

    static var extractor: Extractor {
        Extractor(
            "ARJ",
            identify: { ARJEntry($0.data, at: 0) != nil ? Claim(.whole, sureness: 80, type: EM_TYPE_ARCHIVE) : nil },
            open: { scan, object, _ throws(ModuleError) in ARJUnpacker(scan, object, format: "ARJ") })
    }

    override func next() throws(ModuleError) -> Bool {
        // Volumes that were put together are opened as one.
        guard scan.notes?.opened.contains(object.pointee.id) != true, mayHaveChildren() else { return false }
        if !isStarted {
            isStarted = true
            guard let main = ARJEntry(data, at: 0) else { return false }
            position = main.start
        }
        while true {
            try scan.check()
            guard let entry = ARJEntry(data, at: position) else {
                let isEnd = data.load(UInt32.self, at: position) == 0x0000_ea60
                if !isEnd { found(position + 40 >= data.count ? EM_OBJECT_TRUNCATED : EM_OBJECT_MALFORMED) }
                return false
            }
            position = entry.start + entry.packed.count
            // Directories, labels and chapters have nothing to scan.
            guard entry.header[6] < 2 else { continue }
            try submit(entry)
            return true
        }
    }

    private func submit(_ entry: ARJEntry) throws(ModuleError) {
        var child = Child()
        child.offset = UInt64(entry.start)
        child.extent = UInt64(entry.packed.count)
        child.packedSize = UInt64(entry.header.load(UInt32.self, at: 12) ?? 0)
        child.statedSize = UInt64(entry.size)
        child.crc32 = entry.header.load(UInt32.self, at: 20)
        if UInt64(entry.packed.count) < child.packedSize ?? 0 || entry.goesOn || entry.isLaterPiece {
            child.flags |= EM_OBJECT_TRUNCATED
        }
        if entry.isEncrypted {
            child.flags |= EM_OBJECT_ENCRYPTED
        } else {
            switch entry.header[5] {
            case 0:
                child.data = entry.packed
                child.flags |= EM_OBJECT_IN_PLACE
            case 1...4:
                var output = try Output(scan, in: object, expected: entry.size)
                if try !entry.expand(into: &output), output.stoppedBy == 0 { child.flags |= EM_OBJECT_MALFORMED }
                try close(&output, &child)
            default: child.flags |= EM_OBJECT_UNSUPPORTED
            }
        }
        try submit(child, name: entryName(entry.name, isUTF8: false, otherwise: .codePage437))
    }
}

/// Whether an ARJ archive begins here: a main header whose checksum fits.
package func isARJ(_ data: ByteView) -> Bool {
    guard let entry = ARJEntry(data, at: 0), entry.header[6] == 2 else { return false }
    return data.load(UInt32.self, at: 4 + entry.header.count) == checksum(entry.header)
}
