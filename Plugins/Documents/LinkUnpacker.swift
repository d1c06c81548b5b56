import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Shell links (MS-SHLLINK): what follows the link itself, which droppers carry there.
final class LinkUnpacker: Unpacker {
    private var isDone = false

    static var extractor: Extractor {
        Extractor(
            "LNK",
            identify: { candidate in
                let data = candidate.data
                guard data.load(UInt32.self, at: 0) == 0x4c, data.load(UInt32.self, at: 4) == 0x0002_1401 else {
                    return nil
                }
                return .magic(EM_TYPE_LNK)
            },
            open: { scan, object, _ throws(ModuleError) in LinkUnpacker(scan, object, format: "LNK") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard !isDone, mayHaveChildren() else { return false }
        isDone = true
        guard let end = linkEnd(), end < data.count else { return false }
        var child = Child()
        child.data = data.dropFirst(end)
        child.offset = UInt64(end)
        child.extent = UInt64(child.data.count)
        child.flags = EM_OBJECT_IN_PLACE
        try submit(child)
        return true
    }

    /// Header, target list, location, strings, blocks of extra data.
    private func linkEnd() -> Int? {
        guard let flags = data.load(UInt32.self, at: 20) else { return nil }
        var index = 0x4c
        if flags & 0x01 != 0 {
            guard let size = data.load(UInt16.self, at: index) else { return nil }
            index += 2 + Int(size)
        }
        if flags & 0x02 != 0 {
            guard let size = data.load(UInt32.self, at: index) else { return nil }
            index += Int(size)
        }
        let unit = flags & 0x80 != 0 ? 2 : 1
        for bit in 2...6 where flags >> UInt32(bit) & 1 != 0 {
            guard let count = data.load(UInt16.self, at: index) else { return nil }
            index += 2 + Int(count) * unit
        }
        while let size = data.load(UInt32.self, at: index) {
            if size < 4 { return index + 4 }
            index += Int(size)
            if index > data.count { return nil }
        }
        return nil
    }
}
