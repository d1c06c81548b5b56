import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// Scripts that Microsoft's Script Encoder made: .vbe, .jse, and pieces of pages whose language is "VBScript.Encode" or
/// "JScript.Encode".
///
/// A piece is "#@~^", its length as a number of four bytes in base64, so many characters, a checksum in base64, "^#~@".
/// Each character was replaced by one of three tables; 64 numbers say which of them is whose turn.
final class EncodedScriptUnpacker: Unpacker {
    private var position = 0

    private static let begin: StaticString = "#@~^"
    private static let end: StaticString = "^#~@"
    /// Characters before and behind the text: a number in base64.
    private static let numberSize = 8
    /// Pages are searched this far to see whether there is a piece.
    private static let head = 65536

    static var extractor: Extractor {
        Extractor(
            "SCRIPT-ENCODED",
            identify: { candidate in
                let data = candidate.data
                if data.hasPrefix(ByteView(begin)) { return Claim(.beside, sureness: 90, type: EM_TYPE_SCRIPT) }
                guard candidate.marks.contains(.encodedScript), mayBePage(data) || isScript(candidate),
                    data.prefix(head).firstIndex(of: ByteView(begin)) != nil
                else {
                    return nil
                }
                return Claim(.beside, sureness: 40, type: EM_TYPE_UNKNOWN)
            },
            open: { scan, object, _ throws(ModuleError) in
                EncodedScriptUnpacker(scan, object, format: "SCRIPT-ENCODED")
            })
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren(), let start = try place(of: ByteView(Self.begin), from: position) else { return false }
        let text = start + 4 + Self.numberSize
        var child = Child()
        let end: Int
        if let stated = statedEnd(text, number: start + 4) {
            end = stated
            position = end + Self.numberSize + 4
        } else if let mark = try place(of: ByteView(Self.end), from: text) {
            end = max(text, mark - Self.numberSize)
            position = mark + 4
        } else {
            end = data.count
            position = end
            child.flags |= EM_OBJECT_TRUNCATED
        }
        child.type = EM_TYPE_SCRIPT
        child.offset = UInt64(start)
        child.extent = UInt64(min(data.count, position) - start)
        var output = try Output(scan, in: object, expected: max(0, end - text))
        try decode(data.slice(text, end), into: &output)
        try close(&output, &child)
        try submit(child, name: innerName())
        return true
    }

    /// The end of the text by the length before it, when the mark stands where it should.
    private func statedEnd(_ text: Int, number place: Int) -> Int? {
        let digits = data.slice(place, place + Self.numberSize)
        var bytes = [UInt8](repeating: 0, count: 64)
        var from = 0
        var decoder = TransferDecoder(.base64)
        let count = bytes.withUnsafeMutableBufferPointer { decoder.decode(digits, from: &from, into: $0) }
        guard digits.count == Self.numberSize, count == 4 else { return nil }
        var length = 0
        for index in 0..<4 { length |= Int(bytes[index]) << (8 * index) }
        guard length <= data.count - min(data.count, text) else { return nil }
        let mark = text + length + Self.numberSize
        return data.slice(mark, mark + 4).equals(ByteView(Self.end)) ? text + length : nil
    }

    private func place(of words: ByteView, from start: Int) throws(ModuleError) -> Int? {
        var index = start
        while index < data.count {
            try scan.check()
            if let hit = data.prefix(index + 65536 + words.count).firstIndex(of: words, from: index) { return hit }
            index += 65536
        }
        return nil
    }

    private func decode(_ text: ByteView, into output: inout Output) throws(ModuleError) {
        var index = 0
        var turn = 0
        while index < text.count {
            guard let room = try output.room() else { return }
            var count = 0
            while count < room.count, index < text.count {
                let byte = text[index]
                index += 1
                if byte == 0x40, index < text.count {
                    // What would end a line or a page's script.
                    room[count] = Self.escaped(text[index])
                    index += 1
                } else {
                    room[count] = Self.plain(byte, Int(ByteView(Self.turns)[turn & 63]) - 0x30)
                }
                // Characters of several bytes are not encoded and take no turn.
                if byte < 0x80 { turn += 1 }
                count += 1
            }
            output.advance(count)
        }
    }

    private static func escaped(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x26: 0x0a
        case 0x23: 0x0d
        case 0x2a: 0x3e
        case 0x21: 0x3c
        case 0x24: 0x40
        default: byte
        }
    }

    private static func plain(_ byte: UInt8, _ table: Int) -> UInt8 {
        guard byte == 0x09 || byte >= 0x20 && byte < 0x80 else { return byte }
        let place = byte == 0x09 ? 0 : Int(byte) - 0x1f
        switch table {
        case 0: return ByteView(table0)[place]
        case 1: return ByteView(table1)[place]
        default: return ByteView(table2)[place]
        }
    }

    /// Which table is whose turn.
    private static let turns: StaticString = "1201202002021020102011200210200211020201011201021020112001120102"
    // What a tab, and the characters from the space to 0x7f, stand for.
    private static let table0: StaticString =
        "{20!)[83=X:5e9\\VsfNEkbYx^}Jmq<`>S@B'Hru17MR\"TjGd- \u{7F}.L]~loytC&v%$+(#A4\t*D?w;UiacPgQIOFh|6pnz/_KZ,W"
    private static let table1: StaticString =
        "W.GzVBj/&IA42[vrC89pEhqO\tbD#u<~>^@wJa]\"KoN;LPg*}tT+-,0nkf5%!dMRc?{x)(sY3\u{7F}mUS|:_eFX1ilZH'\\=$y7`Q 6"
    private static let table2: StaticString =
        "n-uR`q^I\\b})6 |z\u{7F}kc3+hQfv1dTC<:>~@E,*t'7DyY/o&rj9{?8wgSG4x]0#Z[lHUpi.L!$NP\tVs5aKX;W\"mM%(FJ2A=_OBe"

    /// "a.vbs" for "a.vbe".
    private func innerName() -> [UInt8] {
        var name = ByteView(object.pointee.name).array
        guard let last = name.last, name.count > 4, asciiLowercased(last) == 0x65 else { return [] }
        let dotted = ByteView(object.pointee.name)
        if dotted.hasSuffixIgnoringCase(ByteView(".vbe")) {
            name[name.count - 1] = 0x73
            return name
        }
        guard dotted.hasSuffixIgnoringCase(ByteView(".jse")) else { return [] }
        name.removeLast()
        return name
    }
}
