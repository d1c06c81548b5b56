import CModuleABI
import Matching
import Testing

/// Each feature of the body format, from the meaning that the public specification gives it.
@Suite("Body signatures")
struct BodyTests {
    struct Example: CustomTestStringConvertible {
        let signature: String
        let object: String
        let matches: Bool
        var testDescription: String { "\(signature) \(matches ? "in" : "not in") \(object)" }
    }

    /// Objects are text; the signature's literals are hex of text.
    private static func example(_ signature: String, _ object: String, _ matches: Bool) -> Example {
        Example(signature: signature, object: object, matches: matches)
    }

    static let examples: [Example] = {
        let (malware, soft) = (hex("malware"), hex("soft"))
        return [
            // Plain literals: long, four, three and two bytes.
            example(malware, "malware", true), example(malware, "xxmalwarexx", true),
            example(malware, "malwar", false), example(malware, "malwarfe", false), example(malware, "alware", false),
            example(hex("abcd"), "xabcd", true), example(hex("abcd"), "xabcx", false),
            example(hex("abc"), "xxabc", true), example(hex("abc"), "abxc", false),
            example(hex("ab"), "xab", true), example(hex("ab"), "a", false), example(hex("ab"), "ba", false),
            // Hex in either case.
            example("4D4c4B4a494F47", "MLKJIOG", true),
            // ?? any byte, and nibbles.
            example("\(malware)??\(soft)", "malware-soft", true), example("\(malware)??\(soft)", "malwaresoft", false),
            example("\(malware)??\(soft)", "malware--soft", false),
            example("\(malware)6?\(soft)", "malwaregsoft", true), example("\(malware)6?\(soft)", "malwarewsoft", false),
            example("\(malware)?7\(soft)", "malwarewsoft", true), example("\(malware)?7\(soft)", "malwarexsoft", false),
            example("6?\(malware)", "gmalware", true), example("6?\(malware)", "malware", false),
            example("????\(malware)", "xxmalware", true), example("????\(malware)", "xmalware", false),
            example("\(malware)????", "malwarexx", true), example("\(malware)????", "malwarex", false),
            // * any number of bytes, also none; order counts; no overlap.
            example("\(malware)*\(soft)", "malwaresoft", true),
            example("\(malware)*\(soft)", "malware......soft", true),
            example("\(malware)*\(soft)", "soft malware", false),
            example("\(soft)*\(malware)", "soft...malware", true), example("\(soft)*\(malware)", "malware soft", false),
            example("\(hex("ab"))*\(malware)*\(hex("yz"))", "..ab..malware..yz", true),
            example("\(hex("ab"))*\(malware)*\(hex("yz"))", "..yz..malware..ab", false),
            example("\(hex("aba"))*\(hex("bab"))", "abab", false),
            example("\(hex("aba"))*\(hex("bab"))", "ababab", true),
            // {n} {n-m} {-n} {n-}
            example("\(malware){3}\(soft)", "malware123soft", true),
            example("\(malware){3}\(soft)", "malware12soft", false),
            example("\(malware){3}\(soft)", "malware1234soft", false),
            example("\(malware){2-4}\(soft)", "malware12soft", true),
            example("\(malware){2-4}\(soft)", "malware1234soft", true),
            example("\(malware){2-4}\(soft)", "malware1soft", false),
            example("\(malware){2-4}\(soft)", "malware12345soft", false),
            example("\(soft){2-4}\(malware)", "soft123malware", true),
            example("\(soft){2-4}\(malware)", "soft1malware", false),
            example("\(malware){-2}\(soft)", "malwaresoft", true),
            example("\(malware){-2}\(soft)", "malware12soft", true),
            example("\(malware){-2}\(soft)", "malware123soft", false),
            example("\(malware){2-}\(soft)", "malware12soft", true),
            example("\(malware){2-}\(soft)", "malware123456soft", true),
            example("\(malware){2-}\(soft)", "malware1soft", false),
            example("\(soft){2-}\(malware)", "soft12malware", true),
            example("\(soft){2-}\(malware)", "soft1malware", false),
            // A gap that must be tried at more than its first place.
            example("\(malware){-9}\(hex("ab"))\(hex("cd"))", "malware ab abcd", true),
            example("\(malware)*\(hex("ab")){1}\(hex("cd"))", "malware ab..cd ab.cd", true),
            // [x-y]
            example("\(malware)[1-2]41", "malwarexA", true), example("\(malware)[1-2]41", "malwarexxxA", false),
            // Alternatives: bytes, strings of one length, of several lengths, with wildcards.
            example("\(malware)(61|62)\(soft)", "malwarebsoft", true),
            example("\(malware)(61|62)\(soft)", "malwarecsoft", false),
            example("\(malware)(6161|6262)\(soft)", "malwarebbsoft", true),
            example("\(malware)(6161|6262)\(soft)", "malwareabsoft", false),
            example("\(malware)(61|626262)\(soft)", "malwarebbbsoft", true),
            example("\(malware)(61|626262)\(soft)", "malwareasoft", true),
            example("\(malware)(61|626262)\(soft)", "malwarebsoft", false),
            example("(61|626262)\(malware)", "bbbmalware", true), example("(61|626262)\(malware)", "bbmalware", false),
            example("\(malware)(6161|62??62)\(soft)", "malwarebxbsoft", true),
            example("\(malware)(6161|62??62)\(soft)", "malwarebxxsoft", false),
            example("\(malware)(61{2}62|63)\(soft)", "malwareaxxbsoft", true),
            example("\(malware)(61|6162)62\(soft)", "malwareabbsoft", true),
            // Nested ones, empty ones.
            example("\(malware)(61(62|63)|64)\(soft)", "malwareacsoft", true),
            example("\(malware)(61(62|63)|64)\(soft)", "malwaredsoft", true),
            example("\(malware)(61(62|63)|64)\(soft)", "malwareasoft", false),
            example("\(malware)(61|)\(soft)", "malwaresoft", true),
            example("\(malware)(61|)\(soft)", "malwareasoft", true),
            // A maximum of 0 is none.
            example("\(malware){0-0}\(soft)", "malware....soft", true),
            // Negated alternatives.
            example("\(malware)!(61|62)\(soft)", "malwarecsoft", true),
            example("\(malware)!(61|62)\(soft)", "malwareasoft", false),
            example("\(malware)!(61|62)\(soft)", "malwaresoft", false),
            example("\(malware)!(6161|6262)\(soft)", "malwareabsoft", true),
            example("\(malware)!(6161|6262)\(soft)", "malwarebbsoft", false),
            example("!(61)\(malware)", "bmalware", true), example("!(61)\(malware)", "amalware", false),
            example("!(61)\(malware)", "malware", false),
            // (B) word boundary, (L) line, (W) no letter or digit; ends of the object count.
            example("(B)\(malware)(B)", "a malware'", true), example("(B)\(malware)(B)", ".malware.", false),
            example("(B)\(malware)(B)", "malware", true),
            example("(B)\(malware)(B)", "xmalware", false), example("(B)\(malware)(B)", "malwarex", false),
            example("(L)\(malware)(L)", "a\r\nmalware\r\nb", true), example("(L)\(malware)(L)", "malware", true),
            example("(L)\(malware)(L)", "a malware\r\n", false), example("(L)\(malware)(L)", "\nmalware.", false),
            example("(W)\(malware)(W)", "-malware-", true), example("(W)\(malware)(W)", "amalware-", false),
            example("(W)\(malware)(W)", "-malware1", false),
            example("!(W)\(malware)", "amalware", true), example("!(W)\(malware)", "-malware", false),
            example("\(malware)(W)\(soft)", "malware-soft", true),
            example("\(malware)(W)\(soft)", "malwarexsoft", false),
            example("\(malware)(W)\(soft)", "malwaresoft", false),
            example("\(malware)*(B)\(soft)", "malware xsoft soft", true),
            // Between bytes they take one.
            example("\(malware)(B)\(soft)", "malware.soft", true),
            example("\(malware)(B)\(soft)", "malware,soft", false),
            example("\(malware)(L)\(soft)", "malware\nsoft", true),
            example("\(malware)(L)\(soft)", "malware\rsoft", false),
            example("\(malware)*(B)\(soft)", "malware xsoft", false),
        ]
    }()

