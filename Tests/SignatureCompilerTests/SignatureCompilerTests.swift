import Bytes
import CModuleABI
import DataModule
import Testing

@testable import SignatureCompiler

/// Compiles texts by file name; the bytes live as long as the call.
private func compile(
    _ files: KeyValuePairs<String, String>
) throws -> (database: CompiledDatabase, report: CompileReport) {
    let texts = files.map { ($0.key, Array($0.value.utf8)) }
    let places = texts.map { text in
        let place = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, text.1.count))
        _ = place.initialize(from: text.1)
        return place
    }
    defer { for place in places { place.deallocate() } }
    return try SignatureCompiler.compile(
        zip(texts, places).map {
            SignatureFile(name: $0.0.0, bytes: ByteView(base: $0.1.baseAddress, count: $0.0.1.count))
        }, version: 5)
}

private let md5 = "44d88612fea8a8f36de82e1278abb02f"

@Suite("Signature compiler")
struct SignatureCompilerTests {
    struct BadLine: CustomTestStringConvertible {
        let file, line, reason: String
        var unsupported = false
        var testDescription: String { line }
    }

    static let badLines = [
        BadLine(file: "a.hdb", line: md5, reason: "fewer than three fields"),
        BadLine(file: "a.hdb", line: "\(md5):12", reason: "fewer than three fields"),
        BadLine(file: "a.hdb", line: "44d8:12:Name", reason: "the hash has the length of no known algorithm"),
        BadLine(
            file: "a.hdb", line: "zz\(md5.dropFirst(2)):12:Name",
            reason: "the hash has a character that is no hex digit"),
        BadLine(file: "a.hdb", line: "\(md5):x:Name", reason: "the size is no number"),
        BadLine(file: "a.hdb", line: "\(md5):-1:Name", reason: "the size is no number"),
        BadLine(file: "a.hdb", line: "\(md5):12:", reason: "the name is empty"),
        BadLine(file: "a.hdb", line: "\(md5):12:N\u{1}", reason: "the name has a control character"),
        BadLine(
            file: "a.hdb", line: "\(md5):12:\(String(repeating: "n", count: 513))",
            reason: "the name is longer than 512 bytes"),
        BadLine(file: "a.hdb", line: "\(md5):12:Name:73:80:90", reason: "too many fields"),
        BadLine(file: "a.hdb", line: "\(md5):12:Name:x", reason: "the lowest engine level is no number"),
        BadLine(file: "a.hdb", line: "\(md5):4294967295:Name", reason: "an object of 4 GiB or more", unsupported: true),
        BadLine(file: "a.hdb", line: "\(md5):12:Name:9999", reason: "for a newer engine", unsupported: true),
        BadLine(file: "a.hdb", line: "\(md5):12:Name:1:2", reason: "for an older engine", unsupported: true),
        BadLine(file: "a.ndb", line: "Name:0:*", reason: "fewer than four fields"),
        BadLine(file: "a.ndb", line: "Name:x:*:616263", reason: "the target is no number"),
        BadLine(file: "a.ndb", line: "Name:13:*:616263", reason: "a target above 12", unsupported: true),
        BadLine(file: "a.ndb", line: "Name:0:x:616263", reason: "the offset is of no known kind"),
        BadLine(file: "a.ndb", line: "Name:0:EOF+3:616263", reason: "the offset is of no known kind"),
        BadLine(file: "a.ndb", line: "Name:0:1,x:616263", reason: "the offset's shift is no number"),
        BadLine(
            file: "a.ndb", line: "Name:0:EP+0:616263",
            reason: "an offset from an entry point or section for what is no executable"),
        BadLine(file: "a.ndb", line: "Name:1:Sx+0:616263", reason: "the section's number is no number"),
        BadLine(file: "a.ndb", line: "Name:0:*:", reason: "the signature is empty"),
        BadLine(file: "a.ndb", line: "Name:0:*:61626", reason: "an odd number of hex digits"),
        BadLine(file: "a.ndb", line: "Name:0:*:6162g3", reason: "a character that is neither hex digit nor wildcard"),
        BadLine(file: "a.ndb", line: "Name:0:*:6162{61", reason: "a gap that does not end"),
        BadLine(file: "a.ndb", line: "Name:0:*:6162{}61", reason: "a gap whose length is no number"),
        BadLine(file: "a.ndb", line: "Name:0:*:6162{-}61", reason: "a gap without a number"),
        BadLine(file: "a.ndb", line: "Name:0:*:6162{5-4}61", reason: "a gap whose minimum is above its maximum"),
        BadLine(
            file: "a.ndb", line: "Name:0:*:6162{9999999999}61", reason: "a gap of 2 GiB or more", unsupported: true),
        BadLine(file: "a.ndb", line: "Name:0:*:6162(61|62", reason: "a parenthesis that does not close"),
        BadLine(file: "a.ndb", line: "Name:0:$32$:616263", reason: "a macro group that is no number below 32"),
        BadLine(file: "a.ndb", line: "Name:0:*:6162(|61)", reason: "an empty first alternative"),
        BadLine(file: "a.ndb", line: "Name:0:*:6162(61|{1-2})", reason: "a gap of variable length in an alternative"),
        BadLine(file: "a.ndb", line: "Name:0:*:6162!61", reason: "'!' without '('"),
        BadLine(file: "a.ndb", line: "Name:0:*:6162!(61|6262)", reason: "negated alternatives of different lengths"),
        BadLine(file: "a.ndb", line: "Name:0:*:6162!(6?|62)", reason: "wildcards in negated alternatives"),
        BadLine(file: "a.ndb", line: "Name:0:*:6162!(L)63", reason: "!(L) in the middle of a piece", unsupported: true),
        BadLine(
            file: "a.ndb", line: "Name:0:*:61??62", reason: "no two bytes without wildcards together", unsupported: true
        ),
        BadLine(file: "a.ign2", line: "Name:12", reason: "what follows the name is no MD5"),
        BadLine(file: "a.ldb", line: "Name;Target:0;0", reason: "fewer than four fields"),
        BadLine(
            file: "a.ldb", line: "Name;Target:0;0;fuzzy_img#af2ad01ed42993c7#1",
            reason: "fuzzy hashes of images with a distance", unsupported: true),
        BadLine(
            file: "a.ldb", line: "Name;Target:0;0;fuzzy_img#af2ad0#0",
            reason: "a fuzzy hash of an image without 16 hexadecimal digits"),
        BadLine(
            file: "a.ldb", line: "Name;Target:0;0;fuzzy_img#af2ad01ed42993c7#x",
            reason: "the distance of a fuzzy hash is no number"),
        BadLine(
            file: "a.ldb", line: "Name;Target:0,HandlerType:PDF;0;616263",
            reason: "the type does not begin with CL_TYPE_"),
        BadLine(
            file: "a.ldb", line: "Name;Target:0,HandlerType:CL_TYPE_RAR;0;616263",
            reason: "a file type that the scanner has no use for", unsupported: true),
        BadLine(
            file: "a.ldb", line: "Name;Target:0,HandlerType:CL_TYPE_PDF,HandlerType:CL_TYPE_ZIP;0;616263",
            reason: "two types that the object is matched as"),
        BadLine(file: "a.pwdb", line: "Name;Engine:81-255;0", reason: "fewer than four fields"),
        BadLine(file: "a.pwdb", line: "Name;;2;secret", reason: "the kind of password is neither 0 nor 1"),
        BadLine(file: "a.pwdb", line: "Name;;1;736", reason: "the password is no hexadecimal digits"),
        BadLine(file: "a.pwdb", line: "Name;;0;", reason: "the password is empty"),
        BadLine(file: "a.pwdb", line: "Name;Engine:999-1000;0;a", reason: "for a newer engine", unsupported: true),
        BadLine(
            file: "a.pwdb", line: "Name;FileSize:1-2;0;a", reason: "an unknown key in the target description",
            unsupported: true),
    ]

