import Bytes
import MIME
import Testing

@Suite struct WalkerTests {
    private func mixed(_ type: String = "multipart/mixed; boundary=b") -> [UInt8] {
        lines(
            "From: a", "Content-Type: \(type)", "", "preamble", "--b", "Content-Type: text/html", "", "one", "--b",
            "Content-Type: application/x; name=\"x.exe\"", "Content-Transfer-Encoding: base64", "", "dHdv", "--b--",
            "epilogue")
    }

    @Test func partsOfAMultipart() {
        #expect(mixed().leaves() == [["text/html", "", "one"], ["application/x", "x.exe", "two"]])
        #expect(mixed().walked().kinds == [.multipart, .preamble, .leaf, .leaf, .epilogue, .multipartEnd])
        #expect(mixed().walked().defects == [])
        #expect(mixed().walked().ambiguities.isEmpty)
    }

    @Test func rangesAreThoseOfTheMessage() {
        let message = mixed()
        message.view { bytes in
            var walker = MIMEWalker(bytes)
            var parts: [MIMEPart] = []
            while let part = walker.next() { parts.append(part) }
            #expect(text(bytes.slice(parts[3].body.lowerBound, parts[3].body.upperBound).array) == "dHdv")
            #expect(
                text(bytes.slice(parts[2].header.lowerBound, parts[2].header.upperBound).array)
                    == "Content-Type: text/html\r\n")
            #expect(parts[2].depth == 1)
            #expect(parts.last?.partCount == 2)
            #expect(parts.last?.body == parts[0].body)
        }
    }

    @Test func singleBody() {
        #expect(lines("Content-Transfer-Encoding: base64", "", "dHdv").leaves() == [["text/plain", "", "two"]])
        #expect(([] as [UInt8]).leaves() == [["text/plain", "", ""]])
    }

    @Test(arguments: [
        "multipart/mixed; boundary*0=\"b\"", "multipart/mixed", "multipart/mixed; boundary=\"b   \"",
        "multipart/mixed; boundary=", "multipart/mixed;\r\n boundary=\"b", "MULTIPART/anything; BOUNDARY=b",
        "multipart/signed; protocol=x; boundary=b", "multipart; boundary=b",
        "text/plain\r\nContent-Type: multipart/mixed; boundary=b",
        "multipart/mixed; boundary=a; boundary=b", "multipart/mixed\r\nContent-Disposition: inline; boundary=b",
        "multipart/mixed; boundary=wrong;\r\n boundary*=us-ascii''b",
    ]) func boundariesThatClientsFind(_ type: String) {
        #expect(mixed(type).everyText().isSuperset(of: ["one", "two"]))
    }

    @Test(arguments: ["--b \t\r\n", "--b\0\r\n", "--b\n", "--bXYZ\r\n"]) func delimiterLines(_ line: String) {
        let message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + line + "\r\none\r\n--b--\r\n"
        #expect(Array(message.utf8).everyText().contains("one"))
    }

    @Test("ambiguities that have nothing to do with each other are combined") func combined() {
        // The first Content-Type and the last boundary; the last Content-Type and the first boundary.
        let message = lines(
            "Content-Type: multipart/mixed; boundary=a; boundary=b",
            "Content-Type: multipart/mixed; boundary=c; boundary=d",
            "", "--a", "", "in a", "--a--", "--b", "", "in b", "--b--", "--c", "", "in c", "--c--", "--d", "", "in d",
            "--d--")
        let found = message.everyText()
        for name in ["a", "b", "c", "d"] { #expect(found.contains("in \(name)"), "\(name)") }
        // The last boundary, where a line that only begins with it is a delimiter.
        let prefix = lines("Content-Type: multipart/mixed; boundary=a; boundary=b", "", "--bX", "", "hidden", "--b--")
        #expect(prefix.everyText().contains("hidden"))
    }

    @Test("what only another reading shows is read in each way, too") func laterAmbiguities() {
        let message = lines(
            "Content-Type: text/plain", "Content-Type: multipart/mixed; boundary=a; boundary=b", "", "--b", "",
            "hidden",
            "--b--")
        #expect(message.ambiguities().boundaries == 1)
        #expect(message.everyText().contains("hidden"))
    }

    @Test("of many values the last one counts, too") func lastValue() {
        let values = (0..<12).map { "boundary=b\($0)" }.joined(separator: "; ")
        let message = lines("Content-Type: multipart/mixed; \(values)", "", "--b11", "", "hidden", "--b11--")
        #expect(message.everyText().contains("hidden"))
    }

    @Test("an empty boundary makes two dashes a delimiter, for some", arguments: ["\"\"", "", ";charset=x"])
    func emptyBoundary(_ value: String) {
        let message = lines(
            "Content-Type: multipart/mixed; boundary=\(value)", "", "--decoy", "X-Y: z", "", "--",
            "Content-Transfer-Encoding: base64", "", "aGlkZGVu", "----", "")
        #expect(message.everyText().contains("hidden"))
        // Others guess.
        #expect(mixed("multipart/mixed; boundary=\(value)").everyText().isSuperset(of: ["one", "two"]))
    }

    @Test(
        "a NUL that hides the structure is noted",
        arguments: [
            "Content-T\0ype: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b--",
            "\0Content-Transfer-Encoding: base64\r\n\r\ndHdv",
            "Content-Type: multipart/mixed; boundary=bbb\r\n\r\n--b\0bb\r\n\r\none\r\n--b\0bb--",
        ]) func hiddenByNUL(_ message: String)
    {
        #expect(Array(message.utf8).ambiguities().hiddenByNUL)
        #expect(!Array(message.replacing("\0", with: "").utf8).ambiguities().hiddenByNUL)
    }

    @Test("a boundary that ends with a NUL, for some") func boundaryWithNUL() {
        #expect(mixed("multipart/mixed; boundary=\"b\0x\"").everyText().isSuperset(of: ["one", "two"]))
    }

    @Test("readings are bounded, and it is said when some were left out") func manyReadings() {
        var found = MIMEAmbiguities()
        (found.headers, found.boundaries) = (4, 6)
        (found.bareCR, found.prefixBoundary, found.junkInHeader) = (true, true, true)
        var readings = MIMEReadings()
        var all: [MIMEReading] = []
        while let reading = readings.next(after: found) { all.append(reading) }
        #expect(all.count == MIMEReading.most)
        #expect(readings.isCut)
        for (index, reading) in all.enumerated() { #expect(!all[..<index].contains(reading)) }
        #expect(!all.contains(MIMEReading()))
        var few = MIMEReadings()
        found = MIMEAmbiguities()
        found.headers = 2
        #expect(few.next(after: found) == MIMEReading(header: 1))
        #expect(few.next(after: MIMEAmbiguities()) == nil)
        #expect(!few.isCut)
    }

    @Test func bareCarriageReturns() {
        let message = Array(text(mixed()).replacing("\r\n", with: "\r").utf8)
        #expect(message.leaves().map { $0[2] } == ["one", "two"])
        // A delimiter after a CR inside a message with LF: only some clients see it.
        let hidden = Array("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\r--b\r\rone\n--b--\n".utf8)
        #expect(hidden.everyText().isSuperset(of: ["x\r--b\r\rone", "one"]))
    }

    @Test func unfinishedAndEmptyParts() {
        let message = lines("Content-Type: multipart/mixed; boundary=b", "", "--b", "--b", "A: 1", "--b", "", "end")
        #expect(message.leaves().map { $0[2] } == ["", "", "end"])
        #expect(message.walked().defects == [.missingFinalBoundary, .missingBlankLine])
    }

    @Test func outerBoundaryEndsInnerMultipart() {
        let message = lines(
            "Content-Type: multipart/mixed; boundary=o", "", "--o", "Content-Type: multipart/alternative; boundary=i",
            "",
            "--i", "", "in", "--o", "", "out", "--o--")
        #expect(message.leaves().map { $0[2] } == ["in", "out"])
        #expect(message.walked().kinds == [.multipart, .multipart, .leaf, .multipartEnd, .leaf, .multipartEnd])
    }

    @Test func sameBoundaryOnTwoLevels() {
        let message = lines(
            "Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Type: multipart/mixed; boundary=b", "",
            "--b", "", "in", "--b--", "--b", "", "out", "--b--")
        #expect(message.leaves().map { $0[2] } == ["in", "out"])
    }

    @Test func partsAfterTheFinalBoundary() {
        let message = lines("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "1", "--b--", "--b", "", "2")
        #expect(message.leaves().map { $0[2] } == ["1", "2"])
    }

    @Test func digestAndMessages() {
        let message = lines(
            "Content-Type: multipart/digest; boundary=b", "", "--b", "", "Subject: x", "", "hi", "--b",
            "Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", "", "QTogMQ==", "--b--")
        #expect(
            message.leaves() == [
                ["message/rfc822", "", text(lines("Subject: x", "", "hi"))], ["message/rfc822", "", "A: 1"],
            ])
    }

    @Test func bodyWithoutItsHeader() {
        let message = lines("--b", "Content-Type: text/html", "", "one", "--b--")
        #expect(message.leaves() == [["text/html", "", "one"]])
        #expect(message.view { MIMEMessage.likelihood($0) } == 60)
    }

    @Test func twoEncodingsAreBothTried() {
        let message = lines("Content-Transfer-Encoding: 7bit", "Content-Transfer-Encoding: base64", "", "dHdv")
        #expect(message.everyText() == ["dHdv", "two"])
    }

    @Test func likelihoods() {
        #expect(lines("Received: x", "From: y", "To: z", "", "").view { MIMEMessage.likelihood($0) } == 95)
        #expect(lines("From me@x", "Subject: y", "", "").view { MIMEMessage.likelihood($0) } == 95)
        #expect(lines("int main(void) {", "a: return 0; }").view { MIMEMessage.likelihood($0) } == 0)
        #expect(([0x50, 0x4B, 3, 4] as [UInt8]).view { MIMEMessage.likelihood($0) } == 0)
    }
}

/// Messages made to exhaust: what is measured is how often the walker asks whether it may go on, which follows the
/// work it does, and how much it yields.
@Suite struct HostileMessageTests {
    private func work(_ message: [UInt8], _ reading: MIMEReading = MIMEReading()) -> (
        checks: Int, parts: Int, defects: MIMEDefects
    ) {
        message.view { bytes in
            var walker = MIMEWalker(bytes, reading: reading)
            var checks = 0
            var parts = 0
            while walker.next(check: {
                checks += 1
                return true
            }) != nil { parts += 1 }
            return (checks, parts, walker.defects)
        }
    }

    @Test func aMillionHeaders() {
        var message: [UInt8] = []
        for _ in 0..<1_000_000 { message.append(contentsOf: [0x61, 0x3A, 0x0A]) }
        let found = work(message)
        #expect(found.parts == 1)
        // 67 units a header, asked every 65,536.
        #expect(found.checks > 900 && found.checks < 1_100)
    }

    @Test func aVeryLongLine() {
        let message = [UInt8](repeating: 0x41, count: 4 << 20)
        let found = work(message)
        #expect(found.parts == 1)
        #expect(found.checks > 60 && found.checks < 80)
    }

    @Test func tenThousandLevels() {
        var message = ""
        for level in 0..<10_000 { message += "Content-Type: multipart/mixed; boundary=b\(level)\n\n--b\(level)\n" }
        let found = work(Array(message.utf8))
        // A beginning and an end for each level that is walked, and one leaf for the rest.
        #expect(found.parts == 2 * MIMEWalker.defaultDepth + 1)
        #expect(found.defects.contains(.tooDeep))
    }

    @Test func cancelling() {
        let message = [UInt8](repeating: 0x41, count: 1 << 20)
        message.view { bytes in
            var walker = MIMEWalker(bytes)
            let part = walker.next(check: { false })
            #expect(part?.kind == nil)
            #expect(walker.isCancelled)
        }
    }
}
