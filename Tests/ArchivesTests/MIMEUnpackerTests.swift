import Archives
import BytesE
import CModuleABI
import Testing

@Suite struct MIMEUnpackerTests {
    private let message = lines(
        "From: a", "To: b", "Subject: c", "Content-Type: multipart/mixed; boundary=b", "", "--b",
        "Content-Type: text/html", "", "one", "--b", "Content-Type: application/x; name=x.exe",
        "Content-Transfer-Encoding: base64", "", "dHdv", "--b", "Content-Type: message/rfc822", "", "Subject: in", "",
        "three", "--b--", "")

    @Test func children() {
        let (host, status) = unpacked(message)
        #expect(status == EM_END)
        #expect(host.texts == ["one", "two", text(lines("Subject: in", "", "three"))])
        #expect(host.names == ["", "x.exe", ""])
        #expect(host.children.map { text($0.declared) } == ["text/html", "application/x", "message/rfc822"])
        #expect(host.children.map(\.flags) == [EM_OBJECT_IN_PLACE, 0, EM_OBJECT_IN_PLACE])
        #expect(host.children[2].type == EM_TYPE_MAIL)
        #expect(host.flags == 0)
        // The range of the encoded body, for cleaning.
        let range = Int(host.children[1].offset)..<Int(host.children[1].offset + host.children[1].extent)
        #expect(text(Array(message[range])) == "dHdv")
    }

    @Test func otherReadingsAddOnlyWhatDiffers() {
        let twice = lines(
            "From: a", "To: b", "Content-Type: multipart/mixed; boundary=b; boundary=c", "", "--b", "", "one", "--c",
            "",
            "two", "--b--", "")
        let (host, _) = unpacked(twice)
        #expect(Set(host.texts) == [text(lines("one", "--c", "", "two")), text(lines("two", "--b--", ""))])
        #expect(host.texts.count == 2)
        let encodedTwice = lines(
            "From: a", "To: b", "Content-Transfer-Encoding: 7bit", "Content-Transfer-Encoding: base64", "", "dHdv")
        #expect(unpacked(encodedTwice).host.texts == ["dHdv", "two"])
    }

    @Test("a part that several readings have is offered once") func sameInSeveralReadings() {
        let message = lines(
            "From: a", "To: b", "junk", "Content-Type: multipart/mixed; boundary=x; boundary=b; boundary=c", "", "--bY",
            "",
            "one", "--b", "", "two", "--c", "", "three")
        let texts = unpacked(message).host.texts
        #expect(Set(texts).count == texts.count)
        #expect(Set(texts).isSuperset(of: ["one", "three"]))
    }

    @Test("what a NUL hides is found by dropping it") func hiddenByNUL() {
        let message = lines(
            "From: a", "To: b", "Content-T\0ype: multipart/mixed; boundary=b", "", "--b",
            "Content-Transfer-Encoding: base64", "", "dHdv", "--b--")
        let host = unpacked(message).host
        let copy = host.children.last
        #expect(copy?.type == EM_TYPE_MAIL)
        #expect(copy.map { unpacked($0.data).host.texts.contains("two") } == true)
    }

    @Test(
        "an encoding that only some readers see",
        arguments: [
            "(a(b)c) base64", "x-base64", "7bit, base64", "ba\0se64", "7bit\r\n\tbase64",
            "7bit\r\nContent-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: 7bit"
                + "\r\nContent-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64",
        ]) func oddEncodings(value: String)
    {
        let message = lines("From: a", "To: b", "Content-Transfer-Encoding: \(value)", "", "dHdv")
        #expect(unpacked(message).host.texts == ["dHdv", "two"])
    }

    @Test func paddingInTheMiddle() {
        // Read anew behind the padding, and as if it were not there.
        let message = lines("From: a", "To: b", "Content-Transfer-Encoding: base64", "", "dHd=vIHRocmVl")
        #expect(unpacked(message).host.texts.last == "two three")
        // Padding at the end is what it should be.
        let usual = lines("From: a", "To: b", "Content-Transfer-Encoding: base64", "", "dHc=", "", "")
        #expect(unpacked(usual).host.texts == ["tw"])
    }

    @Test("a header goes on behind lines without a colon, for some readers") func junkInHeader() {
        let message = lines(
            "From: a", "To: b", "junk", "more junk", "Content-Transfer-Encoding: base64", "", "dHdv")
        #expect(unpacked(message).host.texts.contains("two"))
    }

