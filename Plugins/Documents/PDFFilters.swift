import BytesE
import ModuleKit
import Unpacking

/// The filters of PDF streams (ISO 32000-1, 7.4).
enum PDFFilter {
    case flate, lzw, ascii85, asciiHex, runLength
    /// Encryption with no effect of its own here.
    case crypt
    /// Pictures: what they decode to carries no files.
    case picture
    case unknown

    init(_ syntax: PDFSyntax, at place: Range<Int>) {
        func named(_ long: StaticString, _ short: StaticString) -> Bool {
            syntax.isName(at: place, long) || syntax.isName(at: place, short)
        }
        if named("FlateDecode", "Fl") {
            self = .flate
        } else if named("LZWDecode", "LZW") {
            self = .lzw
        } else if named("ASCII85Decode", "A85") {
            self = .ascii85
        } else if named("ASCIIHexDecode", "AHx") {
            self = .asciiHex
        } else if named("RunLengthDecode", "RL") {
            self = .runLength
        } else if syntax.isName(at: place, "Crypt") {
            self = .crypt
        } else if named("DCTDecode", "DCT") || named("CCITTFaxDecode", "CCF") || syntax.isName(at: place, "JPXDecode")
            || syntax.isName(at: place, "JBIG2Decode")
        {
            self = .picture
        } else {
            self = .unknown
        }
    }

    /// Decodes; damage ends it, and what came out until then counts. False when the data was damaged.
    func decode(_ input: ByteView, earlyChange: Bool, into output: inout Output) throws(ModuleError) -> Bool {
        switch self {
        case .flate: try Self.flate(input, into: &output)
        case .lzw: try Self.lzw(input, earlyChange: earlyChange, into: &output)
        case .ascii85: try Self.ascii85(input, into: &output)
        case .asciiHex: try Self.asciiHex(input, into: &output)
        case .runLength: try Self.runLength(input, into: &output)
        case .crypt, .picture, .unknown: try output.append(input)
        }
    }

    private static func flate(_ input: ByteView, into output: inout Output) throws(ModuleError) -> Bool {
        let result = try inflateZlib(input, into: &output)
        if output.count > 0 || result.end == .complete { return result.end == .complete }
        // Readers forgive a missing or damaged header.
        return try inflateRaw(input.dropFirst(2), into: &output).end == .complete
    }

    private static func asciiHex(_ input: ByteView, into output: inout Output) throws(ModuleError) -> Bool {
        var high: UInt8?
        for index in 0..<input.count {
            if index & 0xffff == 0 { try output.check() }
            if input[index] == 0x3e { break }
            guard let digit = PDFSyntax.digit(input[index]) else { continue }
            if let first = high {
                guard try output.append(first << 4 | digit) else { return true }
                high = nil
            } else {
                high = digit
            }
        }
        if let high { _ = try output.append(high << 4) }
        return true
    }

    private static func ascii85(_ input: ByteView, into output: inout Output) throws(ModuleError) -> Bool {
        var group: UInt64 = 0
        var count = 0
        var index = input.hasPrefix(ByteView("<~")) ? 2 : 0
        while index < input.count {
            if index & 0xffff == 0 { try output.check() }
            let byte = input[index]
            index += 1
            if byte == 0x7e { break }
            if byte == 0x7a, count == 0 {
                guard try output.append(0, count: 4) else { return true }
                continue
            }
            guard (0x21...0x75).contains(byte) else { continue }
            group = group * 85 + UInt64(byte - 0x21)
            count += 1
            if count == 5 {
                guard try append(group, 4, into: &output) else { return true }
                group = 0
                count = 0
            }
        }
        if count > 1 {
            for _ in count..<5 { group = group * 85 + 84 }
            _ = try append(group, count - 1, into: &output)
        }
        return true
    }

    private static func append(_ group: UInt64, _ count: Int, into output: inout Output) throws(ModuleError) -> Bool {
        for index in 0..<count {
            guard try output.append(UInt8(truncatingIfNeeded: group >> UInt64(24 - 8 * index))) else { return false }
        }
        return true
    }

