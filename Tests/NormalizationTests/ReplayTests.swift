import BytesE
import FuzzCorpus
import Normalization
import Testing

/// The seeds of the fuzzer of normalised forms, through the code that it runs.
@Suite("Form seeds") struct ReplayTests {
    @Test("every file of the corpus, whole, cut and damaged")
    func corpus() throws {
        for name in ["normalization", "reached/normalization"] {
            for (_, bytes) in try FuzzCorpus.files(name) {
                replay(bytes)
                for end in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 24)) {
                    replay(Array(bytes[..<end]))
                    var damaged = bytes
                    damaged[end] ^= 0xff
                    replay(damaged)
                }
            }
        }
    }

    private func replay(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { fuzzNormalization(ByteView($0)) } }
}
