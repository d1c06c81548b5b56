import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// BinHex 4.0 (RFC 1741): one Macintosh file, both of its forks, as text behind a line that says so.
final class BinHexUnpacker: Unpacker {
    private static let mark: StaticString = "(This file must be converted with BinHex"
    private var stage = 0
    private var text = ByteView()
    /// Sizes of the data fork and of the resource fork.
    private var sizes = (0, 0)
    private var header = 0
    private var name: [UInt8] = []

    static var extractor: Extractor {
        Extractor(
            "BINHEX", option: "av_scan_obj_emails",
            identify: { candidate in
                guard
                    candidate.marks.contains(.binHex)
                        || candidate.declared.equals(ByteView("application/mac-binhex40")),
                    candidate.data.prefix(65536).firstIndex(of: ByteView(mark)) != nil
                else { return nil }
                return Claim(.beside, sureness: 60, type: EM_TYPE_UNKNOWN)
            },
            open: { scan, object, _ throws(ModuleError) in BinHexUnpacker(scan, object, format: "BINHEX") })
    }

    override func next() throws(ModuleError) -> Bool {
        guard stage < 2, mayHaveChildren() else { return false }
        if stage == 0 { try readHeader() }
        defer { stage += 1 }
        let size = stage == 0 ? sizes.0 : sizes.1
        // Checksums of two bytes follow the header and each fork.
        let start = stage == 0 ? header + 2 : header + 2 + sizes.0 + 2
        guard size > 0 else { return stage == 0 }
        var decoder = BinHexDecoder(text)
        var output = try Output(scan, in: object, expected: size)
        try skip(&decoder, start)
        var left = size
        while left > 0, let room = try output.room() {
            var count = 0
            while count < min(room.count, left), let byte = decoder.next() {
                room[count] = byte
                count += 1
            }
            output.advance(count)
            left -= count
            if count == 0 { break }
        }
        var child = Child()
        if left > 0, output.stoppedBy == 0 { child.flags |= EM_OBJECT_TRUNCATED }
        try close(&output, &child)
        try submit(child, name: name)
        return true
    }

    /// Finds the text and reads the header: the length of the name, the name, 0, type, creator, flags, two sizes.
    private func readHeader() throws(ModuleError) {
        guard let mark = data.firstIndex(of: ByteView(Self.mark)) else { return }
        let start = lineEnd(data, from: mark)
        guard let colon = data.firstIndex(of: 0x3a, from: start) else { return found(EM_OBJECT_MALFORMED) }
        let end = data.firstIndex(of: 0x3a, from: colon + 1)
        if end == nil { found(EM_OBJECT_TRUNCATED) }
        text = data.slice(colon + 1, end ?? data.count)
        var decoder = BinHexDecoder(text)
        guard let length = decoder.next(), (1...63).contains(length) else { return found(EM_OBJECT_MALFORMED) }
        for _ in 0..<length { name.append(decoder.next() ?? 0) }
        func number() -> Int {
            var value = 0
            for _ in 0..<4 { value = value << 8 | Int(decoder.next() ?? 0) }
            return value
        }
        for _ in 0..<11 { _ = decoder.next() }
        sizes = (number(), number())
        header = Int(length) + 20
    }

    private func skip(_ decoder: inout BinHexDecoder, _ amount: Int) throws(ModuleError) {
        for index in 0..<amount {
            if index & 0xffff == 0 { try scan.check() }
            guard decoder.next() != nil else { return }
        }
    }
}

/// The bytes of a BinHex text: six bits a character, then runs expanded (0x90, count).
struct BinHexDecoder {
    private let text: ByteView
    private var index = 0
    private var bits: UInt32 = 0
    private var count = 0
    private var repeated: UInt8 = 0
    private var repeats = 0

    init(_ text: ByteView) { self.text = text }

    mutating func next() -> UInt8? {
        if repeats > 0 {
            repeats -= 1
            return repeated
        }
        guard let byte = raw() else { return nil }
        guard byte == 0x90 else {
            repeated = byte
            return byte
        }
        guard let times = raw() else { return nil }
        if times == 0 {
            repeated = 0x90
            return 0x90
        }
        // The byte itself was already given once.
        repeats = max(0, Int(times) - 1)
        return next(after: times)
    }

    private mutating func next(after times: UInt8) -> UInt8? {
        if repeats > 0 {
            repeats -= 1
            return repeated
        }
        return next()
    }

    private mutating func raw() -> UInt8? {
        while count < 8 {
            guard index < text.count else { return nil }
            let value = Self.value(text[index])
            index += 1
            guard value < 64 else { continue }
            bits = bits << 6 | UInt32(value)
            count += 6
        }
        count -= 8
        return UInt8(truncatingIfNeeded: bits >> UInt32(count))
    }

    /// `!"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr`; 255 for anything else.
    private static func value(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x21...0x2d: byte - 0x21
        case 0x30...0x36: byte - 0x30 + 13
        case 0x38...0x39: byte - 0x38 + 20
        case 0x40...0x4e: byte - 0x40 + 22
        case 0x50...0x56: byte - 0x50 + 37
        case 0x58...0x5b: byte - 0x58 + 44
        case 0x60...0x66: byte - 0x60 + 48
        case 0x68...0x6d: byte - 0x68 + 55
        case 0x70...0x72: byte - 0x70 + 61
        default: 255
        }
    }
}
