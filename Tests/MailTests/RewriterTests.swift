import Bytes
import Configuration
import ScanProtocol
import Testing

@testable import Mail

private let exe = range(of: "TVqQAAMAAAAEAAAA", in: mixed)

private func deleted(_ targets: Removal.Target...) -> Decision {
    Decision(
        .accept, .deleted, antivirus: .deleted,
        removals: targets.map { Removal($0, name: "x.exe", threats: ["Test.Virus"]) }, threats: ["Test.Virus"])
}

private let clean = Decision(.accept, .clean, antivirus: .clean)
private let spam = Decision(.accept, .spam, antispam: .spam, score: 97)
private let infected = Decision(.accept, .infected, antivirus: .infected, threats: ["Test.Virus"])

@Suite struct RemovalTests {
    @Test func attachmentBecomesANotice() {
        let result = rewrite(mixed, deleted(.part(exe)))
        #expect(
            parts(result) == [
                "text/plain: Hello.",
                "text/plain: The attachment \"x.exe\" was removed by esets, because it is infected: Test.Virus\r\n",
                "image/png: \u{FFFD}PNG\r\n\u{1A}\n",
            ])
        #expect(!has(result, "TVqQ"))
        #expect(!has(result, "filename=\"x.exe\""))
        #expect(has(result, "X-Kept: yes\r\nContent-Type: text/plain; charset=us-ascii\r\n"))
    }

    @Test func everythingElseStaysByteForByte() throws {
        let result = rewrite(mixed, deleted(.part(exe)))
        let before = try #require(mixed.firstRange(of: "Content-Type: application/octet-stream"))
        #expect(result.hasPrefix(mixed[..<before.lowerBound]))
        let after = try #require(mixed.firstRange(of: "\r\n--b1\r\nContent-Type: image/png"))
        #expect(result.hasSuffix(mixed[after.lowerBound...]))
    }

    @Test func nothingToDoIsOneSegment() {
        withView(mixed) { view in
            let rewriter = MessageRewriter(
                message: view, decision: clean, modification: Modification(), values: TemplateValues())
            #expect(rewriter.segments() == [.original(0..<view.count)])
        }
    }

    @Test func contentBecomesANotice() {
        let result = rewrite(mixed, deleted(.content))
        #expect(
            parts(result) == [
                "text/plain: The content of this message was removed by esets, because it is infected: Test.Virus\r\n"
            ])
        #expect(has(result, "Subject: Offer\r\nMIME-Version: 1.0\r\nContent-Type: text/plain"))
        #expect(!has(result, "multipart"))
    }

    @Test func singlePartMessage() {
        let message = crlf("Subject: x\nContent-Type: application/zip\nContent-Transfer-Encoding: base64\n\nUEsDBA==\n")
        let body = range(of: "UEsDBA==\r\n", in: message)
        #expect(outline(message).kind(ofBody: body) == .attachment)
        let result = rewrite(message, deleted(.part(body)))
        #expect(parts(result).count == 1)
        #expect(has(result, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"))
        #expect(!has(result, "UEsDBA"))
    }

    @Test func namesCannotInjectAnything() {
        var decision = deleted(.part(exe))
        decision.removals[0].name = "a\r\n--b1--\r\n\u{202E}exe"
        decision.removals[0].threats = ["T\r\n\r\n--b1\r\n"]
        let result = parts(rewrite(mixed, decision))
        #expect(result.count == 3)
        #expect(result[1].contains("\"a  --b1--   exe\""))
    }

    @Test func notAsciiNamesAreEncoded() {
        var decision = deleted(.part(exe))
        decision.removals[0].name = "Žluť.exe"
        #expect(parts(rewrite(mixed, decision))[1].contains("\"Žluť.exe\""))
    }

    @Test func partOfAnAttachedMessage() throws {
        let inner = mixed
        let message =
            crlf("Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: message/rfc822\n\n") + inner
            + crlf("\n--o--\n")
        let body = range(of: "TVqQAAMAAAAEAAAA", in: message)
        #expect(outline(message).kind(ofBody: body) == .attachment)
        let result = rewrite(message, deleted(.part(body)))
        let start = try #require(result.firstRange(of: "Received:"))
        let innerParts = parts(String(result[start.lowerBound...]))
        #expect(innerParts[1].contains("was removed"))
        #expect(innerParts[0] == "text/plain: Hello.")
    }

    @Test func blocksInTextAndPreambles() {
        let message = crlf("Subject: x\n\nText\nbegin 644 x.exe\n#MVIRUS\nend\nMore\n")
        let block = range(of: "begin 644 x.exe\r\n#MVIRUS\r\nend\r\n", in: message)
        #expect(outline(message).kind(ofBody: block) == .block)
        let result = rewrite(message, deleted(.part(block)))
        #expect(
            result
                == crlf(
                    "Subject: x\n\nText\nThe attachment \"x.exe\" was removed by esets, because it is infected: "
                        + "Test.Virus\nMore\n"))

        let preamble = range(of: "preamble", in: mixed)
        #expect(outline(mixed).kind(ofBody: preamble) == .block)
        #expect(parts(rewrite(mixed, deleted(.part(preamble)))) == parts(mixed))
        #expect(!has(rewrite(mixed, deleted(.part(preamble))), "preamble\r\n"))
    }

    @Test func kinds() {
        let view = outline(mixed)
        #expect(view.kind(ofBody: exe) == .attachment)
        #expect(view.kind(ofBody: range(of: "Hello.", in: mixed)) == .text)
        #expect(view.kind(ofBody: range(of: "iVBORw0KGgo=", in: mixed)) == .attachment)
        #expect(view.kind(ofBody: 0..<4) == .unknown)
        #expect(view.kind(ofBody: UInt64.max - 1..<UInt64.max) == .unknown)
    }

    @Test func headerWithoutBody() {
        let result = rewrite("Subject: x", deleted(.content))
        #expect(parts(result).first?.contains("The content") == true)
        #expect(result.hasPrefix("Subject: x\r\nMIME-Version"))
    }

    @Test func lineEndingsFollowTheMessage() {
        let message = String(mixed.map { $0 == "\r\n" ? "\n" : $0 })
        let result = rewrite(message, deleted(.part(range(of: "TVqQAAMAAAAEAAAA", in: message))))
        #expect(!result.utf8.contains(0x0D))
        #expect(parts(result).count == 3)
    }
}

