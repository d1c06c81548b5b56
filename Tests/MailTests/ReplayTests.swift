import Bytes
import FuzzCorpus
import Mail
import Testing

/// The seeds of the fuzzer and what it reached, whole and cut, through the code that it runs.
@Suite("Replay") struct ReplayTests {
    @Test("every file of the corpus and its beginnings", arguments: ["mime", "reached/rewrite"])
    func corpus(_ name: String) throws {
        try FuzzCorpus.replay(name, every: 61, atLeast: 5) { fuzzRewriting(ByteView($0)) }
    }
}
