import BytesE
import CModuleABI
import DataModule
import DatabaseSections
import Matching
import Testing

@Suite("Hostile input")
struct RobustnessTests {
    private static let files: KeyValuePairs<String, String> = [
        "a.hdb": "44d88612fea8a8f36de82e1278abb02f:68:A\n44d88612fea8a8f36de82e1278abb02f:*:B",
        "a.fp": "44d88612fea8a8f36de82e1278abb02f:68:sid",
        "a.ndb": """
        Long:0:*:\(hex("malware"))*\(hex("ness")){1-3}(61|6262)(B)
        Short:0:*:6162??63
        Fixed:0:0:6162*6364
        Elf:6:EP+0,20:\(hex("malware"))!(61|62)6?
        Section:1:S0+1:6162
        """,
    ]
    private static let objects: [[UInt8]] = [
        Array("malware ... ness..bb. abxc".utf8), Array("ab cd".utf8), [UInt8](repeating: 0x61, count: 68),
    ]

    private func use(_ bytes: [UInt8], _ scratch: Scratch) {
        bytes.withUnsafeBytes { buffer in
            guard let database = try? Database(ByteView(buffer)) else { return }
            for object in Self.objects {
                for type in [EM_TYPE_UNKNOWN, EM_TYPE_PE, EM_TYPE_ELF] {
                    object.withUnsafeBytes { object in
                        _ = database.match(ByteView(object), type: type, all: true, scratch: scratch, check: { true }) {
                            _ = database.signature($0.signature)
                        }
                    }
                }
            }
        }
    }

    @Test("a damaged database never crashes", arguments: 0..<4)
    func mutations(_ seed: Int) throws {
        let bytes = try TestDatabase.compile(Self.files).database.bytes()
        var random = Deterministic(UInt64(seed) + 99)
        let scratch = Scratch()
        for _ in 0..<600 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: 0..<damaged.count, using: &random)
                // Counts and offsets are where it hurts: big values, small values, flipped bits.
                switch Int.random(in: 0..<4, using: &random) {
                case 0: damaged[at] = 0xff
                case 1: damaged[at] = UInt8.random(in: 0...255, using: &random)
                case 2: damaged[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                default:
                    for i in at..<min(damaged.count, at & ~3 + 4) { damaged[i] = 0xff }
                }
            }
            use(damaged, scratch)
        }
    }

    @Test("every structure field may be anything")
    func fields() throws {
        let bytes = try TestDatabase.compile(Self.files).database.bytes()
        let scratch = Scratch()
        var tables = Set(0..<min(bytes.count, 1024))
        // Index data and hash tables are long: their beginnings and a sample of the rest.
        for at in stride(from: 1024, to: bytes.count, by: 29) { tables.insert(at) }
        for at in tables.sorted() where at % 4 == 0 && at + 4 <= bytes.count {
            var damaged = bytes
            for value: UInt8 in [0xff, 0x7f] {
                for i in 0..<4 { damaged[at + i] = i == 3 ? value : 0xff }
                use(damaged, scratch)
            }
        }
    }

    @Test("a truncated database is refused")
    func truncated() throws {
        let bytes = try TestDatabase.compile(Self.files).database.bytes()
        for count in Array(0..<200) + Array(stride(from: 200, to: bytes.count, by: 97)) {
            bytes.withUnsafeBytes { buffer in
                _ = #expect(throws: DatabaseError.self) { try Database(ByteView(buffer).prefix(count)) }
            }
        }
    }

    @Test("other kinds and formats are refused", arguments: [0, 8, 12, 52])
    func otherFormat(_ field: Int) throws {
        var bytes = try TestDatabase.compile(Self.files).database.bytes()
        bytes[field] ^= 0x40
        bytes.withUnsafeBytes { buffer in
            _ = #expect(throws: DatabaseError.self) { try Database(ByteView(buffer)) }
        }
    }

    @Test("unknown sections are ignored")
    func unknownSection() throws {
        let bytes = try TestDatabase.compile(Self.files).database.bytes()
        var renamed = bytes
        // The last section entry: the plans of targets, without which no body signature is tried.
        let count = Int(bytes[40])
        renamed[48 + 32 * (count - 1)] = 200
        try renamed.withUnsafeBytes { buffer in
            let database = try Database(ByteView(buffer))
            #expect(database.signatureCount == 8)
        }
    }

    /// Work is counted, not timed: the budget is asked once for each 65,536 steps.
    @Test("thousands of first halves cost one search for the second", arguments: [false, true])
    func repeatedHalves(_ backwards: Bool) throws {
        let (first, second) = (hex("malware"), hex("ab") + "6?")
        let database = try TestDatabase(body: backwards ? "\(second)*\(first)" : "\(first)*\(second)")
        let object = Array(String(repeating: "malware ", count: 20_000).utf8)
        var asked = 0
        let result = database.matches(
            object,
            check: {
                asked += 1
                return true
            })
        #expect(result.outcome == .complete && result.found.isEmpty)
        #expect(asked < 40)
    }

    @Test("nested gaps do not multiply")
    func nestedGaps() throws {
        let database = try TestDatabase(body: hex("malware") + String(repeating: "{-90}61", count: 12) + "62")
        let object = Array("malware".utf8) + [UInt8](repeating: 0x61, count: 3000)
        var asked = 0
        let result = database.matches(
            object,
            check: {
                asked += 1
                return true
            })
        #expect(result.outcome == .complete && result.found.isEmpty)
        #expect(asked < 40)
    }

    @Test("an assertion behind the object's end", arguments: ["(B)", "(L)", "(W)"])
    func assertionBehindTheEnd(_ assertion: String) throws {
        let database = try TestDatabase(body: "\(assertion)\(hex("malware"))", offset: "20,4")
        #expect(database.matches(Array("short".utf8)).found.isEmpty)
        #expect(!database.isFound([UInt8](repeating: 0x61, count: 20)))
        let byte: UInt8 = assertion == "(B)" ? 0x20 : 0x0a
        #expect(database.isFound([UInt8](repeating: byte, count: 20) + Array("malware".utf8)))
    }

    @Test("cancelling stops at once")
    func cancelled() throws {
        let database = try TestDatabase(Self.files)
        let result = database.matches(Self.objects[0], check: { false })
        #expect(result.outcome == .cancelled && result.found.isEmpty)
    }
}
