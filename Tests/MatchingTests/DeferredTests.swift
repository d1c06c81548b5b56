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
