import CModuleABI
import DatabaseSections
import Matching
import SignatureCompiler
import Testing

/// Logical signatures, from the meaning that the public specification and ClamAV give them.
@Suite("Logical signatures")
struct LogicalTests {
    struct Example: CustomTestStringConvertible {
        /// What comes behind the name, parts as text: `expression;part;…`, where 'text' in quotes is hex of text.
        let rule: String
        let object: String
        let matches: Bool
        var testDescription: String { "\(rule) \(matches ? "in" : "not in") \(object)" }
    }

    private static func yes(_ rule: String, _ objects: String...) -> [Example] {
        objects.map { Example(rule: rule, object: $0, matches: true) }
    }

    private static func no(_ rule: String, _ objects: String...) -> [Example] {
        objects.map { Example(rule: rule, object: $0, matches: false) }
    }

    /// Text in quotes as hex.
    private static func encoded(_ rule: String) -> String {
        rule.split(separator: "'", omittingEmptySubsequences: false).enumerated().map { index, part in
            index % 2 == 1 ? hex(String(part)) : String(part)
        }.joined()
    }

    private static func database(_ rule: String, _ description: String = "Engine:51-255,Target:0") throws
        -> TestDatabase
    {
        let database = try TestDatabase(["test.ldb": "Test;\(description);\(encoded(rule))"])
        if let problem = database.report.malformed.first ?? database.report.unsupported.first {
            throw TestDatabase.Failure(reason: "\(problem)")
        }
        return database
    }

    static let expressions: [Example] = {
        var list: [Example] = []
        list += yes("0&1;'alpha';'bravo'", "bravo alpha")
        list += no("0&1;'alpha';'bravo'", "alpha", "bravo", "")
        list += yes("0|1;'alpha';'bravo'", "bravo", "alpha")
        list += no("0|1;'alpha';'bravo'", "charlie")
        list += yes("0&1=0;'alpha';'bravo'", "alpha")
        list += no("0&1=0;'alpha';'bravo'", "alpha bravo", "none")
        list += yes("0=0;'alpha'", "bravo")
        list += no("0=0;'alpha'", "alpha")
        list += yes("0=2;'alpha'", "alpha alpha")
        list += no("0=2;'alpha'", "alpha", "alpha alpha alpha")
        list += yes("0>1;'alpha'", "alphaalpha", "alpha alpha alpha")
        list += no("0>1;'alpha'", "alpha")
        list += yes("0<2;'alpha'", "alpha", "")
        list += no("0<2;'alpha'", "alpha alpha")
        // Without parentheses the first operator splits, inside them the last.
        list += yes("0|1&2;'alpha';'bravo';'charlie'", "alpha", "bravo charlie")
        list += no("0|1&2;'alpha';'bravo';'charlie'", "bravo", "charlie")
        list += yes("0&1|2;'alpha';'bravo';'charlie'", "alpha bravo", "alpha charlie")
        list += no("0&1|2;'alpha';'bravo';'charlie'", "charlie", "bravo charlie", "alpha")
        list += yes("(0&1|2);'alpha';'bravo';'charlie'", "charlie", "alpha bravo")
        list += no("(0&1|2);'alpha';'bravo';'charlie'", "alpha", "bravo")
        list += no("(0|1&2);'alpha';'bravo';'charlie'", "alpha", "bravo")
        // Blocks: matches of all parts, and how many different ones.
        list += yes("(0|1)>2;'alpha';'bravo'", "alpha alpha bravo", "bravo bravo bravo")
        list += no("(0|1)>2;'alpha';'bravo'", "alpha bravo")
        list += yes("(0|1)=2;'alpha';'bravo'", "alpha bravo", "alpha alpha")
        list += no("(0|1)=2;'alpha';'bravo'", "alpha")
        list += yes("(0|1)=2,2;'alpha';'bravo'", "alpha bravo")
        list += no("(0|1)=2,2;'alpha';'bravo'", "alpha alpha")
        list += yes("(0|1|2)>2,2;'alpha';'bravo';'charlie'", "alpha alpha charlie")
        list += no("(0|1|2)>2,2;'alpha';'bravo';'charlie'", "alpha alpha alpha", "alpha bravo")
        list += yes("(0|1)<3,2;'alpha';'bravo'", "alpha bravo")
        list += no("(0|1)<3,2;'alpha';'bravo'", "alpha", "alpha bravo bravo")
        list += yes("(0|1)=0&2;'alpha';'bravo';'charlie'", "charlie")
        list += no("(0|1)=0&2;'alpha';'bravo';'charlie'", "charlie bravo", "none")
        list += yes("(0&1)>2;'alpha';'bravo'", "alpha alpha bravo")
        list += no("(0&1)>2;'alpha';'bravo'", "alpha alpha alpha")
        list += yes("((0|1)>1)&2;'alpha';'bravo';'charlie'", "alpha bravo charlie")
        list += no("((0|1)>1)&2;'alpha';'bravo';'charlie'", "alpha charlie")
        // Equal places count once, overlapping ones each.
        list += yes("0=3;'zaza'", "zazazaza")
        list += yes("0=2;'aba'", "ababa")
        // A part with a gap counts by what follows the last one.
        list += yes("0>1;'alpha'*'bravo'", "alpha bravo bravo")
        list += no("0>1;'alpha'*'bravo'", "alpha alpha bravo")
        list += yes("0=1;'alpha'*'bravo'", "bravo alpha bravo")
        list += yes("0&1>1;'malware';3:'abc'*'xyz'", "...abc xyz xyz malware")
        list += no("0&1>1;'malware';3:'abc'*'xyz'", "...abc xyz malware", "..abc xyz xyz malware")
        return list
    }()