    @Test(arguments: examples)
    func feature(_ example: Example) throws {
        let database = try TestDatabase(body: example.signature)
        let result = database.matches(Array(example.object.utf8))
        #expect(result.outcome == .complete)
        #expect(result.found == (example.matches ? ["Test"] : []))
    }

    @Test("a literal is found at every alignment and at both ends", arguments: 0..<9, 7..<17)
    func alignment(_ before: Int, _ length: Int) throws {
        let literal = (0..<length).map { UInt8(200 + $0) }
        let database = try TestDatabase(body: hex(literal))
        let padding = [UInt8](repeating: 0, count: before)
        #expect(database.isFound(padding + literal))
        #expect(database.isFound(padding + literal + padding))
        #expect(!database.isFound(padding + literal.dropLast()))
        var changed = literal
        for i in changed.indices {
            changed[i] ^= 1
            #expect(!database.isFound(padding + changed + padding))
            changed[i] ^= 1
        }
    }

    @Test(
        "offsets",
        arguments: [
            ("3", "...malware", true), ("3", "..malware", false), ("3", "....malware", false), ("0", "malware", true),
            ("2,3", "..malware", true), ("2,3", ".....malware", true), ("2,3", "......malware", false),
            ("2,3", ".malware", false), ("EOF-7", "...malware", true), ("EOF-7", "...malware.", false),
            ("EOF-9,2", "..malware", true), ("EOF-9,2", "..malware.", true), ("EOF-9,2", "..malware..", true),
            ("EOF-9,2", "..malware...", false),
            ("EOF-20", "malware", false), ("100", "malware", false),
        ])
    func offset(_ offset: String, _ object: String, _ matches: Bool) throws {
        let long = try TestDatabase(body: hex("malware"), offset: offset)
        #expect(long.isFound(Array(object.utf8)) == matches)
        // The same through the paths of short anchors, of masks alone, and behind a gap.
        for body in ["6d616c??617265", "6?6?6?7?6?7?6?", "6d*656d", "6d616c*\(hex("are"))"] {
            guard let database = try? TestDatabase(body: body, offset: offset) else {
                Issue.record("\(body) does not compile")
                continue
            }
            #expect(database.isFound(Array(object.utf8)) == (matches && body != "6d*656d"), "\(body)")
        }
    }

