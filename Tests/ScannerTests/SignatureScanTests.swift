import Archives
import Bytes
import CModuleABI
import DataModule
import Foundation
import ModuleHost
import ScanProtocol
import Scanner
import SignatureCompiler
import Testing

/// em001 and em003 with databases that are compiled for the test.
@Suite("Scans with signatures")
struct SignatureScanTests {
    private func database(_ files: KeyValuePairs<String, String>) throws -> [UInt8] {
        let texts = files.map { (name: $0.key, bytes: Array($0.value.utf8)) }
        let places = texts.map { text in
            let place = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, text.bytes.count))
            _ = place.initialize(from: text.bytes)
            return place
        }
        defer { for place in places { place.deallocate() } }
        let list = zip(texts, places).map { text, place in
            SignatureFile(name: text.name, bytes: ByteView(base: place.baseAddress, count: text.bytes.count))
        }
        let (compiled, report) = try SignatureCompiler.compile(list, version: 1)
        #expect(report.malformedCount == 0 && report.unsupportedCount == 0, "\(report.malformed) \(report.unsupported)")
        return try compiled.bytes()
    }

    /// Names of what is found, with the numbers of their objects.
    private func scan(
        _ object: String, _ files: KeyValuePairs<String, String>, numbers: [String: Int64] = [:]
    ) throws -> [String] {
        try scan(Array(object.utf8), files, numbers: numbers)
    }

    private func scan(
        _ object: [UInt8], _ files: KeyValuePairs<String, String>, numbers: [String: Int64] = [:]
    ) throws -> [String] {
        let generation = try Generation.linked(
            code: [("em001_64.dat", scannerModule()), ("em003_64.dat", archivesModule())],
            data: [("em002", database(files))])
        let options = OptionTable(ScanOptions(numbers: numbers), ScanEnvelope(agent: "scan"))
        let scan = try Scan(generation: generation, object: ObjectBytes(object), options: options)
        guard case .done(let verdict) = scan.run() else {
            Issue.record("suspended")
            return []
        }
        return verdict.findings.filter { $0.kind != .note }.map { "\($0.name) in \($0.object)" }
    }

    /// "hello world" in hexadecimal digits.
    private let hello = "68656c6c6f20776f726c64"

    @Test func textIsMatchedInItsNormalForm() throws {
        let signature: KeyValuePairs = ["a.ndb": "T:7:*:\(hello)"]
        #expect(try scan("-- HELLO \r\n\t World --", signature) == ["T in 1"])
        #expect(try scan("-- hello world --", signature) == ["T in 1"])
        #expect(try scan("-- hello, world --", signature) == [])
        // A signature for any type sees the object as it is, and the form.
        #expect(try scan("-- HELLO \r\n\t World --", ["a.ndb": "A:0:*:\(hello)"]) == ["A in 1"])
        #expect(try scan("-- HELLO World --", ["a.ndb": "A:0:*:48454c4c4f20576f"]) == ["A in 1"])
    }

    @Test func htmlIsMatchedInItsForms() throws {
        let page = "<html><body bgcolor='RED'>Hello <!-- x --> <b>World</b></body></html>\n"
        // Without tags.
        #expect(try scan(page, ["a.ndb": "H:3:*:\(hello)"]) == ["H in 1"])
        // Without comments: `bgcolor="red"`.
        #expect(try scan(page, ["a.ndb": "H:3:*:6267636f6c6f723d2272656422"]) == ["H in 1"])
        // As it is, `bgcolor='RED'`, signatures do not see it, whatever type they are for.
        let raw = "6267636f6c6f723d2752454427"
        #expect(try scan(page, ["a.ndb": "H:3:*:\(raw)\nA:0:*:\(raw)", "a.ldb": "L;Target:0;0;\(raw)"]) == [])
        #expect(try scan(page, ["a.ndb": "A:0:*:\(hello)"]) == ["A in 1"])
        // A signature for text is none for HTML.
        #expect(try scan(page, ["a.ndb": "T:7:*:\(hello)"]) == [])
    }

    /// Rules are written against files as they are, and digests are those of files.
    @Test func yaraRulesAndDigestsSeePagesAsTheyAre() throws {
        let page = "<html><body bgcolor='RED'>Hello <!-- x --> <b>World</b></body></html>\n"
        func rule(_ text: String) -> String { "rule R { strings: $a = \(text) condition: $a }" }
        #expect(try scan(page, ["a.yar": rule("\"bgcolor='RED'\"")]) == ["R in 1"])
        #expect(try scan(page, ["a.yar": rule("/col.r='RED'/")]) == ["R in 1"])
        #expect(try scan(page, ["a.yar": rule("\"bgcolor=\\\"red\\\"\"")]) == [])
        #expect(try scan(page, ["a.yar": "rule R { condition: filesize == \(page.utf8.count) }"]) == ["R in 1"])
        // Also those of which a private rule has the text.
        let inner = "private rule P { strings: $a = \"'RED'\" condition: $a } rule R { condition: P }"
        #expect(
            try scan(page, ["a.yar": inner, "a.ndb": "H:3:*:\(hello)"], numbers: ["all_matches": 1]).sorted() == [
                "H in 1", "R in 1",
            ])
        #expect(try scan("-- HELLO World --\n\n", ["a.yar": rule("\"hello world\"")]) == [])
        #expect(try scan("<html></html>", ["a.hdb": "c83301425b2ad1d496473a5ff3d9ecca:13:D"]) == ["D in 1"])
    }

    /// Text in which tags come later is both.
    @Test func tagsFurtherOn() throws {
        let signatures = "H:3:*:\(hello)\nT:7:*:\(hello)\nA:0:*:48656c6c6f203c623e"
        let page = "<p>Hello <b>World</b> <img src=x>"
        let numbers: [String: Int64] = ["all_matches": 1]
        #expect(try scan(page, ["a.ndb": signatures], numbers: numbers) == ["H in 1"])
        let late = String(repeating: "words ", count: 1000) + page
        #expect(try scan(late, ["a.ndb": signatures], numbers: numbers).sorted() == ["A in 1", "H in 1"])
        #expect(
            try scan(late + " hello world", ["a.ndb": signatures], numbers: numbers).sorted() == [
                "A in 1", "H in 1", "T in 1",
            ])
        // Conditions ask for the size of a text, not of its form; the forms of pages have sizes of their own.
        let sized =
            "T;Engine:81-255,Target:7,FileSize:30-40;0;\(hello)\nH;Engine:81-255,Target:3,FileSize:60-70;0;\(hello)"
        #expect(try scan("HELLO                   World     ", ["a.ldb": sized]) == ["T in 1"])
        #expect(try scan("<img src=x>Hello World" + String(repeating: " ", count: 44), ["a.ldb": sized]) == [])
        // No tag of HTML.
        #expect(
            try scan("<objects> Hello <b>World</b>, hello world", ["a.ndb": signatures], numbers: numbers).sorted() == [
                "A in 1", "T in 1",
            ])
    }

    @Test func rulesThatTellTheType() throws {
        let pdf = "P;Target:0,HandlerType:CL_TYPE_PDF;0;4040"
        #expect(try scan("@@hello world", ["a.ldb": pdf]) == [])
        #expect(try scan("@@hello world", ["a.ldb": pdf, "a.ndb": "F:10:*:\(hello)"]) == ["F in 1"])
        #expect(try scan("@hello world", ["a.ldb": pdf, "a.ndb": "F:10:*:\(hello)"]) == [])
        // It then lies in itself, and is not retyped again; what it was already is found once.
        let all: [String: Int64] = ["all_matches": 1]
        #expect(
            try scan(
                "@@hello world",
                [
                    "a.ldb":
                        "\(pdf)\nC;Target:0,Container:CL_TYPE_TEXT_ASCII;0;4040\nQ;Target:10,HandlerType:CL_TYPE_HTML;0;4040",
                    "a.ndb": "F:10:*:\(hello)\nT:7:*:\(hello)\nA:0:*:\(hello)\nH:3:*:\(hello)",
                ], numbers: all
            ).sorted() == ["A in 1", "C in 1", "F in 1", "T in 1"])
        // What is in it is opened.
        let file = "@@ 1 0 obj << /Length 11 >> stream\nhello world\nendstream endobj"
        #expect(try scan(file, ["a.ldb": pdf, "a.ndb": "S:7:0:\(hello)"]) == ["S in 2"])
    }

    @Test func looksOfPictures() throws {
        let picture = try bytes("ImagesTests/Samples/palette.png")
        let chunk = "49484452"
        let rules = """
            A;Engine:150-255,Target:0;0;fuzzy_img#ed499a362499b327#0
            B;Engine:150-255,Target:5;0;fuzzy_img#ed499a362499b327
            C;Engine:150-255,Target:5;0&1;fuzzy_img#ed499a362499b327#0;\(chunk)
            D;Engine:150-255,Target:5;0&1;fuzzy_img#ed499a362499b327#0;deadbeef
            E;Engine:150-255,Target:5;0;fuzzy_img#ed499a362499b326#0
            F;Engine:150-255,Target:5;0=0&1;fuzzy_img#ed499a362499b326#0;\(chunk)
            """
        #expect(
            try scan(picture, ["a.ldb": rules], numbers: ["all_matches": 1]).sorted()
                == ["A in 1", "B in 1", "C in 1", "F in 1"])
        var damaged = picture
        damaged.removeLast(200)
        #expect(try scan(damaged, ["a.ldb": rules], numbers: ["all_matches": 1]).sorted() == ["F in 1"])
        #expect(try scan("ed499a362499b327", ["a.ldb": rules]) == [])
    }

    @Test func passwordsOfTheDatabase() throws {
        let mail = try sample("mail-zip-crypto.eml").replacing("password for it is: s3cret-42", with: "answer is: 42")
        let content = "A harmless text".utf8.map { String($0, radix: 16) }.joined()
        func found(_ passwords: String) throws -> [String] {
            try scan(mail, ["a.pwdb": passwords, "a.ndb": "F:0:0:\(content)"]).filter { $0.hasPrefix("F ") }
        }
        #expect(try found("P;Engine:81-255,Container:CL_TYPE_ZIP;0;s3cret-41") == [])
        #expect(try found("P;Engine:81-255,Container:CL_TYPE_ZIP;0;s3cret-42").count == 1)
        #expect(try found("N;;0;else\nP;Container:CL_TYPE_ANY;1;7333637265742d3432").count == 1)
        #expect(try found("P;Container:CL_TYPE_RAR;0;s3cret-42") == [])
    }

    private func sample(_ name: String) throws -> String {
        String(decoding: try bytes("ArchivesTests/Samples/\(name)"), as: UTF8.self)
    }

    private func bytes(_ path: String) throws -> [UInt8] {
        let tests = #filePath.split(separator: "/").dropLast(2).map { "/\($0)" }.joined()
        return try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(tests)/\(path)")))
    }

    @Test func wideTextIsSeen() throws {
        let signature: KeyValuePairs = ["a.ndb": "H:3:*:\(hello)\nT:7:*:\(hello)"]
        func wide(_ text: String) -> String { text.map { "\($0)\0" }.joined() }
        #expect(try scan(wide("<html><b>Hello</b> World</html>"), signature) == ["H in 1"])
        #expect(try scan(wide("say HELLO world, in plain text"), signature) == ["T in 1"])
        #expect(try scan("<p>see <a href=x>Hello World</a></p>", signature) == ["H in 1"])
        // Zeros inside a page are passed over, by browsers too.
        #expect(try scan("\n <html><body>Hel\0lo</b> \0Wor\0\0ld</body></html>", signature) == ["H in 1"])
    }

    /// One signature that matches the object and both forms is told once, also when all matches are wanted.
    @Test func eachSignatureIsToldOnce() throws {
        let page = "<html><body>hello world</body></html>\n"
        #expect(try scan(page, ["a.ndb": "A:0:*:\(hello)"], numbers: ["all_matches": 1]) == ["A in 1"])
    }

    @Test func fileTypesOfTheDatabase() throws {
        let signature = "T:7:*:\(hello)\nH:3:*:\(hello)\nP:10:*:\(hello)"
        #expect(try scan("@@hello world", ["a.ndb": signature]) == ["T in 1"])
        #expect(
            try scan("@@hello world", ["a.ndb": signature, "a.ftm": "0:0:4040:X:CL_TYPE_ANY:CL_TYPE_PDF"]) == ["P in 1"]
        )
        #expect(
            try scan("@@hello world", ["a.ndb": signature, "a.ftm": "1:*:68656c6c6f:X:CL_TYPE_ANY:CL_TYPE_HTML"])
                == ["H in 1"])
    }

    private let mail = """
        From: a@example.org\r\nTo: b@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\nContent-Type: text/html\r\n\r\n<html><body>@</body></html>\r\n\
        --B\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"virus.exe\"\r\n\r\n\
        content\r\n--B--\r\n

        """

    private func mail(_ html: String) -> String {
        mail.split(separator: "@", omittingEmptySubsequences: false).enumerated().map { index, part in
            index == 2 ? part + html : index == 3 ? part : part + "@"
        }.joined()
    }

    @Test func entriesOfContainers() throws {
        func found(_ line: String) throws -> Int { try scan(mail, ["a.cdb": line]).count }
        #expect(try found("C:CL_TYPE_MAIL:*:virus\\.exe$:*:*:0:*:*:*") == 1)
        #expect(try found("C:*:*:virus\\.exe$:7:7:*:*:*:*") == 1)
        #expect(try found("C:CL_TYPE_ZIP:*:virus\\.exe$:*:*:*:*:*:*") == 0)
        #expect(try found("C:CL_TYPE_MAIL:*:virus\\.exe$:8-99:*:*:*:*:*") == 0)
        #expect(try found("C:CL_TYPE_MAIL:*:virus\\.exe$:*:*:1:*:*:*") == 0)
        #expect(try found("C:CL_TYPE_MAIL:\(mail.utf8.count):virus:*:*:*:*:*:*") == 1)
    }

    @Test func linksThatShowAnotherAddress() throws {
        let rules: KeyValuePairs = [
            "a.pdb": "H:bank.example.com\nH:bank.com", "a.wdb": "M:mailer.example.net:www.bank.com",
        ]
        func found(_ html: String, numbers: [String: Int64] = [:]) throws -> [String] {
            try scan(mail(html), rules, numbers: numbers).map { String($0.prefix { $0 != " " }) }
        }
        let spoofed = ["Heuristics.Phishing.Email.SpoofedDomain"]
        #expect(try found("<a href=\"http://evil.example.org/x\">www.bank.com</a>") == spoofed)
        #expect(try found("<a href=\"http://evil.example.org/x\">w w w . bank . com</a>") == spoofed)
        #expect(try found("<a href=\"http://www.bank.com/x\">bank.com</a>") == [])
        #expect(try found("<a href=\"http://evil.example.org/x\">click here</a>") == [])
        #expect(try found("<a href=\"http://evil.example.org/x\">www.other.com</a>") == [])
        #expect(try found("<a href=\"http://mailer.example.net/x\">www.bank.com</a>") == [])
        #expect(
            try found("<a href=\"http://192.0.2.7/x\">www.bank.com</a>")
                == ["Heuristics.Phishing.Email.Cloaked.NumericIP"])
        #expect(
            try found("<a href=\"http://www.bank.com/x\">https://www.bank.com/</a>")
                == ["Heuristics.Phishing.Email.SSL-Spoof"])
        #expect(
            try found("<a href=\"http://evil.example.org/x\">www.bank.com</a>", numbers: ["av_scan_phishing_urls": 0])
                == [])
        // Outside of mail nobody is deceived by it.
        #expect(try scan("<html><a href=\"http://evil.example.org/x\">www.bank.com</a></html>", rules) == [])
    }

    @Test func listedAddresses() throws {
        // SHA-256 of "evil.example.org/".
        let rules: KeyValuePairs = [
            "a.gdb": "S1:F:548cdddb18f5d18ac42b2bba2341bea30a556d26996c116c47f92d68e41d09a6"
        ]
        #expect(
            try scan(mail("<a href=\"http://www.evil.example.org/path?x\">click</a>"), rules).first?.hasPrefix(
                "Heuristics.Phishing.URL.Blocked") == true)
        #expect(try scan(mail("<a href=\"http://good.example.org/\">click</a>"), rules) == [])
    }
}
