import Bytes
import SMTP
import Testing

@Suite struct ContentTests {
    private struct Decoded: Equatable {
        var content: String
        var used: Int?
        var sawBare: Bool
    }

    /// Decodes in two chunks, split at a position.
    private func decode(_ wire: String, _ bare: BareNewline, split: Int) -> Decoded {
        var decoder = DataDecoder(bareNewline: bare)
        var out: [UInt8] = []
        let all = bytes(wire)
        let first = view(Array(all[..<split])) { decoder.decode($0, into: &out) }
        if let first { return Decoded(content: text(out), used: first, sawBare: decoder.sawBareNewline) }
        let second = view(Array(all[split...])) { decoder.decode($0, into: &out) }
        return Decoded(content: text(out), used: second.map { $0 + split }, sawBare: decoder.sawBareNewline)
    }

    /// Every way to end a message that is none, with what normalising makes of it.
    static let smuggling: [(String, String)] = [
        ("\n.\r\n", "\r\n.\r\n"), ("\r\n.\n", "\r\n\r\n"), ("\n.\n", "\r\n.\r\n"), ("\r.\r", " . "),
        ("\r.\r\n", " .\r\n"), ("\r\n.\r", "\r\n "), ("\n\n.\r\n", "\r\n\r\n.\r\n"), ("\r\r\n.\r\r\n", " \r\n \r\n"),
        ("\r\n.\0\r\n", "\r\n\0\r\n"), ("\r\n.\r\r\n", "\r\n \r\n"), ("\r\n\0.\r\n", "\r\n\0.\r\n"),
        ("\r\n. \r\n", "\r\n \r\n"),
    ]

    @Test(arguments: smuggling)
    func nothingButTheRealEndEnds(sequence: String, normalized: String) {
        let wire = "text" + sequence + "MAIL FROM:<evil@x>\r\n.\r\nQUIT\r\n"
        let end = wire.utf8.count - 6
        for split in 0...wire.utf8.count {
            let decoded = decode(wire, .normalize, split: split)
            #expect(decoded.content == "text" + normalized + "MAIL FROM:<evil@x>\r\n", "split \(split)")
            #expect(decoded.used == end, "split \(split)")
            let strict = decode(wire, .reject, split: split)
            #expect(strict.used == end, "split \(split)")
            #expect(strict.sawBare == decoded.sawBare, "split \(split)")
        }
        // And what was normalized is one message for the next hop, however it reads line ends.
        let relayed = encode(decode(wire, .normalize, split: 0).content)
        #expect(view(bytes(relayed)) { $0.firstIndex(of: ByteView("\r\n.\r\n")) } == relayed.utf8.count - 5)
        #expect(view(bytes(relayed)) { $0.firstIndex(of: ByteView("\n.\n")) } == nil)
        #expect(view(bytes(relayed)) { $0.firstIndex(of: ByteView("\r.\r")) } == nil)
    }

    @Test func bareNewlinesAreFound() {
        for sequence in ["a\nb", "a\rb", "\n", "\r.\r", "a\r\r\n"] {
            let decoded = decode(sequence + "\r\n.\r\n", .reject, split: 0)
            #expect(decoded.sawBare, "\(sequence.debugDescription)")
        }
        #expect(!decode("a\r\n\r\nb\r\n.\r\n", .reject, split: 0).sawBare)
    }

    @Test func sessionReportsRejectedContent() {
        var session = ServerSession(bareNewline: .reject)
        session.beginContent()
        var out: [UInt8] = []
        #expect(session.content("a\nb\r\n", into: &out) == nil)
        #expect(session.content(".\r\nNOOP\r\n", into: &out)?.isRejected == true)
        #expect(session.next() == .command(.noop))
    }

    @Test(arguments: [
        (".\r\n", ""), ("..\r\n.\r\n", ".\r\n"), ("...\r\n.\r\n", "..\r\n"), (".a\r\n.\r\n", "a\r\n"),
        ("\r\n.\r\n", "\r\n"), ("a\r\n..\r\n\r\n..b\r\n.\r\n", "a\r\n.\r\n\r\n.b\r\n"),
    ])
    func dotsAreUnstuffed(wire: String, content: String) {
        for split in 0...wire.utf8.count {
            #expect(
                decode(wire, .reject, split: split)
                    == Decoded(content: content, used: wire.utf8.count, sawBare: false), "split \(split)")
        }
    }

    private func encode(_ content: String, split: Int = 0) -> String {
        var encoder = DataEncoder()
        var out: [UInt8] = []
        let all = bytes(content)
        view(Array(all[..<split])) { encoder.encode($0, into: &out) }
        view(Array(all[split...])) { encoder.encode($0, into: &out) }
        encoder.finish(into: &out)
        return text(out)
    }

    @Test(arguments: [
        ("", ".\r\n"), (".", "..\r\n.\r\n"), ("a", "a\r\n.\r\n"), ("a\r\n", "a\r\n.\r\n"),
        (".\r\n.\r\n", "..\r\n..\r\n.\r\n"),
        ("a\n.\nb\r", "a\r\n..\r\nb \r\n.\r\n"), ("a\r.\r\n", "a .\r\n.\r\n"), ("a\r\r\n.b", "a \r\n..b\r\n.\r\n"),
        ("a\r\n\r\n..\r\n", "a\r\n\r\n...\r\n.\r\n"),
    ])
    func encoding(content: String, wire: String) {
        for split in 0...content.utf8.count { #expect(encode(content, split: split) == wire, "split \(split)") }
    }

    @Test func nulIsContent() {
        var decoder = DataDecoder(bareNewline: .reject)
        var out: [UInt8] = []
        #expect(view(bytes("a\0b\r\n.\r\n")) { decoder.decode($0, into: &out) } == 8)
        #expect(out == bytes("a\0b\r\n"))
        #expect(decoder.sawNUL)
    }

    @Test func fuzzInvariantsHoldForRandomScripts() {
        var generator = SplitMix(state: 42)
        let pieces = [
            "\r", "\n", ".", "\r\n", "\r\n.\r\n", "a", "\0", "EHLO x\r\n", "MAIL FROM:<a@b> SIZE=1\r\n",
            "RCPT TO:<c@d>\r\n",
            "DATA\r\n", "250-a\r\n", "250 b\r\n", "XFORWARD NAME=+41+0D\r\n", "BDAT 3\r\n", "\u{FF}", "<", ">", "\"",
            "\\",
            "AUTH PLAIN\r\n",
        ]
        for _ in 0..<2000 {
            var input: [UInt8] = [UInt8(truncatingIfNeeded: generator.next())]
            for _ in 0..<Int(generator.next() % 30) {
                input += bytes(pieces[Int(generator.next() % UInt64(pieces.count))])
            }
            #expect(view(input) { fuzzSMTP($0) }, "\(input)")
        }
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
