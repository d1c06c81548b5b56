import Archives
import BytesE
import CModuleABI
import Foundation
import Testing

/// Files in texts and messages: yEnc in parts, and both forks of a file.
@Suite struct MailFormatTests {
    /// yEnc's encoding: 42 more, what would not pass escaped.
    private func encoded(_ text: String) -> [UInt8] {
        Array(text.utf8).flatMap { byte -> [UInt8] in
            let moved = byte &+ 42
            return [0, 10, 13, 61].contains(moved) ? [61, moved &+ 64] : [moved]
        }
    }

    private func part(_ number: Int, _ begin: Int, _ text: String, name: String = "a file.bin") -> [UInt8] {
        lines(
            "=ybegin part=\(number) line=128 size=99 name=\(name)", "=ypart begin=\(begin) end=\(begin + text.count)",
            "")
            + encoded(text) + lines("", "=yend size=\(text.count) part=\(number)", "")
    }

    @Test func partsOfOneFileAreJoined() {
        // In any order; what is between them is no part.
        let text =
            lines("Some words", "") + part(3, 21, "the third one") + part(1, 1, "the first, ") + lines("between", "")
            + part(2, 12, "second, *")
        let host = unpacked(text).host
        #expect(host.texts == ["the third one", "the first, ", "second, *", "the first, second, *the third one"])
        #expect(host.names.allSatisfy { $0 == "a file.bin" })
        #expect(host.flags == 0)
    }

    @Test func partsOfSeveralFiles() {
        let text =
            part(1, 1, "one ", name: "a") + part(1, 1, "three ", name: "b") + part(2, 5, "two", name: "a")
            + part(2, 7, "four", name: "b") + part(1, 1, "alone", name: "c")
        #expect(
            unpacked(text).host.texts == ["one ", "three ", "two", "four", "alone", "one two", "three four"],
            "what has one part is not offered twice")
    }

    @Test func wholeFilesAreNotJoined() {
        let file = lines("=ybegin line=128 size=3 name=a", "") + encoded("abc") + lines("", "=yend size=3", "")
        #expect(unpacked(file + file).host.texts == ["abc", "abc"])
    }

    @Test func partWithoutItsEnd() {
        let text = part(1, 1, "the first, ") + part(2, 12, "and cut").dropLast(30)
        let host = unpacked(text).host
        #expect(host.children.count == 3)
        #expect(host.children[1].flags & EM_OBJECT_TRUNCATED != 0)
        #expect(host.texts[2].hasPrefix("the first, "))
    }

    @Test func joinedPartsCountForTheLimit() {
        let host = TrialHost(memory: 4 << 20)
        host.mostBytes = 30
        _ = unpacked(part(1, 1, "fifteen letters") + part(2, 16, "fifteen letters"), host)
        #expect(host.texts.count == 3)
        #expect(host.children[2].flags & EM_OBJECT_OVER_LIMIT != 0)
        #expect(host.exceeded.contains(EM_BUDGET_TOTAL))
    }

    // MARK: multipart/appledouble (RFC 1740)

    private func big(_ value: Int, _ count: Int) -> [UInt8] { little(value, count).reversed() }

    /// AppleDouble: the resource fork, and the file's real name.
    private func header(_ resources: String) -> [UInt8] {
        let start = 26 + 2 * 12
        let name = Array("real.exe".utf8)
        return big(0x51607, 4) + big(0x20000, 4) + [UInt8](repeating: 0, count: 16) + big(2, 2) + big(3, 4)
            + big(start, 4) + big(name.count, 4) + big(2, 4) + big(start + name.count, 4)
            + big(resources.utf8.count, 4) + name + Array(resources.utf8)
    }

    private func message(kind: String, encoding: String, _ first: [UInt8]) -> [UInt8] {
        lines(
            "From: a@example.com", "Content-Type: multipart/\(kind); boundary=b", "", "--b",
            "Content-Type: application/applefile; name=\"%real.exe\"", "Content-Transfer-Encoding: \(encoding)", "", "")
            + first
            + lines(
                "", "--b", "Content-Type: application/octet-stream; name=\"real.exe\"", "", "the data fork", "--b--", ""
            )
    }

    @Test func bothForksOfAppleDouble() {
        for (encoding, first) in [
            ("binary", header("a resource")), ("base64", Array(Data(header("a resource")).base64EncodedData())),
        ] {
            let host = TrialHost(memory: 4 << 20)
            host.walksDown = true
            _ = unpacked(message(kind: "appledouble", encoding: encoding, first), host)
            #expect(host.texts.contains("a resource"), "\(encoding)")
            #expect(host.texts.contains("the data fork"), "\(encoding)")
            #expect(host.names.contains("real.exe"))
            #expect(host.flags == 0)
        }
    }

    @Test func appleDoubleThatIsCut() {
        let host = TrialHost(memory: 4 << 20)
        host.walksDown = true
        _ = unpacked(message(kind: "appledouble", encoding: "binary", header("a resource").dropLast(4)), host)
        #expect(host.texts.contains("a reso"))
        #expect(host.texts.contains("the data fork"))
        #expect(host.children.contains { $0.flags & EM_OBJECT_TRUNCATED != 0 })
    }
}
