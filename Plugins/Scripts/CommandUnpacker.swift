import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// What scripts carry in base64: the parameter -EncodedCommand of PowerShell in any of its short forms, and the argument
/// of FromBase64String or atob, plain or deflated; in pages whose scripts call atob, too, which build files for download so.
///
/// Characters that only hide a word (the caret of cmd, the backtick of PowerShell) are passed over, and text whose
/// characters have two bytes is read by every other byte.
final class CommandUnpacker: Unpacker {
    private var position = 0
    /// What was offered inflated though bytes stood behind the stream, and may be no stream at all.
    private var plain: Child?
    /// The script, one byte for each character.
    private let text: ByteView

    /// Shorter runs are words.
    private static let leastRun = 16

    static var extractor: Extractor {
        Extractor(
            "SCRIPT-BASE64",
            identify: { candidate in
                candidate.data.count > leastRun && (isScript(candidate) || decodes(candidate))
                    ? Claim(.beside, sureness: 30, type: EM_TYPE_UNKNOWN) : nil
            },
            open: { scan, object, _ throws(ModuleError) in try CommandUnpacker(scan, object) })
    }

    /// Whether it is a page with a script that decodes something.
    private static func decodes(_ candidate: Candidate) -> Bool {
        mayBePage(candidate.data) && candidate.isText && candidate.data.firstIndex(of: ByteView("atob")) != nil
    }

    private init(_ scan: ScanContext, _ object: UnsafePointer<em_object>) throws(ModuleError) {
        let data = ByteView(object.pointee.data)
        text = data.prefix(64).firstIndex(of: 0) == nil ? data : try Self.narrow(scan, object, data)
        super.init(scan, object, format: "SCRIPT-BASE64")
    }

    private static func narrow(
        _ scan: ScanContext, _ object: UnsafePointer<em_object>, _ data: ByteView
    ) throws(ModuleError) -> ByteView {
        var output = try Output(scan, in: object, expected: data.count / 2)
        var index = data.load(UInt16.self, at: 0) == 0xfeff ? 2 : 0
        while index + 1 < data.count, let room = try output.room() {
            var count = 0
            while count < room.count, index + 1 < data.count {
                room[count] = data[index + 1] == 0 ? data[index] : 0x3f
                count += 1
                index += 2
            }
            output.advance(count)
        }
        return try output.finish()
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        if let child = plain {
            plain = nil
            try submit(child)
            return true
        }
        while let run = try nextRun() {
            position = run.upperBound
            let isArgument = isArgument(run.lowerBound)
            guard isArgument || isCommand(run.lowerBound) else { continue }
            var child = Child()
            if text.count == data.count {
                child.offset = UInt64(run.lowerBound)
                child.extent = UInt64(run.count)
            }
            let decoded = try decode(text.slice(run.lowerBound, run.upperBound))
            guard decoded.count > 2 else { continue }
            child.data = decoded
            if let narrow = try narrowed(decoded) {
                child.data = narrow
                child.type = EM_TYPE_SCRIPT
                try submit(child, name: ByteView("command.ps1").array)
                return true
            }
            if isArgument, decoded[0] != 0x1f, let (inflated, used) = try inflated(decoded) {
                if used < decoded.count { plain = child }
                child.data = inflated
            }
            try submit(child)
            return true
        }
        return false
    }

    /// The next run of base64 that is long enough.
    private func nextRun() throws(ModuleError) -> Range<Int>? {
        var index = position
        var start = index
        while index <= text.count {
            if index & 0xffff == 0 { try scan.check() }
            let isPart = index < text.count && (isBase64(text[index]) || isHiding(text[index]) && index > start)
            if !isPart {
                var end = index
                while end < text.count, text[end] == 0x3d { end += 1 }
                if index - start >= Self.leastRun { return start..<end }
                start = index + 1
            }
            index += 1
        }
        return nil
    }

    private func isBase64(_ byte: UInt8) -> Bool {
        let low = asciiLowercased(byte)
        return low &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2b || byte == 0x2f
    }

    /// Carets and backticks.
    private func isHiding(_ byte: UInt8) -> Bool { byte == 0x5e || byte == 0x60 }

