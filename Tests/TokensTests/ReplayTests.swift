import Bytes
import FuzzCorpus
import Testing
import Tokens

/// The seeds of the fuzzer and what it reached, whole and cut, through the code that it runs.
@Suite("Replay") struct ReplayTests {
    @Test("every file of the corpus and its beginnings", arguments: ["tokens", "reached/tokens"])
    func corpus(_ name: String) throws {
        try FuzzCorpus.replay(name, every: 61, atLeast: 5) { fuzzTokens(ByteView($0)) }
    }
}