    @Test(
        "a text is searched for files whatever it begins with",
        arguments: ["\0", "PK\u{3}\u{4}", "From: a\r\nTo: b\r\nSubject: c\r\nx:"]) func filesInText(beginning: String)
    {
        let message = lines(
            "From: a", "To: b", "Content-Type: text/plain", "", "\(beginning)", "begin  644 c.txt", "#0V%T", "`", "end",
            "")
        let part = unpacked(message).host.children[0]
        let host = TrialHost(memory: 4 << 20)
        let status = part.data.withUnsafeBufferPointer { host.unpack(ByteView($0), declared: "text/plain") }
        #expect(status == EM_END)
        #expect(host.texts.contains("Cat"))
    }

    @Test func filesInEpilogue() {
        let hidden = message + lines("begin 644 c.txt", "#0V%T", "`", "end", "")
        let (host, _) = unpacked(hidden)
        #expect(host.texts.count == 4)
        let inner = unpacked(host.children[3].data).host
        #expect(inner.texts == ["Cat"])
        #expect(inner.names == ["c.txt"])
        // An epilogue without a file is not shown by anybody.
        #expect(unpacked(message + lines("bye")).host.texts.count == 3)
    }

    @Test func encodedMultipart() {
        let inner = "--i\r\nContent-Type: text/html\r\n\r\nevil\r\n--i--\r\n"
        let packed = "LS1pDQpDb250ZW50LVR5cGU6IHRleHQvaHRtbA0KDQpldmlsDQotLWktLQ0K"
        let outer = lines(
            "From: a", "To: b", "Content-Type: multipart/mixed; boundary=i", "Content-Transfer-Encoding: base64", "",
            packed)
        let (host, _) = unpacked(outer)
        #expect(host.texts.contains(inner))
        #expect(unpacked(Array(inner.utf8)).host.texts == ["evil"])
    }

    @Test func emptyPartsDoNotCount() {
        let host = TrialHost(memory: 1 << 20)
        host.mostObjects = 5
        let head = Array("From: a\nTo: b\nContent-Type: multipart/mixed; boundary=b\n".utf8)
        let parts = Array((String(repeating: "\n--b\n", count: 100) + "\n--b\n\nlast\n--b--\n").utf8)
        #expect(unpacked(head + parts, host).status == EM_END)
        #expect(host.texts == ["last"])
    }

    /// Mail programs skip what is no header, so a message may pass for an archive.
    @Test func messagesThatBeginLikeArchives() {
        let asZIP = Array("PK\u{3}\u{4} junk\r\n".utf8) + message
        #expect(Set(unpacked(asZIP).host.texts).isSuperset(of: ["one", "two"]))
        let name = "Subject: as tar\nFrom: a\nTo: b\nContent-Transfer-Encoding: base64\nX: "
        var asTar = tarBlock(name, size: 4, magic: "")
        for index in 0..<512 where asTar[index] == 0 && index != 135 && index != 154 { asTar[index] = 0x41 }
        let sum = String(
            asTar.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) }, radix: 8)
        asTar.replaceSubrange(148..<154, with: Array((String(repeating: "0", count: 6 - sum.count) + sum).utf8))
        let host = TrialHost(memory: 1 << 20)
        host.agent = "smtp"
        _ = unpacked(asTar + Array("\n\ndHdv".utf8), host)
        #expect(host.texts.contains("two"))
        #expect(host.children.contains { text($0.format) == "TAR" })
    }

    @Test func limits() {
        let host = TrialHost(memory: 1 << 20)
        host.mostObjects = 2
        #expect(unpacked(message, host).status == EM_END)
        #expect(host.children.count == 2)
        #expect(host.exceeded == [EM_BUDGET_OBJECTS])
        // An attachment that does not fit into the arena is cut, and that is told.
        let large = lines(
            "From: a", "To: b", "Content-Transfer-Encoding: base64", "", String(repeating: "QUJD", count: 100_000))
        let small = TrialHost(memory: 200_000)
        #expect(unpacked(large, small).status == EM_END)
        #expect(small.exceeded == [EM_BUDGET_MEMORY])
        #expect(small.children[0].flags == EM_OBJECT_OVER_LIMIT)
        #expect(small.children[0].data.count > 100_000)
    }

    @Test func tenThousandLevels() {
        var nested = "From: a\nTo: b\n"
        for level in 0..<10_000 { nested += "Content-Type: multipart/mixed; boundary=b\(level)x\n\n--b\(level)x\n" }
        let (host, status) = unpacked(Array(nested.utf8))
        #expect(status == EM_END)
        #expect(host.children.count == 1)
        #expect(host.exceeded == [EM_BUDGET_DEPTH])
        #expect(host.flags & EM_OBJECT_OVER_LIMIT != 0)
    }
}