@Suite struct MarkTests {
    private var marks: Modification {
        var modification = Modification()
        modification.antivirusHeader = .antivirus
        modification.antispamHeader = .antispam
        modification.headerTemplate = Template("X-EsetsResult: %avstatus%, %virus%")
        return modification
    }

    @Test func scannerOnTopResultsAtTheEnd() {
        var decision = clean
        decision.antispam = .spam
        decision.score = 97
        let result = rewrite(mixed, decision, marks)
        #expect(
            result.hasPrefix(
                "X-Virus-Scanner: This message was checked by esets, version 5.0, virus\r\n\tsignature database 42\r\nReceived:"
            ))
        #expect(
            has(
                result,
                "boundary=\"b1\"\r\nX-EsetsResult: clean, is OK\r\nX-Esets-Antispam: SPAM\r\nX-Esets-AS: R=SPAM;S=97\r\n\r\npre"
            ))
    }

    @Test func resultOfInfectedMail() {
        #expect(has(rewrite(mixed, infected, marks), "\r\nX-EsetsResult: infected, Test.Virus\r\n\r\n"))
        var unscanned = clean
        unscanned.antivirus = .notScanned
        #expect(has(rewrite(mixed, unscanned, marks), "\r\nX-EsetsResult: not scanned\r\n\r\n"))
    }

    @Test func masksDecide() {
        var modification = marks
        modification.antivirusHeader = [.infected]
        modification.antispamHeader = []
        #expect(rewrite(mixed, clean, modification) == mixed)
        #expect(has(rewrite(mixed, infected, modification), "X-EsetsResult"))
        #expect(rewrite(mixed, spam, modification) == mixed)
    }

    @Test func inboundCopiesAreStripped() {
        let forged = """
            x-esetsRESULT: clean, is OK\r\nX-Esets-Antispam: OK\r\n\tfolded\r\nX-ESET-AS: R=OK;S=0\r\n\
            X-Virus-Scanner: checked by ESETS\r\nX-EsetResult: clean\r\nX-ESET-Antispam: OK\r\nX-I-ESET-AS: 1\r\n
            """
        let other = "X-Virus-Scanner: ClamAV\r\nX-Spam: no\r\n"
        #expect(rewrite(forged + other + mixed, clean) == other + mixed)
    }

    @Test("forged results are stripped however many fields stand before them") func forgedBehindMany() {
        let many = String(repeating: "A: b\r\n", count: 20_000)
        let forged = "X-Esets-AS: R=OK\r\nX-EsetResult: clean\r\n"
        #expect(rewrite(forged + many + forged + "\r\nbody", clean) == many + "\r\nbody")
        #expect(rewrite(String(repeating: forged, count: 10_000) + "\r\nbody", clean) == "\r\nbody")
    }

    @Test func ownTemplateNamesAreStrippedToo() {
        var modification = marks
        modification.headerTemplate = Template("X-Scan: %avstatus%\nFrom: evil@example.org\nNote %virus%")
        let result = rewrite("X-Scan: forged\r\nFrom: a@b\r\n\r\nbody", clean, modification)
        #expect(!has(result, "forged"))
        #expect(has(result, "From: a@b\r\nX-Scan: clean\r\nX-EsetsResult: From: evil@example.org\r\n"))
    }

    @Test func valuesCannotAddFields() {
        var decision = infected
        decision.threats = ["A\r\nBcc: victim@example.org\r\n\r\nbody"]
        let result = rewrite(mixed, decision, marks)
        #expect(!has(result, "\nBcc:"))
        #expect(parts(result).count == 3)
    }

    @Test func mailboxLineStaysFirst() {
        let result = rewrite("From s@example.org Sun Jul  1 12:00:00 2018\n" + "Subject: x\n\nbody\n", clean, marks)
        #expect(result.hasPrefix("From s@example.org Sun Jul  1 12:00:00 2018\nX-Virus-Scanner:"))
    }

    @Test func aMissingEmptyLineIsMade() {
        let result = rewrite("Subject: x\r\nno header line\r\n", clean, marks)
        #expect(parts(result).count == 1)
        #expect(has(result, "is OK\r\n\r\n") || has(result, "no header line\r\nX-EsetsResult"))
    }
}

