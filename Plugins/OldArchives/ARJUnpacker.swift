import BytesE
import CModuleABI
import MIMEE
import ModuleKit
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
    private static func header(_ data: ByteView, at place: Int) -> ByteView? {
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
                var decoder = ARJDecoder(packed)
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

/// Expands what ARJ packs: copies from a window of 26 KiB, their codes renewed in every block.
private struct ARJDecoder {
    private var bits: BitReader
    private var blockLeft = 0
    private var literals = PrefixCode()
    private var distances = PrefixCode()

    init(_ packed: ByteView) { bits = BitReader(packed.buffer) }

    /// Methods 1 to 3; false when it ended early.
    mutating func run(_ size: Int, into output: inout Output) throws(ModuleError) -> Bool {
        var turns = 0
        while output.count < size {
            turns += 1
            if turns & 0xfff == 0 { try output.check() }
            if blockLeft == 0 {
                blockLeft = bits.take(16)
                guard blockLeft > 0, readCodes() else { return false }
            }
            blockLeft -= 1
            guard let symbol = bits.decode(literals), !bits.isPastEnd else { return false }
            if symbol < 256 {
                guard try output.append(UInt8(symbol)) else { return false }
                continue
            }
            guard let code = bits.decode(distances), code < 17 else { return false }
            let distance = (code == 0 ? 0 : 1 << (code - 1) + bits.take(code - 1)) + 1
            guard try copy(symbol - 253, distance, size, &output) else { return false }
        }
        return true
    }

    /// Method 4: fixed codes.
    mutating func fast(_ size: Int, into output: inout Output) throws(ModuleError) -> Bool {
        var turns = 0
        while output.count < size {
            turns += 1
            if turns & 0xfff == 0 { try output.check() }
            guard !bits.isPastEnd else { return false }
            let width = bits.ones(most: 7)
            let length = (1 << width) - 1 + bits.take(width)
            if length == 0 {
                guard try output.append(UInt8(bits.take(8))) else { return false }
                continue
            }
            let far = bits.ones(most: 4)
            let distance = (1 << (9 + far)) - 512 + bits.take(9 + far) + 1
            guard try copy(length + 2, distance, size, &output) else { return false }
        }
        return true
    }

    private func copy(_ count: Int, _ distance: Int, _ size: Int, _ output: inout Output) throws(ModuleError) -> Bool {
        guard distance <= output.count else { return false }
        return try output.repeatBytes(from: distance, count: min(count, size - output.count))
    }

    private mutating func readCodes() -> Bool {
        guard let helper = readLengths(19, 5, 3), let lengths = readLiteralLengths(helper),
            let far = readLengths(17, 5, nil)
        else { return false }
        literals = lengths
        distances = far
        return !bits.isPastEnd
    }

    /// Lengths of three bits, longer ones with a one for each step. Behind the third of the helper's there may be a gap.
    private mutating func readLengths(_ most: Int, _ width: Int, _ gap: Int?) -> PrefixCode? {
        let count = bits.take(width)
        if count == 0 { return PrefixCode(only: bits.take(width)) }
        guard count <= most else { return nil }
        var lengths: [UInt8] = []
        while lengths.count < count {
            var length = bits.take(3)
            if length == 7 { length += bits.ones(most: 13) }
            guard length <= 16 else { return nil }
            lengths.append(UInt8(length))
            if lengths.count == gap {
                for _ in 0..<bits.take(2) { lengths.append(0) }
            }
        }
        return PrefixCode(lengths)
    }

    private mutating func readLiteralLengths(_ helper: PrefixCode) -> PrefixCode? {
        let count = bits.take(9)
        if count == 0 { return PrefixCode(only: bits.take(9)) }
        guard count <= 510 else { return nil }
        var lengths: [UInt8] = []
        while lengths.count < count {
            guard let symbol = bits.decode(helper), !bits.isPastEnd else { return nil }
            switch symbol {
            case 0: lengths.append(0)
            case 1: for _ in 0..<bits.take(4) + 3 { lengths.append(0) }
            case 2: for _ in 0..<bits.take(9) + 20 { lengths.append(0) }
            default:
                guard symbol < 19 else { return nil }
                lengths.append(UInt8(symbol - 2))
            }
        }
        return PrefixCode(lengths)
    }
}
