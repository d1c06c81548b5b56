import Matching
import SignatureCompiler
import Testing

/// Parts of logical signatures that are looked for only when a rarer one was found.
@Suite("Parts that no index has")
struct DeferredTests {
    private static let rare = "qzXjk0!vWp9~"

    private func database(_ expression: String, _ parts: String...) throws -> TestDatabase {
        let list = [hex(Self.rare)] + parts
        let database = try TestDatabase([
            "a.ldb": "Rule;Engine:81-255,Target:0;\(expression);\(list.joined(separator: ";"))"
        ])
        #expect(database.report.signatures == 1)
        return database
    }

    private func isFound(_ database: TestDatabase, _ text: String) -> Bool {
        let result = database.matches(Array(text.utf8))
        #expect(result.outcome == .complete)
        return result.found == ["Rule"]
    }

    @Test("a conjunction needs all of them, in any order")
    func conjunction() throws {
        let database = try database("0&1&2&3", hex("ab"), hex("cde"), "0:" + hex("MZ"))
        #expect(isFound(database, "MZ ab cde \(Self.rare)"))
        #expect(isFound(database, "MZ \(Self.rare) cde ab"))
        #expect(!isFound(database, "MZ a b cde \(Self.rare)"))
        #expect(!isFound(database, "MZ ab cd e \(Self.rare)"))
        #expect(!isFound(database, ".MZ ab cde \(Self.rare)"))
        #expect(!isFound(database, "MZ ab cde"))
    }

    @Test("their matches are counted, and their absence is told")
    func counts() throws {
        let several = try database("0&(1>2)", hex("ab"))
        #expect(isFound(several, "ababab\(Self.rare)"))
        #expect(!isFound(several, "abab\(Self.rare)"))
        let none = try database("0&(1=0)", hex("ab"))
        #expect(isFound(none, Self.rare))
        #expect(!isFound(none, "ab\(Self.rare)"))
        let either = try database("0&(1|2)", hex("ab"), hex("cd"))
        #expect(isFound(either, "cd\(Self.rare)"))
        #expect(!isFound(either, "c\(Self.rare)d"))
    }

    @Test("they match in the ways that other parts do")
    func forms() throws {
        let database = try database("0&1&2", "6162*6364", hex("xy") + "::i")
        #expect(isFound(database, "ab....cd Xy \(Self.rare)"))
        #expect(!isFound(database, "cd....ab xY \(Self.rare)"))
        #expect(!isFound(database, "ab....cd x-y \(Self.rare)"))
    }

    @Test("a part that one rule cannot do without is found for others too")
    func shared() throws {
        let database = try TestDatabase([
            "a.ldb": """
            Short;Engine:81-255,Target:0;0;616263
            Long;Engine:81-255,Target:0;0&1;616263;\(hex(Self.rare))
            """
        ])
        #expect(Set(database.matches(Array("abc \(Self.rare)".utf8)).found) == ["Short", "Long"])
        #expect(database.matches(Array("abc".utf8)).found == ["Short"])
        #expect(database.matches(Array(Self.rare.utf8)).found.isEmpty)
    }

    @Test("many rules at once find what is there and nothing else, wherever it lies", arguments: 0..<9)
    func many(padding: Int) throws {
        // More than it takes for the object's grams to be looked at.
        let numbers = 10..<60
        var lines: [String] = []
        for i in numbers {
            lines.append("Word\(i);Engine:81-255,Target:0;0&1;\(hex(Self.rare));\(hex("word\(i)"))")
            lines.append("Case\(i);Engine:81-255,Target:0;0&1;\(hex(Self.rare));\(hex("case\(i)"))::i")
            lines.append("Gap\(i);Engine:81-255,Target:0;0&1;\(hex(Self.rare));\(hex("left\(i)"))*\(hex("right\(i)"))")
            lines.append("Regex\(i);Engine:81-255,Target:0;0&1;\(hex(Self.rare));0/reg\\x65x\(i)[a-z]/i")
            lines.append("None\(i);Engine:81-255,Target:0;0&(1=0);\(hex(Self.rare));\(hex("e\(i)"))")
        }
        let database = try TestDatabase(["a.ldb": lines.joined(separator: "\n")])
        #expect(database.report.signatures == 5 * numbers.count)
        let pad = String(repeating: ".", count: padding)
        let text = "\(pad)\(Self.rare) CASE20 WORD21 right22 left22 left23 right23 ReGeX24q rege25z regex26- e27 word28"
        let expected: Set<String> = ["Case20", "Gap23", "Regex24", "Word28"]
        let scratch = Scratch()
        for _ in 0..<2 {
            let result = database.matches(Array(text.utf8), scratch: scratch)
            #expect(result.outcome == .complete)
            let found = Set(result.found)
            #expect(found.filter { !$0.hasPrefix("None") } == expected)
            #expect(found.filter { $0.hasPrefix("None") }.count == numbers.count - 2)
        }
    }

    @Test("the last of many places of a literal is found backwards", arguments: [0, 15, 16, 17, 4095, 4096, 9000])
    func backwards(distance: Int) throws {
        let database = try TestDatabase(body: "\(hex("open"))*\(hex(Self.rare))")
        let text = "OPEN open \(String(repeating: "o", count: distance))\(Self.rare)"
        #expect(database.matches(Array(text.utf8)).offsets == [5])
        #expect(database.matches(Array(text.dropFirst(6).utf8)).found.isEmpty)
    }

    @Test("one scratch may go from object to object")
    func again() throws {
        let database = try database("0&1", hex("ab"))
        let scratch = Scratch()
        for _ in 0..<3 {
            #expect(database.matches(Array("ab\(Self.rare)".utf8), scratch: scratch).found == ["Rule"])
            #expect(database.matches(Array("a-b\(Self.rare)".utf8), scratch: scratch).found.isEmpty)
        }
    }
}
