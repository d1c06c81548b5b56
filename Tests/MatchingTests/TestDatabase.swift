import Bytes
import BytesE
import CModuleABI
import DataModule
import DatabaseSections
import Matching
import SignatureCompiler

/// A database compiled from lines, in memory of its own.
final class TestDatabase {
    let database: Database
    let report: CompileReport
    private let memory: UnsafeMutableRawBufferPointer

    struct Failure: Error { let reason: String }

    /// Compiles contents by file name.
    init(_ files: KeyValuePairs<String, String>) throws {
        let compiled = try TestDatabase.compile(files)
        report = compiled.report
        let bytes = try compiled.database.bytes()
        memory = .allocate(byteCount: bytes.count, alignment: 64)
        memory.copyBytes(from: bytes)
        do {
            database = try Database(BytesE.ByteView(UnsafeRawBufferPointer(memory)))
        } catch {
            throw Failure(reason: "\(error.reason)")
        }
    }

    /// A database of one body signature.
    convenience init(body: String, target: Int = 0, offset: String = "*") throws {
        try self.init(["test.ndb": "Test:\(target):\(offset):\(body)"])
        if let problem = report.malformed.first ?? report.unsupported.first { throw Failure(reason: "\(problem)") }
    }

    deinit { memory.deallocate() }

    static func compile(
        _ files: KeyValuePairs<String, String>
    ) throws -> (database: CompiledDatabase, report: CompileReport) {
        let texts = files.map { (name: $0.key, content: Array($0.value.utf8)) }
        let places = texts.map { text in
            let place = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(1, text.content.count))
            _ = place.initialize(from: text.content)
            return place
        }
        defer { for place in places { place.deallocate() } }
        let list = zip(texts, places).map { text, place in
            SignatureFile(name: text.name, bytes: Bytes.ByteView(base: place.baseAddress, count: text.content.count))
        }
        return try SignatureCompiler.compile(list, version: 1)
    }

    /// Names of the signatures that match, with their places.
    func matches(
        _ object: [UInt8], type: UInt32 = UInt32(EM_TYPE_UNKNOWN), all: Bool = true, facts: ObjectFacts = ObjectFacts(),
        scratch: Scratch = Scratch(), check: () -> Bool = { true }
    ) -> (outcome: MatchOutcome, found: [String], offsets: [Int]) {
        var found: [String] = []
        var offsets: [Int] = []
        let outcome = object.withUnsafeBytes { bytes in
            database.match(
                BytesE.ByteView(bytes), type: type, all: all, facts: facts, scratch: scratch, check: check
            ) { match in
                found.append(
                    database.signature(match.signature).map { String(decoding: $0.name.array, as: UTF8.self) } ?? "?")
                offsets.append(match.offset)
            }
        }
        return (outcome, found, offsets)
    }

    func isFound(_ object: [UInt8], type: UInt32 = UInt32(EM_TYPE_UNKNOWN)) -> Bool {
        !matches(object, type: type).found.isEmpty
    }
}

/// Random numbers that are the same in each run.
struct Deterministic: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 31)
    }
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }.joined()
}

func hex(_ text: String) -> String { hex(Array(text.utf8)) }
