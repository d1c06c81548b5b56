import Bytes
import FuzzCorpus
import Mirror
import Testing

/// The seeds of the fuzzer and what it reached, whole and cut, through the code that it runs.
@Suite("Replay") struct ReplayTests {
    @Test("every file of the corpus and its beginnings", arguments: ["mirror", "reached/mirror"])
    func corpus(_ name: String) throws {
        try FuzzCorpus.replay(name, every: 7, atLeast: 10) { fuzzMirror(ByteView($0)) }
    }
}
