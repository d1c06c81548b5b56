import Bytes
import CVD
import FuzzCorpus
import Testing

/// The seeds of the fuzzer of containers, through the code that it runs.
@Suite("Container seeds") struct ReplayTests {
    @Test("every file of the corpus, whole, cut and damaged")
    func corpus() throws {
        for name in ["cvd", "reached/cvd", "changes"] {
            for (_, bytes) in try FuzzCorpus.files(name) {
                replay(bytes)
                let step = max(1, bytes.count / 24)
                for end in stride(from: 0, to: bytes.count, by: step) {
                    replay(Array(bytes[..<end]))
                    var damaged = bytes
                    damaged[end] ^= 0xff
                    replay(damaged)
                }
            }
        }
    }

    private func replay(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer {
            fuzzCVD(ByteView($0))
            fuzzChanges(ByteView($0))
        }
    }
}
