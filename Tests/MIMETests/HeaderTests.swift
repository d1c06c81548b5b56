import Bytes
import MIME
import Testing

@Suite struct HeaderTests {
    private func fields(_ bytes: [UInt8], _ reading: MIMEReading = MIMEReading()) -> (fields: [String], body: String) {
        bytes.view { view in
            var cursor = HeaderCursor(message: view, reading: reading)
            var result: [String] = []
            while let field = cursor.next() {
                let name = text(view.slice(field.name.lowerBound, field.name.upperBound).array)
                result.append(name + "=" + text(EncodedWords.decode(field.value(in: view))))
            }
            return (result, text(view.dropFirst(cursor.bodyStart ?? view.count).array))
        }
    }

    @Test func foldingAndLineEnds() {
        for end in ["\r\n", "\n", "\r", "\r\r\n"] {
            let message = ["Subject: a", "\tb", "To : c", "", "body"].joined(separator: end)
            let found = fields(Array(message.utf8))
            #expect(found.fields == ["Subject=a\tb", "To=c"], "line end \(Array(end.utf8))")
            #expect(found.body == "body")
        }
    }

    @Test func commentsBehindNames() {
        let message = lines("Content-Type(meow): a", "B (x) (y) : c(d)", "C(never closed: e", "D: f", "", "body")
        #expect(fields(message).fields == ["Content-Type=a", "B=c(d)", "D=f"])
    }

    @Test func mailboxLineMarkAndBlankLinesBeforeTheHeader() {
        for before in ["From x@y Mon\n", "\u{FEFF}", "\r\n\r\n", "\nFrom x\n"] {
            #expect(fields(Array((before + "A: 1\n\nb").utf8)).fields == ["A=1"], "after \(before)")
        }
    }

    @Test func junkInsideTheHeaderIsPassedOver() {
        let message = lines("A: 1", "no colon here", "B: 2", "", "body")
        #expect(fields(message).fields == ["A=1", "B=2"])
        #expect(
            fields(message, MIMEReading(junkEndsHeader: true)).body == text(lines("no colon here", "B: 2", "", "body")))
    }

    @Test func missingBlankLine() {
        let found = fields(lines("A: 1", "Hello world", "and more"))
        #expect(found.fields == ["A=1"])
        #expect(found.body == text(lines("Hello world", "and more")))
    }

    @Test func lineOfSpacesIsReadBothWays() {
        let message = lines("A: 1", " ", "\t2", "", "body")
        #expect(fields(message).fields == ["A=1 \t2"])
        #expect(fields(message, MIMEReading(junkEndsHeader: true)).fields == ["A=1"])
    }

    @Test(arguments: [
        ("=?utf-8?B?w6TDtg==?=", "äö"),
        ("=?ISO-8859-1?Q?caf=E9_au?= lait", "café au lait"),
        ("=?utf-8?B?w6Q=?= =?utf-8?B?w7Y=?=", "äö"),
        ("=?utf-8?Q?=C3?=\r\n =?utf-8?Q?=A4?=", "ä"),
        ("a =?utf-8?q?b?= c", "a b c"),
        ("=?utf-8?x?b?=", "=?utf-8?x?b?="),
        ("=?utf-8?Q?never closed", "=?utf-8?Q?never closed"),
        ("=?utf-8*de?Q?=ZZ?=", "=ZZ"),
        ("=?koi8-r?B?8NLJ18XU?=", "Привет"),
        ("=?windows-1251?Q?=CF=F0=E8?=", "При"),
    ]) func encodedWords(_ value: String, _ expected: String) {
        #expect(text(Array(value.utf8).view { EncodedWords.decode($0) }) == expected)
    }

    @Test func rawEightBitIsUTF8OrLatin1() {
        #expect(text(([0x61, 0xE4, 0x62] as [UInt8]).view { EncodedWords.decode($0) }) == "aäb")
        #expect(text(Array("ä".utf8).view { EncodedWords.decode($0) }) == "ä")
    }

    @Test(arguments: [
        ("text/html; charset=\"utf-8\"", "charset", ["utf-8"]),
        ("text/html; (x;y=\"z) charset = (c) us-ascii (d)", "charset", ["us-ascii"]),
        ("multipart/mixed; boundary=\"a;b\"", "boundary", ["a;b"]),
        ("multipart/mixed; boundary=a;b", "boundary", ["a", "a;b"]),
        ("multipart/mixed; boundary=\"abc", "boundary", ["abc"]),
        ("multipart/mixed; boundary=\"abc; charset=x", "boundary", ["abc; charset=x", "abc"]),
        ("multipart/mixed; boundary=a; boundary=b", "boundary", ["a", "b"]),
        ("multipart/mixed boundary=abc", "boundary", ["abc"]),
        ("multipart/mixed; boundary*0=ab; boundary*1=\"cd\"", "boundary", ["abcd"]),
        ("multipart/mixed; boundary*=us-ascii''a%20b", "boundary", ["a b"]),
        ("multipart/mixed;\r\n\tboundary=\r\n \"abc\"", "boundary", ["abc"]),
        ("multipart/mixed; boundary=a(b)c", "boundary", ["a(b)c", "a"]),
        ("multipart/mixed; boundary=(open", "boundary", ["(open"]),
    ]) func parameters(_ value: String, _ name: String, _ expected: [String]) {
        let parameters = Array(value.utf8).view { HeaderParameters($0) }
        #expect(parameters.values(name == "charset" ? "charset" : "boundary").map(text) == expected)
    }

    @Test(arguments: [
        ("attachment; filename=\"a b.exe\"", ["a b.exe"]),
        ("attachment; filename=my file.exe; size=3", ["my", "my file.exe"]),
        ("attachment; filename*=utf-8''%e2%82%ac.txt; filename=\"EUR.txt\"", ["€.txt", "EUR.txt"]),
        ("attachment; filename*1*=%20x.exe; filename*0*=iso-8859-1''%E4", ["ä x.exe"]),
        ("attachment; filename=\"=?utf-8?B?w6Q=?=.exe\"", ["ä.exe"]),
        (#"attachment; filename="C:\new\a.exe""#, ["C:newa.exe", #"C:\new\a.exe"#]),
    ]) func fileNames(_ value: String, _ expected: [String]) {
        #expect(Array(value.utf8).view { HeaderParameters($0) }.texts("filename").map(text) == expected)
    }

    @Test func mediaTypeWithCommentsAndSpaces() {
        #expect(
            text(lines("Multipart / (c) Mixed; boundary=x").view { HeaderParameters($0) }.main) == "multipart/mixed")
        #expect(lines("boundary=x").view { HeaderParameters($0) }.values("boundary").map(text) == ["x"])
    }
}