    private func decode(_ run: ByteView) throws(ModuleError) -> ByteView {
        var output = try Output(scan, in: object, expected: run.count)
        var decoder = TransferDecoder(.base64)
        var at = 0
        while at < run.count, let room = try output.room() {
            output.advance(decoder.decode(run, from: &at, into: room))
        }
        return try output.finish()
    }

    /// Whether "FromBase64String(" or "atob(" stands before the run, or the run is quoted in a script that calls one elsewhere.
    private func isArgument(_ start: Int) -> Bool {
        var index = start
        while index > 0, isASCIISpace(text[index - 1]) || isQuote(text[index - 1]) { index -= 1 }
        guard index > 0, index <= start, text[index - 1] == 0x28 else { return isQuoted(start) }
        return text.slice(index - 17, index - 1).equalsIgnoringCase(ByteView("FromBase64String"))
            || text.slice(index - 5, index - 1).equals(ByteView("atob")) || isQuoted(start)
    }

    /// A long constant in quotes may be decoded anywhere in the script.
    private func isQuoted(_ start: Int) -> Bool {
        guard start > 0, isQuote(text[start - 1]) else { return false }
        return position - start >= 64
    }

    /// Both quotes, and that of JavaScript's templates.
    private func isQuote(_ byte: UInt8) -> Bool { byte == 0x22 || byte == 0x27 || byte == 0x60 }

    /// Whether the word before the run is "-e…" as PowerShell shortens -EncodedCommand, or -ec.
    private func isCommand(_ start: Int) -> Bool {
        var index = start
        while index > 0, isASCIISpace(text[index - 1]) || text[index - 1] == 0x22 || text[index - 1] == 0x27 {
            index -= 1
        }
        guard index < start else { return false }
        var word: [UInt8] = []
        while index > 0, word.count < 32 {
            let byte = text[index - 1]
            if byte == 0x2d || byte == 0x2f || byte >= 0x80 { break }
            guard !isASCIISpace(byte) else { return false }
            if !isHiding(byte), byte != 0x22, byte != 0x27 { word.append(asciiLowercased(byte)) }
            index -= 1
        }
        guard index > 0 else { return false }
        word.reverse()
        return word.withUnsafeBufferPointer { buffer in
            let word = ByteView(buffer)
            return !word.isEmpty && (ByteView("encodedcommand").hasPrefix(word) || word.equals(ByteView("ec")))
        }
    }

    /// Text whose characters have two bytes, Latin ones, as UTF-8; nil when it is something else.
    private func narrowed(_ bytes: ByteView) throws(ModuleError) -> ByteView? {
        guard bytes.count >= 4, bytes.count % 2 == 0 else { return nil }
        // Of the head of an archive most bytes are zeros, of a text every other.
        var latin = 0
        for index in stride(from: 1, to: min(bytes.count, 512), by: 2) where bytes[index] == 0 && bytes[index - 1] != 0
        {
            latin += 1
        }
        guard latin * 4 > min(bytes.count, 512) / 2 * 3 else { return nil }
        var output = try Output(scan, in: object, expected: bytes.count)
        var index = 0
        while let unit = bytes.load(UInt16.self, at: index) {
            if index & 0xffff == 0 { try scan.check() }
            index += 2
            if unit < 0x80 {
                guard try output.append(UInt8(unit)) else { break }
            } else if unit < 0x800 {
                guard try output.append(UInt8(0xc0 | unit >> 6)), try output.append(UInt8(0x80 | unit & 0x3f)) else {
                    break
                }
            } else {
                guard try output.append(UInt8(0xe0 | unit >> 12)), try output.append(UInt8(0x80 | unit >> 6 & 0x3f)),
                    try output.append(UInt8(0x80 | unit & 0x3f))
                else { break }
            }
        }
        return try output.finish()
    }

    /// What a DeflateStream would read, and of how many bytes.
    private func inflated(_ bytes: ByteView) throws(ModuleError) -> (ByteView, used: Int)? {
        var output = try Output(scan, in: object, expected: bytes.count)
        let result = try inflateRaw(bytes, into: &output)
        guard result.end == .complete, output.count > 16 else { return nil }
        return (try output.finish(), result.used)
    }
}