    @Test("a bad line is reported with its place, and the rest compiles", arguments: badLines)
    func badLine(_ bad: BadLine) throws {
        let good = bad.file == "a.ndb" ? "Good:0:*:61626364" : "\(md5):5:Good"
        let others = bad.file == "a.hdb" || bad.file == "a.ndb"
        let (database, report) = try compile([
            bad.file: (others ? good + "\n" : "") + bad.line + (others ? "\n" + good : "")
        ])
        #expect(report.signatures == (others ? 2 : 0) && database.signatures == (others ? 2 : 0))
        let problem = try #require((bad.unsupported ? report.unsupported : report.malformed).first)
        #expect(problem.description == "\(bad.file):\(others ? 2 : 1): \(bad.reason)")
        #expect(
            report.malformedCount == (bad.unsupported ? 0 : 1) && report.unsupportedCount == (bad.unsupported ? 1 : 0))
        #expect(report.unsupportedReasons == (bad.unsupported ? [bad.reason: 1] : [:]))
    }

    @Test("comments, blank lines and line ends of all kinds")
    func lines() throws {
        let (_, report) = try compile(["a.hdb": "# note\r\n\r\n\(md5):1:A\r\n  \n\(md5):2:B\n\(md5):3:C"])
        #expect(report.signatures == 3 && report.malformedCount == 0 && report.unsupportedCount == 0)
    }

    @Test("levels that include this engine are accepted", arguments: ["", ":73", ":1:255", "::", ":73:"])
    func levels(_ levels: String) throws {
        #expect(try compile(["a.hsb": "\(md5):1:A\(levels)"]).report.signatures == 1)
        #expect(try compile(["a.ndb": "A:0:*:616263\(levels)"]).report.signatures == 1)
    }

    @Test("ignore lists by name, by digest of the line, and by line number")
    func ignored() throws {
        let line = "Body:0:*:61626364"
        // md5sum of that line.
        let digest = "468150205432b8397fe7d5884e58e3a3"
        let files: (String) -> KeyValuePairs<String, String> = {
            [
                "a.ndb": "\(line)\nOther:0:*:61626364", "a.hdb": "\(md5):1:Body", "local.ign2": $0,
            ]
        }
        #expect(try compile(files("Body")).report.ignored == 2)
        #expect(try compile(files("Body:\(digest)")).report.ignored == 1)
        #expect(try compile(files("Body:\(md5)")).report.ignored == 0)
        #expect(try compile(files("a.ndb:1:Other")).report.ignored == 1)
        #expect(try compile(files("Nobody")).report.signatures == 3)
    }

    @Test("files of unknown formats are named, those without signatures passed over")
    func formats() throws {
        let (_, report) = try compile(["x.exe": "MZ", "README": "text", "daily.info": "x:1", "a.hdb": "\(md5):1:A"])
        #expect(
            report.unsupported.map(\.description) == [
                "x.exe: a file of an unknown format", "README: a file of an unknown format",
            ])
        #expect(report.signatures == 1)
    }

    @Test("the same input gives the same bytes")
    func reproducible() throws {
        let hashes = (0..<500).map { "\(String(repeating: String($0 % 10), count: 32)):\($0 * 7):N\($0)" }
        let bodies = (0..<200).map { "B\($0):\($0 % 3):*:\(String(0x1000_0000 + $0 * 7919, radix: 16))61626364" }
        let files: KeyValuePairs = ["a.hdb": hashes.joined(separator: "\n"), "a.ndb": bodies.joined(separator: "\n")]
        #expect(try compile(files).database.bytes() == compile(files).database.bytes())
    }

    @Test("nothing compiles to an empty database")
    func nothing() throws {
        let (database, report) = try compile([:])
        #expect(database.signatures == 0 && report.signatures == 0 && database.version == 5)
        #expect(try database.bytes().count >= MemoryLayout<em_database_header>.size)
    }

    @Test("long lists of problems are counted, not kept")
    func manyProblems() throws {
        let (_, report) = try compile(["a.hdb": String(repeating: "x\n", count: 2500)])
        #expect(report.malformedCount == 2500 && report.malformed.count == 1000)
    }

    /// Mutated lines: whatever they hold, they end in a signature or a report.
    @Test("garbage is no crash", arguments: 0..<4)
    func garbage(_ seed: UInt64) throws {
        let alphabet = Array("0123456789abcdefABCDEF?*{}[]()|!-,:+;BLWSEPOFVIx \n\r#\u{0}".utf8)
        var state = seed &* 7919 &+ 1
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let seeds = [
            "Name:1:EP+10,20:6162{1-2}(61|6262)!(63|64)*6?(B)", "\(md5):12:Name:73", "Name:0:EOF-5:61[2-3]6263??64(W)",
        ]
        for _ in 0..<800 {
            var line = Array(seeds[random(seeds.count)].utf8)
            for _ in 0..<(1 + random(6)) {
                switch random(3) {
                case 0: line[random(line.count)] = alphabet[random(alphabet.count)]
                case 1: line.insert(alphabet[random(alphabet.count)], at: random(line.count))
                default: if line.count > 1 { line.remove(at: random(line.count)) }
                }
            }
            let text = String(decoding: line, as: UTF8.self)
            let (_, report) = try compile(["a.ndb": text, "a.hdb": text, "a.ign2": text])
            #expect(report.signatures <= 8)
        }
    }
}

