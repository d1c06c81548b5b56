import Bytes
import MIME
import Testing

@Suite struct DecodingTests {
    /// Decodes through a buffer so small that every state crosses a call.
    private func decode(_ encoding: TransferEncoding, _ input: String) -> String {
        Array(input.utf8).view { view in
            var decoder = TransferDecoder(encoding)
            var position = 0
            var result: [UInt8] = []
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { buffer in
                while position < view.count {
                    let count = decoder.decode(view, from: &position, into: buffer)
                    result.append(contentsOf: buffer[..<count])
                }
            }
            return text(result)
        }
    }

    @Test(arguments: [
        ("SGVsbG8=", "Hello"), ("SGVsbG8", "Hello"), ("SGVs\r\nbG8=\r\n", "Hello"), ("S!G*V-s b_G8", "Hello"),
        ("SGU=bGxv", "Hello"), ("QQ==Qg==", "AB"), ("Q", ""), ("====", ""), ("", ""),
    ]) func base64(_ input: String, _ expected: String) {
        #expect(decode(.base64, input) == expected)
    }

    /// Groups across line ends, junk in every place of a group, and every byte value.
    @Test func base64InLinesOfAnyLength() {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let bytes = (0..<1024).map { UInt8(truncatingIfNeeded: $0 &* 37 ^ $0 >> 8) }
        var encoded: [UInt8] = []
        for group in stride(from: 0, to: 1023, by: 3) {
            let value = UInt32(bytes[group]) << 16 | UInt32(bytes[group + 1]) << 8 | UInt32(bytes[group + 2])
            for shift in [UInt32(18), 12, 6, 0] { encoded.append(alphabet[Int(value >> shift & 63)]) }
        }
        for length in Array(1...9) + [15, 16, 17, 20, 63, 64, 76] {
            for separator in ["\n", "\r\n", "\u{0}!", "\u{80}"] {
                var lines: [UInt8] = []
                for (index, byte) in encoded.enumerated() {
                    lines.append(byte)
                    if index % length == length - 1 { lines += separator.utf8 }
                }
                lines.view { view in
                    var decoder = TransferDecoder(.base64)
                    var position = 0
                    var result: [UInt8] = []
                    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64 + length) { buffer in
                        while position < view.count {
                            let count = decoder.decode(view, from: &position, into: buffer)
                            result.append(contentsOf: buffer[..<count])
                        }
                    }
                    #expect(result == Array(bytes[..<1023]))
                    #expect(decoder.foundJunk == !(separator.utf8.allSatisfy { $0 < 0x20 && $0 != 0 }))
                }
            }
        }
    }

    @Test func base64OfMoreThanTheBuffer() {
        #expect(decode(.base64, String(repeating: "QUJD", count: 100)) == String(repeating: "ABC", count: 100))
    }

    @Test(arguments: [
        ("a=3Db", "a=b"), ("a=\r\nb", "ab"), ("a= \t\r\nb", "ab"), ("a=\nb", "ab"), ("a=", "a"), ("=4a=4A", "JJ"),
        ("=G1=", "=G1"), ("a=b", "a=b"), ("line \r\nnext", "line \r\nnext"),
    ]) func quotedPrintable(_ input: String, _ expected: String) {
        #expect(decode(.quotedPrintable, input) == expected)
    }

    @Test func uuencodedLines() {
        #expect(decode(.uuencode, "#0V%T\n`\n") == "Cat")
        #expect(decode(.uuencode, "\"2&D\r\n \r\n") == "Hi")
        // A grave accent is zero, within groups too.
        #expect(decode(.uuencode, "#0V%`\n`\n") == "Ca@")
        #expect(decode(.uuencode, "#0``A\n`\n") == "@\0!")
    }

    @Test func uuencodedFilesInText() {
        let body = Array(
            "hello\nbegin 644 cat.txt\n#0V%T\n`\nend\nand begin 644 no\nbegin 600 x\nplain text here\n".utf8)
        body.view { view in
            var blocks = UUBlocks(view, in: 0..<view.count)
            let first = blocks.next()
            #expect(first.map { text(view.slice($0.name.lowerBound, $0.name.upperBound).array) } == "cat.txt")
            #expect(first?.isComplete == true)
            #expect(first.map { text(view.slice($0.body.lowerBound, $0.body.upperBound).array) } == "#0V%T\n`\n")
            #expect(blocks.next().map(\.range) == nil)
        }
    }

    @Test(arguments: [
        ("utf-16", [0xFF, 0xFE, 0x41, 0x00, 0x3D, 0xD8, 0x00, 0xDE] as [UInt8], "A😀"),
        ("utf-16be", [0x00, 0x41], "A"),
        ("utf-7", Array("Hi +AOQ-+- +2D3eAA-!".utf8), "Hi ä+ 😀!"),
        ("ISO-8859-15", [0xA4], "€"), ("iso8859_2", [0xB1], "ą"), ("x-unknown", [0xE4], "ä"),
        ("us-ascii", [0xC3, 0xA4, 0xFF, 0xE2, 0x82], "äÿâ\u{82}"),
        ("utf-8", [0xC0, 0x80, 0xED, 0xA0, 0x80], "À\u{80}í\u{A0}\u{80}"),
    ]) func charsets(_ label: String, _ bytes: [UInt8], _ expected: String) {
        let charset = Array(label.utf8).view { Charset(label: $0) }
        #expect(text(bytes.view { charset.decode($0) }) == expected)
    }

    @Test(arguments: [
        ("base64", TransferEncoding.base64), (" BASE64 (c)", .base64), ("(c) \"base64\";x", .base64),
        ("Quoted-Printable", .quotedPrintable), ("x-uuencode", .uuencode), ("8bit", .identity), ("", .identity),
        ("base64x", .identity),
    ]) func encodingNames(_ value: String, _ expected: TransferEncoding) {
        #expect(Array(value.utf8).view { TransferEncoding(headerValue: $0) } == expected)
    }
}