@Suite struct SubjectTests {
    private var tags: Modification {
        var modification = Modification()
        modification.antivirusSubject = [.infected, .deleted]
        modification.antispamSubject = [.spam]
        modification.antivirusSubjectTemplate = Template("[%avstatus%]")
        modification.antispamSubjectTemplate = Template("[%asstatus%]")
        return modification
    }

    @Test(arguments: [
        ("Subject: Offer", "Subject: [SPAM] Offer"), ("SUBJECT:Offer", "SUBJECT: [SPAM] Offer"),
        ("Subject:   Offer", "Subject: [SPAM] Offer"), ("Subject:", "Subject: [SPAM]"),
        ("Subject: [SPAM] Offer", "Subject: [SPAM] Offer"),
        ("Subject: =?UTF-8?B?W1NQQU1dIFg=?=", "Subject: =?UTF-8?B?W1NQQU1dIFg=?="),
        ("Subject: =?utf-8?Q?=C3=BC?=", "Subject: [SPAM] =?utf-8?Q?=C3=BC?="),
        ("Subject:\r\n Offer", "Subject: [SPAM]\r\n Offer"),
    ])
    func prefixes(_ field: String, _ expected: String) {
        let result = rewrite("From: a\r\n\(field)\r\nTo: b\r\n\r\nbody\r\n", spam, tags)
        #expect(result == "From: a\r\n\(expected)\r\nTo: b\r\n\r\nbody\r\n")
    }

    @Test func bothPrefixesOnlyWhatIsMissing() {
        var decision = spam
        decision.antivirus = .infected
        let both = rewrite("Subject: x\r\n\r\n", decision, tags)
        #expect(both == "Subject: [infected] [SPAM] x\r\n\r\n")
        #expect(rewrite(both, decision, tags) == both)
    }

    @Test func missingSubjectIsAdded() {
        #expect(rewrite("From: a\r\n\r\nbody", spam, tags) == "From: a\r\nSubject: [SPAM]\r\n\r\nbody")
    }

    @Test func longSubjectsAreFolded() {
        let long = String(repeating: "x", count: 70)
        #expect(rewrite("Subject: \(long)\r\n\r\n", spam, tags) == "Subject: [SPAM]\r\n \(long)\r\n\r\n")
    }

    @Test func encodedPrefixKeepsItsSpace() {
        var modification = tags
        modification.antispamSubjectTemplate = Template("[Müll]")
        let result = rewrite("Subject: =?utf-8?Q?=C3=BC?=\r\n\r\n", spam, modification)
        #expect(result == "Subject: =?UTF-8?B?W03DvGxsXSA=?= =?utf-8?Q?=C3=BC?=\r\n\r\n")
        #expect(rewrite(result, spam, modification) == result)
    }

    @Test func everySubjectIsTagged() {
        #expect(rewrite("Subject: a\nSubject: b\n\n", spam, tags) == "Subject: [SPAM] a\nSubject: [SPAM] b\n\n")
    }

    @Test func templatesCannotBreakTheHeader() {
        var modification = tags
        modification.antispamSubjectTemplate = Template("[%subject%]\nBcc: x")
        let result = rewrite("Subject: a =?utf-8?Q?=0D=0AEvil:_1?=\r\n\r\n", spam, modification)
        #expect(!has(result, "\nBcc"))
        #expect(!has(result, "\nEvil"))
    }

    @Test func emptyTemplateTagsNothing() {
        var modification = tags
        modification.antispamSubjectTemplate = Template("")
        #expect(rewrite("Subject: a\r\n\r\n", spam, modification) == "Subject: a\r\n\r\n")
    }
}
