import BytesE
import CModuleABI
import Matching
import SignatureCompiler
import Testing

@Suite("Hash signatures")
struct HashTests {
    // Digests of "malware" (7 bytes), as md5sum, sha1sum and sha256sum print them.
    static let digests: [String] = [
        "f3f0c6e992b7562598d9865b6fe8b3a6", "316ca0099385ebe6d7fcb9d5e0785deafedfe791",
        "2f293f67aa33f2ce247b28d6fb2fef2623cfde731f96b3d7f84ae74e9e192bdd",
    ]
    private let object = Array("malware".utf8)

    @Test("a digest with the right size matches, with another it does not", arguments: digests)
    func size(_ digest: String) throws {
        for (size, expected) in [("7", true), ("8", false), ("*", true)] {
            let database = try TestDatabase(["a.hsb": "\(digest):\(size):Test:73"])
            #expect(database.report.signatures == 1)
            #expect(database.isFound(object) == expected)
            #expect(!database.isFound(Array("malwarf".utf8)))
            #expect(!database.isFound(Array("malware.".utf8)))
        }
        // Hex digits of either case.
        #expect(try TestDatabase(["a.hdb": "\(digest.uppercased()):7:Test"]).isFound(object))
    }

    @Test("each of many digests is found, and no other object")
    func many() throws {
        var random = Deterministic(11)
        var lines = (0..<3000).map { number -> String in
            let length = [16, 20, 32][number % 3]
            let size = number % 10 == 0 ? "*" : "\(Int.random(in: 1...500, using: &random))"
            return "\(hex((0..<length).map { _ in UInt8.random(in: 0...255, using: &random) })):\(size):N\(number)"
        }
        lines.insert("\(Self.digests[0]):7:Wanted", at: 1500)
        let database = try TestDatabase(["a.hdb": lines.joined(separator: "\n")])
        #expect(database.matches(object).found == ["Wanted"])
        for count in 0..<50 { #expect(!database.isFound([UInt8](repeating: 1, count: count))) }
    }

    @Test("a scan that ends within a digest spoils no other", arguments: digests)
    func cancelled(_ digest: String) throws {
        let long = [UInt8](repeating: 7, count: 300_000)
        let database = try TestDatabase(["a.hsb": "\(digest):*:Test:73"])
        let scratch = Scratch()
        for left in [1, 2, 3] {
            var left = left
            let cut = database.matches(long, scratch: scratch) {
                left -= 1
                return left >= 0
            }
            #expect(cut.outcome == .cancelled)
            #expect(database.matches(object, scratch: scratch).found == ["Test"])
            #expect(database.matches(long, scratch: scratch).found.isEmpty)
        }
    }

    @Test("all names of one digest are reported, or the first one")
    func several() throws {
        let lines = Self.digests.enumerated().map { "\($0.element):7:N\($0.offset)\n\($0.element):*:M\($0.offset)" }
        let database = try TestDatabase(["a.hsb": lines.joined(separator: "\n")])
        #expect(database.matches(object).found.sorted() == ["M0", "M1", "M2", "N0", "N1", "N2"])
        #expect(database.matches(object, all: false).found.count == 1)
    }

    @Test("an allowed object is not reported, whatever matches", arguments: digests)
    func allowed(_ digest: String) throws {
        for size in ["7", "*"] {
            let database = try TestDatabase([
                "a.ndb": "Body:0:*:\(hex("malware"))", "a.hdb": "\(Self.digests[0]):7:Hash",
                "a.sfp": "\(digest):\(size):sid1",
            ])
            let result = database.matches(object)
            #expect(result.outcome == .allowed && result.found.isEmpty)
            #expect(database.matches(object + [0x20]).found == ["Body"])
        }
        let other = try TestDatabase(["a.hdb": "\(Self.digests[0]):7:Hash", "a.fp": "\(digest):8:sid1"])
        #expect(other.matches(object).found == ["Hash"])
    }

    @Test("the catalogue knows name, file, line and kind")
    func catalogue() throws {
        let database = try TestDatabase([
            "a.hdb": "# comment\n\n\(Self.digests[0]):7:First", "b.hdu": "\(Self.digests[1]):7:Second",
        ])
        let second = try #require(database.database.signature(1))
        #expect(second.name.array == Array("Second".utf8) && second.source.array == Array("b.hdu".utf8))
        #expect(second.line == 1 && second.flags & UInt32(EM_SIGNATURE_UNWANTED) != 0)
        #expect(database.database.signature(0)?.line == 3)
        #expect(database.database.signature(2) == nil && database.database.signature(-1) == nil)
    }

    @Test("the budget is asked while digests are computed")
    func budget() throws {
        let database = try TestDatabase(["a.hdb": "\(Self.digests[0]):*:Hash"])
        var asked = 0
        let result = database.matches(
            [UInt8](repeating: 0, count: 300_000),
            check: {
                asked += 1
                return asked < 4
            })
        #expect(result.outcome == .cancelled && asked == 4)
    }
}