    static let modifiers: [Example] = {
        var list: [Example] = []
        list += yes("0;'Alpha7'::i", "ALPHA7", "alpha7")
        list += no("0;'Alpha7'::i", "alphaW")
        list += yes("0;'alpha'(6162|63)'bravo'::i", "ALPHAcBRAVO", "alphaABbravo")
        // Half a byte has no case.
        list += yes("0;'alpha'4?'bravo'::i", "alphaAbravo")
        list += no("0;'alpha'4?'bravo'::i", "alphaabravo")
        list += yes("0;'wide'::w", "w\0i\0d\0e\0")
        list += no("0;'wide'::w", "wide", "w\0i\0d\0e")
        list += yes("0;'wide'::wa", "w\0i\0d\0e\0", "wide")
        list += yes("0;'wide'::iwa", "W\0I\0D\0E\0", "WIDE")
        list += yes("0;'wide'(61|62)'x'::w", "w\0i\0d\0e\0b\0x\0")
        list += no("0;'wide'(61|62)'x'::w", "w\0i\0d\0e\0bx\0")
        list += yes("0;'wide'??'x'::w", "w\0i\0d\0e\0!\0x\0")
        list += no("0;'wide'??'x'::w", "w\0i\0d\0e\0!x\0")
        list += yes("0;'wide'{2}'xy'::w", "w\0i\0d\0e\0!!x\0y\0")
        list += yes("0;'word'::f", "word", "a word.", "(word)")
        list += no("0;'word'::f", "sword", "words", "word1")
        list += yes("0;'word'::wf", "w\0o\0r\0d\0", "s w\0o\0r\0d\0!\0")
        list += no("0;'word'::wf", "s\0w\0o\0r\0d\0", "w\0o\0r\0d\0s\0")
        list += yes("0;2:'alpha'::i", "..ALPHA")
        list += no("0;2:'alpha'::i", "...ALPHA")
        list += yes("0;EOF-8,3:'alpha'", "some alpha...", "some alpha")
        list += no("0;EOF-8,3:'alpha'", "alpha and more of it")
        return list
    }()