    private static func runLength(_ input: ByteView, into output: inout Output) throws(ModuleError) -> Bool {
        var index = 0
        while index < input.count, input[index] != 128 {
            try output.check()
            let length = Int(input[index])
            if length < 128 {
                guard try output.append(input.slice(index + 1, index + 2 + length)) else { return true }
                index += 2 + length
            } else {
                guard index + 1 < input.count else { return false }
                guard try output.append(input[index + 1], count: 257 - length) else { return true }
                index += 2
            }
        }
        return true
    }

    /// LZW as in TIFF: codes of 9 to 12 bits, most significant bit first.
    private static func lzw(_ input: ByteView, earlyChange: Bool, into output: inout Output) throws(ModuleError) -> Bool
    {
        // Where in the output each code's bytes lie, and how many.
        var starts = [Int](repeating: 0, count: 4096)
        var lengths = [Int](repeating: 0, count: 4096)
        var next = 258
        var width = 9
        var previous = -1
        var previousStart = 0
        var bits: UInt32 = 0
        var count = 0
        var index = 0
        while true {
            while count < width {
                guard index < input.count else { return true }
                bits = bits << 8 | UInt32(input[index])
                index += 1
                count += 8
            }
            if index & 0xfff == 0 { try output.check() }
            let code = Int(bits >> UInt32(count - width)) & ((1 << width) - 1)
            count -= width
            if code == 257 { return true }
            if code == 256 {
                next = 258
                width = 9
                previous = -1
                continue
            }
            let start = output.count
            if code < 256 {
                guard try output.append(UInt8(code)) else { return true }
            } else if code < next {
                guard try output.repeatBytes(from: start - starts[code], count: lengths[code]) else { return true }
            } else if code == next, previous >= 0 {
                // The previous bytes and their first one again.
                guard try output.repeatBytes(from: start - previousStart, count: start - previousStart + 1) else {
                    return true
                }
            } else {
                return false
            }
            if previous >= 0, next < 4096 {
                starts[next] = previousStart
                lengths[next] = start - previousStart + 1
                next += 1
            }
            previous = code
            previousStart = start
            let limit = next + (earlyChange ? 1 : 0)
            width = limit >= 2048 ? 12 : limit >= 1024 ? 11 : limit >= 512 ? 10 : 9
        }
    }

    /// Undoes a predictor (7.4.4.4): PNG's (10 and above) line by line, TIFF's (2) for components of eight bits.
    static func undoPredictor(
        _ predictor: Int, columns: Int, colors: Int, bits: Int, _ input: ByteView, into output: inout Output
    ) throws(ModuleError) {
        let pixel = max(1, colors * bits / 8)
        let row = (columns * colors * bits + 7) / 8
        guard row > 0, row <= 1 << 20 else {
            _ = try output.append(input)
            return
        }
        var above = [UInt8](repeating: 0, count: row)
        var line = [UInt8](repeating: 0, count: row)
        var index = 0
        while index < input.count {
            try output.check()
            var kind: UInt8 = 1
            if predictor >= 10 {
                kind = input[index]
                index += 1
            }
            let width = min(row, input.count - index)
            for place in 0..<width {
                let left = place >= pixel ? line[place - pixel] : 0
                let up = predictor >= 10 ? above[place] : 0
                let corner = place >= pixel ? above[place - pixel] : 0
                let raw = input[index + place]
                switch kind {
                case 1: line[place] = raw &+ left
                case 2: line[place] = raw &+ up
                case 3: line[place] = raw &+ UInt8((Int(left) + Int(up)) / 2)
                case 4: line[place] = raw &+ paeth(left, up, corner)
                default: line[place] = raw
                }
            }
            index += width
            let isKept = try line.span.withUnsafeBufferPointer { buffer throws(ModuleError) in
                try output.append(ByteView(buffer).prefix(width))
            }
            guard isKept, width > 0 else { return }
            swap(&above, &line)
        }
    }

    private static func paeth(_ left: UInt8, _ up: UInt8, _ corner: UInt8) -> UInt8 {
        let estimate = Int(left) + Int(up) - Int(corner)
        let toLeft = abs(estimate - Int(left))
        let toUp = abs(estimate - Int(up))
        let toCorner = abs(estimate - Int(corner))
        if toLeft <= toUp && toLeft <= toCorner { return left }
        return toUp <= toCorner ? up : corner
    }
}
