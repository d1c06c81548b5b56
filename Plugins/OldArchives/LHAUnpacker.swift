import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// LHA archives: headers of the levels 0 to 3; stored files, the methods 1 and 4 to 7, and those of
/// LArc.
final class LHAUnpacker: Unpacker {
    private var position = 0

    static var extractor: Extractor {
        Extractor(
            "LHA",
            identify: { candidate in
                guard let header = LHAHeader(candidate.data, at: 0), header.isPlausible else { return nil }
                return .magic(EM_TYPE_ARCHIVE)
            },
            open: { scan, object, _ throws(ModuleError) in LHAUnpacker(scan, object, format: "LHA") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        while true {
            try scan.check()
            guard let header = LHAHeader(data, at: position) else {
                if position >= data.count {
                    found(EM_OBJECT_TRUNCATED)
                } else if data[position] != 0 {
                    found(EM_OBJECT_MALFORMED)
                }
                return false
            }
            let packed = data.dropFirst(header.end).prefix(Int(clamping: header.packedSize))
            position = header.end + packed.count
            // "-lhd-" is a folder.
            guard header.method != 0x64 else { continue }
            try submit(header, packed)
            return true
        }
    }

    private func submit(_ header: LHAHeader, _ packed: ByteView) throws(ModuleError) {
        var child = Child()
        child.offset = UInt64(header.end)
        child.extent = UInt64(packed.count)
        child.packedSize = header.packedSize
        child.statedSize = header.size
        if UInt64(packed.count) < header.packedSize { child.flags |= EM_OBJECT_TRUNCATED }
        let size = Int(clamping: header.size)
        switch (header.family, header.method) {
        case (_, 0x30), (0x7a, 0x34):
            child.data = packed
            child.flags |= EM_OBJECT_IN_PLACE
        case (0x68, 0x31):
            var output = try Output(scan, in: object, expected: size)
            var decoder = GrowingHuffman(packed)
            if try !decoder.run(size, into: &output), output.stoppedBy == 0 { child.flags |= EM_OBJECT_MALFORMED }
            try close(&output, &child)
        case (0x68, 0x34...0x37):
            var output = try Output(scan, in: object, expected: size)
            let codes = header.method <= 0x35 ? 14 : header.method == 0x36 ? 16 : 17
            var decoder = BlockHuffman(packed, distances: codes, width: codes == 14 ? 4 : 5, before: 0x20)
            if try !decoder.run(size, into: &output), output.stoppedBy == 0 { child.flags |= EM_OBJECT_MALFORMED }
            try close(&output, &child)
        case (0x7a, 0x73), (0x7a, 0x35):
            var output = try Output(scan, in: object, expected: size)
            var decoder = LArc(packed, isNew: header.method == 0x35)
            if try !decoder.run(size, into: &output), output.stoppedBy == 0 { child.flags |= EM_OBJECT_MALFORMED }
            try close(&output, &child)
        default: child.flags |= EM_OBJECT_UNSUPPORTED
        }
        let name = header.name.withUnsafeBufferPointer {
            entryName(ByteView($0), isUTF8: false, otherwise: .codePage437)
        }
        try submit(child, name: name)
    }
}

/// A header of an LHA archive.
struct LHAHeader {
    /// The second and the third letter of the method: "-lh5-" has 0x68 and 0x35.
    let family, method: UInt8
    private(set) var packedSize: UInt64
    private(set) var size: UInt64
    private(set) var name: [UInt8] = []
    /// Where the packed data begins.
    private(set) var end: Int
    let level: UInt8

    init?(_ data: ByteView, at place: Int) {
        let header = data.dropFirst(place)
        guard header.count > 21, header[2] == 0x2d, header[3] == 0x6c || header[3] == 0x70, header[6] == 0x2d,
            let packed = header.load(UInt32.self, at: 7), let size = header.load(UInt32.self, at: 11)
        else { return nil }
        family = header[4]
        method = header[5]
        packedSize = UInt64(packed)
        self.size = UInt64(size)
        level = header[20]
        end = place
        switch level {
        case 0, 1:
            let whole = Int(header[0]) + 2
            guard whole >= 24, header.count >= whole else { return nil }
            name = header.slice(22, min(whole, 22 + Int(header[21]))).array
            end = place + whole
            guard level == 1, let next = header.load(UInt16.self, at: whole - 2) else { return }
            let behind = end
            readMore(data, Int(next), width: 2)
            // Further headers count as packed.
            packedSize -= min(packedSize, UInt64(end - behind))
        case 2:
            guard let whole = header.load(UInt16.self, at: 0), whole >= 26, let next = header.load(UInt16.self, at: 24)
            else { return nil }
            end = place + 26
            readMore(data, Int(next), width: 2)
            end = min(data.count, place + Int(whole))
        case 3:
            guard header.load(UInt16.self, at: 0) == 4, let whole = header.load(UInt32.self, at: 24), whole >= 32,
                let next = header.load(UInt32.self, at: 28), whole < 1 << 20
            else { return nil }
            end = place + 32
            readMore(data, Int(next), width: 4)
            end = min(data.count, place + Int(whole))
        default: return nil
        }
    }

    /// Whether it is likely one, and not only bytes that look so.
    var isPlausible: Bool {
        (family == 0x68 || family == 0x7a || family == 0x6d)
            && (method == 0x64 || method == 0x73 || method &- 0x30 < 10)
    }

    /// Reads further headers: their kind, their content, and the size of the next one.
    private mutating func readMore(_ data: ByteView, _ first: Int, width: Int) {
        var size = first
        var folder: [UInt8] = []
        for _ in 0..<64 {
            guard size > width, end + size <= data.count else { break }
            let body = data.slice(end + 1, end + size - width)
            switch data[end] {
            case 1: name = body.array
            case 2: folder = body.array
            case 0x42:
                if let packed = body.load(UInt64.self, at: 0), let plain = body.load(UInt64.self, at: 8) {
                    packedSize = packed
                    self.size = plain
                }
            default: break
            }
            end += size
            size =
                width == 2
                ? Int(data.load(UInt16.self, at: end - 2) ?? 0) : Int(data.load(UInt32.self, at: end - 4) ?? 0)
        }
        // Parts of a path are divided by 0xFF.
        name = (folder + name).map { $0 == 0xff ? 0x2f : $0 }
    }
}