    static let numbers: [Example] = {
        var list: [Example] = []
        list += yes("0&1;'size';0(>>4#ib2#=258)", ".size\u{1}\u{2}")
        list += no("0&1;'size';0(>>4#ib2#=258)", ".size\u{2}\u{1}")
        list += yes("0&1;'size';0(>>4#il2#=513)", ".size\u{1}\u{2}")
        list += yes("0&1;'size';0(<<1#ib1#>64,<91)", ".Zsize")
        list += no("0&1;'size';0(<<1#ib1#>64,<91)", ".zsize")
        // The object's first byte is out of reach.
        list += no("0&1;'size';0(<<1#ib1#>64,<91)", "Zsize")
        list += yes("0&1;'size';0(>>4#db3#=123)", ".size123", ".size1234")
        list += yes("0&1;'size';0(>>4#db4#=123)", ".size 123")
        list += no("0&1;'size';0(>>4#db3#=123)", ".size124")
        list += yes("0&1;'size';0(>>4#hb4#=0xBEEF)", ".sizebeef")
        list += yes("0&1;'size';0(>>4#hl4#=0xBEEF)", ".sizeefbe")
        list += yes("0&1;'size';0(>>4#ab4#=31)", ".size0x1f", ".size0031")
        list += no("0&1;'size';0(>>4#dbe4#=12)", ".size12ab")
        list += yes("0&1;'size';0(>>4#db4#=12)", ".size12ab")
        // The last match decides.
        list += yes("0&1;'size';0(>>4#ib1#=66)", ".sizeA sizeB")
        list += no("0&1;'size';0(>>4#ib1#=66)", ".sizeB sizeA", ".sizeB size")
        return list
    }()

    static let regexes: [Example] = {
        var list: [Example] = []
        list += yes("0&1;'alpha';0/b[xyz]+a/", "alpha bxyzza", "bxa alpha")
        list += no("0&1;'alpha';0/b[xyz]+a/", "bxa", "alpha ba")
        list += yes("0&1;'alpha';0/B[XYZ]+A/i", "alpha bxa")
        list += no("0&1;'alpha';0/b.a/", "alpha b\na")
        list += yes("0&1;'alpha';0/b.a/s", "alpha b\na")
        list += yes("0&1;'alpha';0/^bravo/m", "alpha\nbravo")
        list += no("0&1;'alpha';0/^bravo/", "alpha\nbravo")
        list += yes("0&1;'alpha';0/b r a/x", "alpha bra")
        list += yes("0&1>1;'alpha';0/b.a/g", "alpha bxa bya")
        list += no("0&1>1;'alpha';0/b.a/", "alpha bxa bya")
        list += yes("0&1&2;'alpha';'zulu';0&1/b.a/", "zulu alpha bxa")
        list += yes("0&1;'alpha';6:0/bra/", "alpha bra")
        list += no("0&1;'alpha';5:0/bra/", "alpha bra")
        list += yes("0&1;'alpha';5:0/bra/r", "alpha bra")
        list += yes("0&1;'alpha';5,2:0/bra/", "alpha bra")
        list += no("0&1;'alpha';3,2:0/bra/", "alpha bra")
        list += yes("0&1;'alpha';3,6:0/bra/e", "alpha bra")
        list += no("0&1;'alpha';3,5:0/bra/e", "alpha bra")
        list += yes("0&1;'alpha';0/(a)\\1/", "alpha aa")
        list += no("0&1;'alpha';0/x(?=y);/", "alpha xy")
        list += yes("0&2;'alpha';0/b+/;1/c+/", "alpha bb cc")
        list += no("0&2;'alpha';0/b+/;1/c+/", "alpha cc")
        list += no("0&1=0;'alpha';0/bra/", "alpha bra")
        list += yes("0&1=0;'alpha';0/bra/", "alpha")
        // Those with a sieve: see ExpressionSearch.
        for gap in [0, 1, 2_033, 2_038, 2_040, 2_041, 2_042, 2_043, 4_100] {
            let dashes = String(repeating: "-", count: gap)
            list += yes("0&1;'alpha';0/b[xyz]\\da/", "alpha" + dashes + "bx1a", "bx1a" + dashes + "alpha")
            list += no("0&1;'alpha';0/b[xyz]\\da/", "alpha" + dashes + "bx1", "alpha" + dashes + "bx11a")
            list += yes("0&1=2;'alpha';0/b[xyz]\\da/g", "alpha bz2a" + dashes + "bx1a", "alphabz2abx1a" + dashes)
            list += no("0&1=1;'alpha';0/b[xyz]\\da/g", "alpha bz2a" + dashes + "bx1a")
        }
        list += yes("0&1;'alpha';0/\\bb[xy]\\da/", "alpha bx1a", "alphabx1a bx2a")
        list += no("0&1;'alpha';0/\\bb[xy]\\da/", "alphabx1a")
        list += yes("0&1;'alpha';0/(?<=-)b[xy]\\da/", "alpha-bx1a")
        list += no("0&1;'alpha';0/(?<!-)b[xy]\\da/", "alpha-bx1a")
        list += yes("0&1;'alpha';6:0/b[xy]\\da/", "alpha bx1a")
        list += no("0&1;'alpha';5:0/b[xy]\\da/", "alpha bx1a")
        list += yes("0&1;'alpha';5:0/b[xy]\\da/r", "alpha bx1a")
        list += no("0&1;'alpha';7:0/b[xy]\\da/r", "alpha bx1a")
        list += yes("0&1;'alpha';5,2:0/b[xy]\\da/", "alpha bx1a")
        list += no("0&1;'alpha';3,2:0/b[xy]\\da/", "alpha bx1a")
        list += yes("0&1;'alpha';3,7:0/b[xy]\\da/e", "alpha bx1a")
        list += no("0&1;'alpha';3,6:0/b[xy]\\da/e", "alpha bx1a")
        list += no("0&1;'alpha';0/b[xy]\\da/A", "alpha bx1a")
        list += yes("0&1;'alpha';0/b[xy]\\da/A", "bx1a alpha")
        return list
    }()