@Suite("Body signature parser")
struct HexPatternTests {
    private func parse(_ text: StaticString) throws -> [HexPattern.Element] {
        try HexPattern(ByteView(text)).elements
    }

    @Test("runs of one kind are one part")
    func runs() throws {
        #expect(
            try parse("6162????6?6f?163") == [
                .literal([0x61, 0x62]), .gap(least: 2, most: 2), .masked(values: [0x60], masks: [0xf0]),
                .literal([0x6f]),
                .masked(values: [0x01], masks: [0x0f]), .literal([0x63]),
            ])
    }

    @Test("neighbouring gaps add up")
    func gaps() throws {
        #expect(try parse("61{2}??{1-3}62") == [.literal([0x61]), .gap(least: 4, most: 6), .literal([0x62])])
        #expect(try parse("61{2}*62") == [.literal([0x61]), .gap(least: 2, most: nil), .literal([0x62])])
    }

    @Test("a class looks outwards")
    func classes() throws {
        let elements = try parse("(B)6162*(L)6364(W)")
        #expect(elements.first == .assertion(kind: EM_ELEMENT_BOUNDARY, negated: false, before: true))
        #expect(elements[3] == .assertion(kind: EM_ELEMENT_LINE, negated: false, before: true))
        #expect(elements.last == .assertion(kind: EM_ELEMENT_NONWORD, negated: false, before: false))
        #expect(try parse("61(W)62")[1] == .assertion(kind: EM_ELEMENT_NONWORD_BYTE, negated: false, before: false))
    }
}
