import FuzzCorpus
import TUF
import Testing

/// The seeds of the fuzzer and what it reached, whole and cut, through the code that it runs.
@Suite("Replay") struct ReplayTests {
    @Test("every file of the corpus and its beginnings", arguments: ["tuf", "reached/tuf"])
    func corpus(_ name: String) throws {
        try FuzzCorpus.replay(name, every: 97) { fuzzTUF(UnsafeRawBufferPointer($0)) }
    }
}
