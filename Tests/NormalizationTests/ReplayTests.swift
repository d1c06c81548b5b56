import BytesE
import Foundation
import Normalization
import Testing

/// The seeds of the fuzzer of normalised forms, through the code that it runs.
@Suite("Form seeds") struct ReplayTests {
    @Test("every file of the corpus, whole, cut and damaged")
    func corpus() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fuzz/corpora")
        var files = 0
        for name in ["normalization", "reached/normalization"] {
            let path = folder.appendingPathComponent(name)
            for file in (try? FileManager.default.contentsOfDirectory(atPath: path.path)) ?? [] {
                let bytes = [UInt8](try Data(contentsOf: path.appendingPathComponent(file)))
                files += 1
                replay(bytes)
                for end in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 24)) {
                    replay(Array(bytes[..<end]))
                    var damaged = bytes
                    damaged[end] ^= 0xff
                    replay(damaged)
                }
            }
        }
        #expect(files >= 5)
    }

    private func replay(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { fuzzNormalization(ByteView($0)) } }
}