    @Test(arguments: expressions) func expression(_ example: Example) throws { try check(example) }
    @Test(arguments: modifiers) func modifier(_ example: Example) throws { try check(example) }
    @Test(arguments: numbers) func number(_ example: Example) throws { try check(example) }
    @Test(arguments: regexes) func regex(_ example: Example) throws { try check(example) }

    private func check(_ example: Example) throws {
        let result = try Self.database(example.rule).matches(Array(example.object.utf8))
        #expect(result.outcome == .complete)
        #expect(result.found == (example.matches ? ["Test"] : []))
    }

    @Test("macro groups")
    func macros() throws {
        let database = try TestDatabase([
            "a.ldb": "Macro;Engine:51-255,Target:0;0&1;616161;${6-7}12$",
            "a.ndb": "D1:0:$12$:626262\nD2:0:$12$:636363\nD3:0:$30$:626264",
        ])
        #expect(database.report.malformedCount == 0)
        for object in ["aaa...bbb", "aaa....ccc", "xx aaa....bbb"] {
            #expect(database.matches(Array(object.utf8)).found == ["Macro"], "\(object)")
        }
        for object in ["aaa..bbb", "aaa.....bbb", "aaa...bbd", "bbb...aaa", "bbb"] {
            #expect(database.matches(Array(object.utf8)).found.isEmpty, "\(object)")
        }
    }

    @Test("conditions on the object")
    func conditions() throws {
        let sized = try Self.database("0;'alpha'", "Engine:51-255,FileSize:6-8,Target:0")
        for (object, expected) in [("alpha", false), ("alpha.", true), ("alpha...", true), ("alpha....", false)] {
            #expect(sized.isFound(Array(object.utf8)) == expected)
        }
        let typed = try Self.database("0;'alpha'", "Engine:51-255,Target:7")
        #expect(typed.isFound(Array("alpha".utf8), type: UInt32(EM_TYPE_TEXT)))
        #expect(!typed.isFound(Array("alpha".utf8), type: UInt32(EM_TYPE_HTML)))
        let negative = try Self.database("0=0;'alpha'", "Engine:51-255,Target:7")
        #expect(negative.isFound(Array("bravo".utf8), type: UInt32(EM_TYPE_TEXT)))
        #expect(!negative.isFound(Array("bravo".utf8), type: UInt32(EM_TYPE_HTML)))
    }

