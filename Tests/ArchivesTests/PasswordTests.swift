import BytesE
import CModuleABI
import Foundation
import Testing

@testable import Archives
@testable import Passwords

@Suite struct PasswordTests {
    private func words(_ text: String) -> [String] {
        var collector = WordCollector()
        let bytes = Array(text.utf8)
        bytes.withUnsafeBufferPointer { collector.add(ByteView($0)) }
        return collector.words.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func whatFollowsTheWordComesFirst() {
        #expect(words("Dear Sir, see invoice 2026. Password: Ab-12!\r\n").first == "Ab-12")
        #expect(words("Dear Sir, see invoice 2026. Password: Ab-12!\r\n").contains("Ab-12!"))
        #expect(words("archive pw=geheim").first == "geheim")
        #expect(words("Das Kennwort lautet \u{201e}geheim\u{201c}.").prefix(2).contains("geheim"))
        #expect(words("\u{41f}\u{430}\u{440}\u{43e}\u{43b}\u{44c}: 777").first == "777")
        #expect(words("\u{5bc6}\u{7801}\u{ff1a}abc9").first == "abc9")
        #expect(words("\u{89e3}\u{538b}\u{5bc6}\u{7801}1234").first == "1234")
    }

    @Test func wordsAreBoundedAndEachThereOnce() {
        let many = (0..<10_000).map { "word\($0)" }.joined(separator: " ")
        #expect(words(many + " " + many).count == 100)
        #expect(words("one1 one1 (one1)") == ["one1", "(one1)"])
        #expect(words(String(repeating: "x", count: 65)) == [])
    }

    @Test func textOfPages() {
        let page = "<style>p { color: red }</style><p>Passw<b>or</b>d:&nbsp;<span>a&amp;b&#33;</span></p>"
        let text = Array(page.utf8).withUnsafeBufferPointer { markupText(ByteView($0)) }
        #expect(words(String(decoding: text, as: UTF8.self)).first == "a&b")
    }

    /// A message with an archive that needs "s3cret-42".
    private func sample(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: SampleTests.folder.appendingPathComponent(name)))
    }

    @Test func withoutThePasswordItStaysEncrypted() throws {
        let message = try String(decoding: sample("mail-zip-crypto.eml"), as: UTF8.self)
        let other = message.replacing("s3cret-42", with: "s3cret-43")
        let host = TrialHost(memory: 4 << 20)
        host.walksDown = true
        #expect(unpacked(Array(other.utf8), host).status == EM_END)
        let archive = try #require(host.children.firstIndex { text($0.name) == "out.zip" })
        #expect(host.children[archive + 1].flags & EM_OBJECT_ENCRYPTED != 0)
        #expect(host.children[archive + 1].data.isEmpty)
    }

    /// A wrong password is told by the first bytes of a stream: it costs one key, and nothing is unpacked with it.
    @Test func wrongPasswordsBeforeTheRightOneCostLittle() throws {
        let message = try String(decoding: sample("mail-7z-password-bcj2.eml"), as: UTF8.self)
        let host = TrialHost(memory: 4 << 20)
        host.walksDown = true
        let words = (1...3).map { "wrong-\($0)" }.joined(separator: " ")
        _ = unpacked(Array(message.replacing("s3cret-42", with: "\(words) s3cret-42").utf8), host)
        #expect(host.children.contains { $0.data == SampleTests.payload })
    }

    @Test func keysOfASevenZipAreBounded() throws {
        // With 2^23 rounds for each key, not even the right password is tried.
        var message = try String(decoding: sample("mail-7z-password-bcj2.eml"), as: UTF8.self)
        let begin = try #require(message.range(of: "filename=\"out.7z\"\r\n\r\n")).upperBound
        let end = try #require(message.range(of: "\r\n--=_b--")).lowerBound
        let encoded = message[begin..<end].replacing("\r\n", with: "")
        let decoded = try #require(Data(base64Encoded: String(encoded)))
        var archive = [UInt8](decoded)
        let coder: [UInt8] = [6, 0xf1, 7, 1, 0x12, 0x53]
        for place in archive.indices where archive[place...].starts(with: coder) { archive[place + 5] = 0x57 }
        message.replaceSubrange(begin..<end, with: Data(archive).base64EncodedString())
        let host = TrialHost(memory: 4 << 20)
        host.walksDown = true
        _ = unpacked(Array(message.utf8), host)
        #expect(!host.children.contains { $0.data == SampleTests.payload })
        #expect(host.children.contains { text($0.name) == "out.7z" })
    }

    @Test func fragmentsAreTold() {
        let (host, _) = unpacked(
            lines(
                "From: a@example.com", "Subject: x", "MIME-Version: 1.0",
                "Content-Type: message/partial; id=1; number=2; total=3", "", "the middle"))
        #expect(host.texts == ["the middle"])
        #expect(host.flags & EM_OBJECT_TRUNCATED != 0)
    }
}
