import Bytes
import CVD
import Foundation
import Testing

/// The seeds of the fuzzer of containers, through the code that it runs.
@Suite("Container seeds") struct ReplayTests {
    @Test("every file of the corpus, whole, cut and damaged")
    func corpus() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fuzz/corpora")
        var files = 0
        for name in ["cvd", "reached/cvd", "changes", "reached/changes"] {
            let path = folder.appendingPathComponent(name)
            for file in (try? FileManager.default.contentsOfDirectory(atPath: path.path)) ?? [] {
                let bytes = [UInt8](try Data(contentsOf: path.appendingPathComponent(file)))
                files += 1
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
        #expect(files >= 6)
    }

    private func replay(_ bytes: [UInt8]) {
        bytes.withUnsafeBufferPointer {
            fuzzCVD(ByteView($0))
            fuzzChanges(ByteView($0))
        }
    }
}
