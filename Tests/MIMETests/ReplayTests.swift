import Bytes
import FuzzCorpus
import MIME
import Testing

/// The seeds of the fuzzer and what it reached, whole and cut, through the code that it runs.
@Suite("Replay") struct ReplayTests {
    @Test("every file of the corpus and its beginnings", arguments: ["mime", "reached/mime"])
    func corpus(_ name: String) throws {
        try FuzzCorpus.replay(name, every: 7, atLeast: 21) { fuzzMIME(ByteView($0)) }
    }
}
