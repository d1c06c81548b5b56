import Testing

@testable import Mail

@Suite struct TemplateTests {
    private var values: TemplateValues {
        var values = TemplateValues()
        values.antivirusStatus = "infected"
        values.antispamStatus = "SPAM"
        values.virus = "Test.Virus"
        values.score = "97.5"
        values.version = "5.0"
        values.database = "42"
        values.sender = "s@example.org"
        values.recipient = "r@example.org"
        values.subject = "Hi"
        values.time = 1_530_446_400
        values.host = "mx"
        return values
    }

    @Test(arguments: [
        ("[%avstatus%]", "[infected]"), ("%asstatus%", "SPAM"), ("%virus%", "Test.Virus"),
        ("%VIRUSNAME%", "Test.Virus"), ("%score%", "97.5"), ("%version%/%vdb%", "5.0/42"),
        ("%sender%>%recipient%", "s@example.org>r@example.org"), ("%subject%", "Hi"),
        ("%date%%host%", "Sun, 01 Jul 2018 12:00:00 +0000mx"),
        ("100%%", "100%"), ("%%avstatus%%", "%avstatus%"), ("%unknown%", "%unknown%"), ("50% off", "50% off"),
        ("%", "%"), ("%%%", "%%"), ("%x%avstatus%", "%xinfected"),
        (
            "%averyveryverylongname% %virus%",
            "%averyveryverylongname% Test.Virus"
        ), ("", ""),
    ])
    func expands(_ template: String, _ expected: String) {
        #expect(Template(template).expanded(values) == expected)
    }

    @Test func valuesAreOneLineAndNotExpanded() {
        var values = values
        values.subject = "a\r\nBcc: x\u{2028}%virus%\u{0}\u{85}\u{202E}"
        #expect(Template("%subject%").expanded(values) == "a  Bcc: x %virus%   ")
        values.subject = String(repeating: "x", count: 5000)
        #expect(Template("%subject%").expanded(values).count == SafeText.valueLimit + 1)
    }

    @Test func valuesOfADecision() {
        let decision = Decision(
            .accept, .deleted, antivirus: .deleted, antispam: .likelySpam, score: 71.26, threats: ["A", "B"])
        let values = TemplateValues(
            decision, databaseVersion: 0, productVersion: "5", sender: nil, recipients: ["a", "b"], subject: "s",
            time: 1, host: "h")
        #expect(
            Template("%avstatus%|%asstatus%|%virus%|%score%|%vdb%|%sender%|%recipient%").expanded(values)
                == "clean (deleted)|OK|A, B|71.3|||a, b")
    }

    @Test(arguments: [(0.0, "0"), (5, "5"), (-2.25, "-2.3"), (99.95, "100"), (.infinity, "0"), (0.04, "0")])
    func scores(_ score: Double, _ text: String) {
        #expect(ScoreText.text(score) == text)
    }

    @Test(
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 +0000"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (1_530_446_399, "Sun, 01 Jul 2018 11:59:59 +0000"), (4_102_444_800, "Fri, 01 Jan 2100 00:00:00 +0000"),
            (1_704_067_199, "Sun, 31 Dec 2023 23:59:59 +0000"),
        ] as [(UInt64, String)])
    func dates(_ seconds: UInt64, _ text: String) {
        #expect(MailDate.text(seconds: seconds) == text)
    }
}

@Suite struct EncoderTests {
    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
    func base64(_ text: String, _ encoded: String) {
        #expect(TransferEncoder.base64([UInt8](text.utf8)) == [UInt8](encoded.utf8))
    }

    @Test func quotedPrintable() {
        let text = "a=b ü\nend \n" + String(repeating: "x", count: 80)
        let encoded = String(
            decoding: TransferEncoder.quotedPrintable([UInt8](text.utf8), lineEnding: [0x0D, 0x0A]), as: UTF8.self)
        #expect(
            encoded == "a=3Db =C3=BC\r\nend=20\r\n" + String(repeating: "x", count: 75) + "=\r\nxxxxx")
    }

    @Test func headerTextIsEncodedWhenItMust() {
        #expect(HeaderText.unstructured("plain") == [UInt8]("plain".utf8))
        #expect(HeaderText.unstructured("ü") == [UInt8]("=?UTF-8?B?w7w=?=".utf8))
        #expect(HeaderText.unstructured("=?x").starts(with: [UInt8]("=?UTF-8?B?".utf8)))
        let long = HeaderText.unstructured(String(repeating: "ü", count: 100))
        for word in long.split(separator: 0x20) { #expect(word.count <= 75) }
    }

    @Test func fieldsAreFolded() {
        let value = [UInt8](Array(repeating: "word", count: 40).joined(separator: " ").utf8)
        let field = HeaderText.field("X-Name", value, lineEnding: [0x0D, 0x0A])
        let lines = String(decoding: field, as: UTF8.self).split(separator: "\r\n")
        #expect(lines.count == 3)
        for line in lines { #expect(line.utf8.count <= 78) }
        for line in lines.dropFirst() { #expect(line.first == "\t") }
    }
}
