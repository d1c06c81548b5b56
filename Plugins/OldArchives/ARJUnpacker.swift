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
            identify: { header($0.data, at: 0) != nil ? Claim(.whole, sureness: 80, type: EM_TYPE_ARCHIVE) : nil },
            open: { scan, object, _ throws(ModuleError) in ARJUnpacker(scan, object, format: "ARJ") })
    }

    /// The basic header behind a mark and its size, with the names that follow it.
    fileprivate static func header(_ data: ByteView, at place: Int) -> ByteView? {
        guard data.load(UInt16.self, at: place) == 0xea60, let size = data.load(UInt16.self, at: place + 2),
            (30...2600).contains(size), place + 4 + Int(size) + 6 <= data.count
        else { return nil }
        let header = data.slice(place + 4, place + 4 + Int(size))
        return Int(header[0]) >= 30 && Int(header[0]) < header.count ? header : nil
    }

    /// Goes behind a header: its checksum, then further headers, each with a checksum of its own.
    private func skip(_ header: ByteView) -> Bool {
        position += 4 + header.count + 4
        for _ in 0..<16 {
            guard let size = data.load(UInt16.self, at: position) else { return false }
            position += 2
            if size == 0 { return true }
            position += Int(size) + 4
        }
        return false
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        if !isStarted {
            isStarted = true
            guard let main = Self.header(data, at: 0), skip(main) else { return false }
        }
        while true {
            try scan.check()
            guard let header = Self.header(data, at: position) else {
                let isEnd = data.load(UInt32.self, at: position) == 0x0000_ea60
                if !isEnd { found(position >= data.count ? EM_OBJECT_TRUNCATED : EM_OBJECT_MALFORMED) }
                return false
            }
            guard skip(header) else {
                found(EM_OBJECT_TRUNCATED)
                return false
            }
            let start = position
            let packed = Int(header.load(UInt32.self, at: 12) ?? 0)
            position += packed
            // Directories, labels and chapters have nothing to scan.
            guard header[6] < 2 else { continue }
            try submit(header, data.dropFirst(start).prefix(packed), start)
            return true
        }
    }

    private func submit(_ header: ByteView, _ packed: ByteView, _ start: Int) throws(ModuleError) {
        var child = Child()
        child.offset = UInt64(start)
        child.extent = UInt64(packed.count)
        child.packedSize = UInt64(header.load(UInt32.self, at: 12) ?? 0)
        let size = Int(header.load(UInt32.self, at: 16) ?? 0)
        child.statedSize = UInt64(size)
        child.crc32 = header.load(UInt32.self, at: 20)
        if UInt64(packed.count) < child.packedSize ?? 0 { child.flags |= EM_OBJECT_TRUNCATED }
        if header[4] & 1 != 0 {
            child.flags |= EM_OBJECT_ENCRYPTED
        } else {
            switch header[5] {
            case 0:
                child.data = packed
                child.flags |= EM_OBJECT_IN_PLACE
            case 1...4:
                var output = try Output(scan, in: object, expected: size)
                var decoder = BlockHuffman(packed, distances: 17, width: 5)
                let isWhole = try header[5] == 4 ? decoder.fast(size, into: &output) : decoder.run(size, into: &output)
                if !isWhole, output.stoppedBy == 0 { child.flags |= EM_OBJECT_MALFORMED }
                try close(&output, &child)
            default: child.flags |= EM_OBJECT_UNSUPPORTED
            }
        }
        let name = header.dropFirst(Int(header[0]))
        try submit(
            child,
            name: entryName(name.prefix(name.firstIndex(of: 0) ?? name.count), isUTF8: false, otherwise: .codePage437))
    }
}

/// Whether an ARJ archive begins here: a main header whose checksum fits.
package func isARJ(_ data: ByteView) -> Bool {
    guard let header = ARJUnpacker.header(data, at: 0), header[6] == 2 else { return false }
    return data.load(UInt32.self, at: 4 + header.count) == checksum(header)
}
