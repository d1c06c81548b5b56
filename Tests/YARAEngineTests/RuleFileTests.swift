import Bytes
import BytesE
import CModuleABI
import DataModule
import Glibc
import Matching
import SignatureCompiler
import Testing
import YARAEngine

/// Rules compiled and tried on objects. The expectations in Rules/ were compared with YARA 4.2.3.
@Suite struct RuleFileTests {
    static let folder = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.startIndex)) + "/Rules/"

    @Test(arguments: ["operators", "undefined", "text", "hex", "regex", "sets", "modules", "signed"])
    func decidesAsExpected(_ name: String) throws {
        let text = try contents(of: Self.folder + name + ".yar")
        let head = try #require(text.split(separator: 0x0a).first)
        let digits = head.drop { $0 != UInt8(ascii: ":") }.dropFirst(2)
        let object = hexadecimal(digits)
        let expected = String(decoding: text, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix("rule yes") }
            .map { String($0.split(separator: " ")[1]) }
        #expect(try TestRules(text).matches(object).sorted() == expected.sorted())
    }

    private func hexadecimal(_ digits: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var high: UInt8?
        for digit in digits {
            let value = digit < 0x3a ? digit - 0x30 : digit - 0x57
            if let first = high {
                result.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return result
    }

    private func contents(of path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        return Array(buffer[0..<max(0, read(descriptor, &buffer, buffer.count))])
    }

    @Test func namesOfFilesReachRules() throws {
        let rules = try TestRules(
            Array(
                """
                rule a { condition: filename matches /\\.exe$/i and extension == ".EXE" }
                rule b { condition: filepath contains "/in/" }
                rule c { condition: filetype == "PE" }
                """.utf8))
        var facts = Evaluator.Facts()
        facts.name = BytesE.ByteView("x.y.EXE")
        facts.path = BytesE.ByteView("mail/in/x.y.EXE")
        #expect(rules.matches(Array("x".utf8), facts: facts) == ["a", "b"])
    }

    @Test func globalAndPrivateRules() throws {
        let rules = try TestRules(
            Array(
                """
                rule before { condition: true }
                global rule g { strings: $a = "go" condition: $a }
                private rule p { condition: filesize == 2 }
                rule after { condition: p }
                """.utf8))
        #expect(rules.matches(Array("go".utf8)).sorted() == ["after", "before", "g"])
        #expect(rules.matches(Array("no".utf8)) == [])
    }

    @Test func workIsLimitedAndSaidSo() throws {
        let rules = try TestRules(
            Array("rule a { condition: for all i in (0..1000000000) : (for all j in (0..1000000000) : (true)) }".utf8))
        #expect(rules.outcome([0]) == .limit)
    }

    @Test func pathologicalExpressionsEnd() throws {
        let rules = try TestRules(
            Array("rule a { strings: $a = /(a|aa|a?)*b(a|b)*c/ condition: #a > 0 }".utf8))
        _ = rules.outcome([UInt8](repeating: UInt8(ascii: "a"), count: 3000) + [UInt8(ascii: "b")])
    }

    @Test func damageIsFound() throws {
        let text =
            "rule a { strings: $a = \"abc\" $b = /x[0-9]+y/ condition: $a and #b > 1 or for any i in (1..#a) : (@a[i] == 1) }"
        let bytes = try TestRules.compile(Array(text.utf8))
        for position in stride(from: 64, to: bytes.count, by: 7) {
            var damaged = bytes
            damaged[position] ^= 0x55
            damaged.withUnsafeBufferPointer { database in
                Array("xabc x12y x3y".utf8).withUnsafeBufferPointer { object in
                    fuzzRules(BytesE.ByteView(database), object: BytesE.ByteView(object))
                }
            }
        }
    }
}

/// Rules compiled to a database in memory of its own.
final class TestRules {
    private let scanner: RuleScanner
    private let memory: UnsafeMutableRawBufferPointer

    static func compile(_ text: [UInt8]) throws -> [UInt8] {
        try text.withUnsafeBufferPointer { buffer in
            let file = SignatureFile(name: "test.yar", bytes: Bytes.ByteView(buffer))
            let (database, report) = try SignatureCompiler.compile([file], version: 1)
            #expect(report.malformed.map(\.description) + report.unsupported.map(\.description) == [])
            return try database.bytes()
        }
    }

    init(
        _ text: [UInt8], foreign: @escaping (BytesE.ByteView, BytesE.ByteView) -> ForeignFunction? = { _, _ in nil }
    ) throws {
        let bytes = try Self.compile(text)
        memory = .allocate(byteCount: bytes.count, alignment: 64)
        memory.copyBytes(from: bytes)
        scanner = try RuleScanner(BytesE.ByteView(UnsafeRawBufferPointer(memory)), foreign: foreign)
    }

    deinit { memory.deallocate() }

    func matches(_ object: [UInt8], facts: Evaluator.Facts = Evaluator.Facts()) -> [String] {
        var facts = facts
        facts.now = 1_700_000_000
        var names: [String] = []
        object.withUnsafeBufferPointer {
            _ = scanner.scan(BytesE.ByteView($0), type: EM_TYPE_UNKNOWN, facts: facts) { match in
                names.append(
                    String(decoding: scanner.database.signature(match.signature)?.name.array ?? [], as: UTF8.self))
            }
        }
        return names
    }

    func outcome(_ object: [UInt8]) -> MatchOutcome {
        object.withUnsafeBufferPointer { scanner.scan(BytesE.ByteView($0), type: EM_TYPE_UNKNOWN) { _ in } }
    }
}
