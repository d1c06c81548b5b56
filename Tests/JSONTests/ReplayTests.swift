import FuzzCorpus
import JSON
import Testing

/// The seeds of the fuzzer and what it reached, whole and cut, through the code that it runs.
@Suite("Replay") struct ReplayTests {
    @Test("every file of the corpus and its beginnings", arguments: ["json", "reached/json"])
    func corpus(_ name: String) throws {
        try FuzzCorpus.replay(name, every: 7) { fuzzJSON(UnsafeRawBufferPointer($0)) }
    }
}
