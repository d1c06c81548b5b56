import BytesE
import DataModule
import FuzzCorpus
import Matching
import Testing

/// The seeds of the database reader's fuzzer and its findings, through the code that it runs.
///
/// A seed is a database and, behind its end, an object that has what its signatures want. `ESETS_WRITE_SEEDS=1`
/// writes the seeds anew, which a new format needs.
@Suite("Database seeds") struct ReplayTests {
    /// "Seed" first: findings have other names.
    private static func seeds() throws -> [(name: String, bytes: [UInt8])] {
        let md5 = "5d41402abc4b2a76b9719d911017c592"
        let databases: [(String, KeyValuePairs<String, String>, [UInt8])] = [
            ("seed-hashes", ["a.hdb": "\(md5):5:A\n\(md5):*:B", "a.fp": "\(md5):6:sid"], Array("hello".utf8)),
            (
                "seed-long", ["a.ndb": "Long:0:*:\(hex("malware"))*\(hex("ness")){1-3}(61|6262)(B)"],
                Array("a malware is wickedness..bb>".utf8)
            ),
            ("seed-short", ["a.ndb": "Short:0:*:6162??63\nNot:0:*:6162!(63|64)65"], Array("ab.c abfe".utf8)),
            (
                "seed-nested", ["a.ndb": "Gaps:0:*:\(hex("malware")){-9}61{-9}(62|6363)*64{2-}65"],
                Array("malware a cc d ee".utf8)
            ),
            (
                "seed-fixed",
                [
                    "a.ndb":
                        "Fixed:0:0:6162*6364\nEnd:0:EOF-4,2:7a7a\nElf:6:EP+0,20:\(hex("malware"))6?\nSection:6:S0+1:6162"
                ],
                Array("ab cd zz.".utf8)
            ),
        ]
        return try databases.map { name, files, object in
            (name, try TestDatabase.compile(files).database.bytes() + object)
        }
    }

    @Test("what the fuzzer reached")
    func reached() throws {
        for (_, bytes) in try FuzzCorpus.files("reached/database") {
            bytes.withUnsafeBufferPointer { fuzzDatabase(ByteView($0)) }
        }
    }

    @Test("every file of the corpus")
    func corpus() throws {
        try FuzzCorpus.write(Self.seeds(), to: "database")
        for (name, bytes) in try FuzzCorpus.files("database", atLeast: 5) {
            bytes.withUnsafeBufferPointer { buffer in
                fuzzDatabase(ByteView(buffer))
                guard name.hasPrefix("seed") else { return }
                #expect((try? Database(ByteView(buffer))) != nil, "\(name) is of an old format: write it anew")
            }
        }
    }

    @Test("the signatures of the seeds match their objects")
    func matches() throws {
        for seed in try Self.seeds() {
            try seed.bytes.withUnsafeBufferPointer { buffer in
                let all = ByteView(buffer)
                let database = try Database(all)
                let size = try #require(all.load(UInt64.self, at: 16))
                var found = 0
                _ = database.match(
                    all.dropFirst(Int(size)), type: 0, all: true, scratch: Scratch(), check: { true }
                ) { _ in found += 1 }
                #expect(found > 0, "\(seed.name)")
            }
        }
    }
}