    @Test("conditions on what the object lies in")
    func containers() throws {
        func found(_ description: String, in types: [UInt32]) throws -> Bool {
            let database = try Self.database("0;'alpha'", "Engine:51-255,\(description),Target:0")
            var facts = ObjectFacts()
            facts.containers = types
            return !database.matches(Array("alpha".utf8), facts: facts).found.isEmpty
        }
        let (zip, mail) = (FileType.code("CL_TYPE_ZIP"), FileType.code("CL_TYPE_MAIL"))
        #expect(try found("Container:CL_TYPE_ZIP", in: [zip, mail]))
        #expect(try !found("Container:CL_TYPE_MAIL", in: [zip, mail]))
        #expect(try !found("Container:CL_TYPE_ZIP", in: []))
        #expect(try found("Container:CL_TYPE_ANY", in: []))
        #expect(try !found("Container:CL_TYPE_ANY", in: [zip]))
        #expect(try found("Intermediates:CL_TYPE_MAIL>CL_TYPE_ZIP", in: [zip, mail]))
        #expect(try !found("Intermediates:CL_TYPE_ZIP>CL_TYPE_MAIL", in: [zip, mail]))
        #expect(try !found("Intermediates:CL_TYPE_MAIL>CL_TYPE_ZIP", in: [zip]))
        #expect(try found("Intermediates:CL_TYPE_ZIP", in: [zip, mail]))
        // Office documents are ZIP archives, but not the other way round.
        let office = FileType.code("CL_TYPE_OOXML_XL")
        #expect(try found("Container:CL_TYPE_ZIP", in: [office]) && found("Container:CL_TYPE_OOXML_XL", in: [office]))
        #expect(
            try !found("Container:CL_TYPE_OOXML_XL", in: [zip]) && !found("Container:CL_TYPE_OOXML_WORD", in: [office]))
    }

    @Test("engine levels", arguments: [("51-255", 1), ("1-215", 0), ("217-255", 0), ("216-216", 1)])
    func levels(_ levels: String, _ expected: Int) throws {
        let report = try TestDatabase(["a.ldb": "Test;Engine:\(levels),Target:0;0;616263"]).report
        #expect(report.rules == expected && report.unsupportedCount == 1 - expected && report.malformedCount == 0)
    }

    @Test("matches say where and how")
    func details() throws {
        let database = try Self.database("0&1;'alpha';'bravo'")
        #expect(database.matches(Array("..bravo alpha".utf8)).offsets == [8])
    }

    @Test("malformed lines are left out, one by one")
    func malformed() throws {
        let bad = [
            "A;Target:0;0", "A;Target:0;0&1;6162", "A;Target:0;(0;6162", "A;Target:0;0);6162",
            "A;Target:0;(0)1;6162;6263",
            "A;Target:0;0=;6162", "A;Engine:51-255;0;6162", "A;Target:x;0;6162", "A;Target:0;0;616",
            "A;Target:0;0;6162::q",
            "A;Target:0;0;zz:6162", "A;Target:0;0&1;6162;0/a(/", "A;Target:0;0&1;6162;1/a/", "A;Target:0;0&1;6162;/a/",
            "A;Target:0;0&1;6162;0/a/Q", "A;Target:0;0&1;6162;0/a", "A;Target:0;0&1;6162;0(>>1#il3#=1)",
            "A;Target:0;0&1;6162;0(>>1#dl3#=1)", "A;Target:0;0&1;6162;0(1#il2#=1)", "A;Target:0;0&1;6162;0(>>1#il2#1)",
            "A;Target:0;0;${1-2}3$", "A;Target:0;0&1;6162;${1-2}32$", "A;Engine:51,Target:0;0;6162", "A;Target:0;;6162",
            "A;Engine:51-255,Target:0,FileSize:9;0;6162", "A;Target:0;0;EP+0:6162", "A;Target:0;99;6162",
        ]
        let report = try TestDatabase(["a.ldb": (["Good;Target:0;0;616263"] + bad).joined(separator: "\n")]).report
        #expect(report.rules == 1)
        #expect(report.malformedCount == bad.count)
        #expect(report.malformed.map(\.line) == Array(2...(bad.count + 1)))
    }

    /// Rules are visited by their rarest part, so a common one costs nothing.
    @Test("a common part makes no work for rules of which nothing else matched")
    func triggers() throws {
        let lines = (0..<2000).map { "Rule\($0);Target:0;0&1;'common';'rare\($0)'" }
        let database = try TestDatabase(["a.ldb": Self.encoded(lines.joined(separator: "\n"))])
        var asked = 0
        let result = database.matches(
            Array("common rare77 and more".utf8),
            check: {
                asked += 1
                return true
            })
        #expect(Set(result.found) == ["Rule7", "Rule77"])
        // Were all rules evaluated, the budget would be asked every 256 of them.
        #expect(asked < 8)
    }
}
