import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// Archives of WinAce, also behind a program: stored files; packed ones, for which there is no free decoder, are told as
/// unsupported.
final class ACEUnpacker: Unpacker {
    private var position = 0

    static var extractor: Extractor {
        Extractor(
            "ACE",
            identify: { candidate in
                candidate.data.slice(7, 14).equals(ByteView("**ACE**")) ? .magic(EM_TYPE_ARCHIVE) : nil
            },
            open: { scan, object, _ throws(ModuleError) in ACEUnpacker(scan, object, format: "ACE") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        while let size = data.load(UInt16.self, at: position + 2), let flags = data.load(UInt16.self, at: position + 5)
        {
            try scan.check()
            let header = position
            let type = data[header + 4]
            let headerEnd = header + 4 + Int(size)
            guard size >= 3 else { break }
            // Whatever has a size behind its header says so.
            let more = flags & 1 != 0 ? Int(data.load(UInt32.self, at: header + 7) ?? 0) : 0
            position = headerEnd + more
            guard type == 1, let full = data.load(UInt32.self, at: header + 11),
                let nameSize = data.load(UInt16.self, at: header + 33), headerEnd <= data.count
            else { continue }
            let packed = data.slice(headerEnd, position)
            var child = Child()
            child.offset = UInt64(headerEnd)
            child.extent = UInt64(packed.count)
            child.statedSize = UInt64(full)
            if packed.count < more { child.flags |= EM_OBJECT_TRUNCATED }
            if flags & 0x4000 != 0 {
                child.flags |= EM_OBJECT_ENCRYPTED
            } else if data[header + 27] == 0 {
                child.data = packed
                child.flags |= EM_OBJECT_IN_PLACE
            } else {
                child.flags |= EM_OBJECT_UNSUPPORTED
            }
            guard !packed.isEmpty else { continue }
            let name = data.slice(header + 35, min(headerEnd, header + 35 + Int(nameSize)))
            try submit(child, name: entryName(name, isUTF8: false, otherwise: .codePage437))
            return true
        }
        if position > data.count { found(EM_OBJECT_TRUNCATED) }
        return false
    }
}
