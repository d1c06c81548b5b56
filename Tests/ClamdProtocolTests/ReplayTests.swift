import Bytes
import ClamdProtocol
import FuzzCorpus
import Testing

/// The seeds of the fuzzer and what it found, whole and cut, in every size of piece.
@Suite struct ReplayTests {
    @Test(arguments: ["clamd", "reached/clamd"]) func seedsAndTheirBeginnings(_ corpus: String) throws {
        for (name, seed) in try FuzzCorpus.files(corpus, atLeast: 20) {
            var bytes = seed
            for options in [bytes[0], 0x00, 0x7F, 0xFF] {
                bytes[0] = options
                for end in 0...bytes.count {
                    let held = bytes[..<end].withUnsafeBufferPointer { fuzzClamd(ByteView($0)) }
                    #expect(held, "\(name), the first \(end) bytes, options \(options)")
                }
            }
        }
    }
}
