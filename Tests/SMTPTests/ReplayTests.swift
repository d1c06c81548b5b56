import Bytes
import FuzzCorpus
import SMTP
import Testing

/// The seeds of the fuzzer and its findings, whole and cut, through the code that it runs.
@Suite struct ReplayTests {
    @Test(arguments: ["smtp", "reached/smtp"]) func seedsAndTheirBeginnings(_ corpus: String) throws {
        for (name, bytes) in try FuzzCorpus.files(corpus, atLeast: 6) {
            for end in Array(stride(from: 0, to: bytes.count, by: 13)) + [bytes.count] {
                let held = bytes[..<end].withUnsafeBufferPointer { fuzzSMTP(ByteView($0)) }
                #expect(held, "\(name), the first \(end) bytes")
            }
        }
    }
}