    @Test("patterns with an offset count from their first element, wherever the anchor lies")
    func offsetBehindGap() throws {
        let database = try TestDatabase(body: "6162*\(hex("malware"))", offset: "1,1")
        #expect(database.isFound(Array(".ab...malware".utf8)))
        #expect(database.isFound(Array("..ab...malware".utf8)))
        #expect(!database.isFound(Array("...ab...malware".utf8)))
        #expect(!database.isFound(Array("ab...malware".utf8)))
    }

    @Test("only objects of the target type are looked at")
    func target() throws {
        let types: [(Int, UInt32)] = [
            (1, EM_TYPE_PE), (2, EM_TYPE_OLE2), (3, EM_TYPE_HTML), (4, EM_TYPE_MAIL), (5, EM_TYPE_GRAPHICS),
            (6, EM_TYPE_ELF), (7, EM_TYPE_TEXT), (9, EM_TYPE_MACHO), (10, EM_TYPE_PDF), (11, EM_TYPE_FLASH),
            (12, EM_TYPE_JAVA),
        ]
        for (target, type) in types {
            let database = try TestDatabase(body: hex("malware"), target: target)
            for (_, other) in types {
                #expect(database.isFound(Array("malware".utf8), type: other) == (other == type))
            }
            #expect(!database.isFound(Array("malware".utf8)))
        }
    }

    @Test("patterns for any type are tried beside those of a target")
    func anyTarget() throws {
        let database = try TestDatabase(["a.ndb": "Any:0:*:\(hex("malware"))\nOwn:6:*:\(hex("softness"))"])
        let object = Array("malware softness".utf8)
        #expect(database.matches(object, type: EM_TYPE_ELF).found.sorted() == ["Any", "Own"])
        #expect(database.matches(object, type: EM_TYPE_PE).found == ["Any"])
        #expect(database.matches(object).found == ["Any"])
    }

    @Test("each signature is reported once, the first one alone on request")
    func once() throws {
        let database = try TestDatabase(["a.ndb": "A:0:*:\(hex("malware"))\nB:0:*:\(hex("software"))"])
        let object = Array("malware malware software malware software".utf8)
        let scratch = Scratch()
        for _ in 0..<3 {
            let result = database.matches(object, scratch: scratch)
            #expect(result.found.sorted() == ["A", "B"])
            #expect(result.offsets.sorted() == [0, 16])
        }
        #expect(database.matches(object, all: false, scratch: scratch).found == ["A"])
    }

    @Test("what is only unwanted does not hide what is worse")
    func unwantedFirst() throws {
        let database = try TestDatabase([
            "a.ndu": "Unwanted:0:*:\(hex("malware"))\nOther:0:*:\(hex("softener"))",
            "b.ndb": "Worse:0:*:\(hex("software"))",
            "c.hdu": "9d8dbffb8c8ef2e0d0bbb6da1f4e4bd5:*:None",
        ])
        #expect(database.matches(Array("malware software softener".utf8), all: false).found == ["Unwanted", "Worse"])
        #expect(database.matches(Array("malware softener".utf8), all: false).found == ["Unwanted", "Other"])
    }

    @Test("an empty object has no matches")
    func empty() throws {
        for body in [hex("malware"), "6162", "6162*6364"] {
            let database = try TestDatabase(body: body)
            for count in 0..<3 { #expect(!database.isFound([UInt8](repeating: 0x61, count: count))) }
        }
    }

    @Test("many signatures that share fragments are told apart")
    func many() throws {
        var random = Deterministic(7)
        let bodies = (0..<2000).map { number -> [UInt8] in
            Array("common prefix ".utf8) + [UInt8(number >> 8), UInt8(number & 255)]
                + (0..<4).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        let lines = bodies.enumerated().map { "N\($0.offset):0:*:\(hex($0.element))" }.joined(separator: "\n")
        let database = try TestDatabase(["a.ndb": lines])
        for number in stride(from: 0, to: 2000, by: 97) {
            #expect(database.matches([1, 2, 3] + bodies[number] + [4]).found == ["N\(number)"])
        }
    }
}
