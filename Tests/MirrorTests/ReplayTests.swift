import Bytes
import Foundation
import Mirror
import Testing

/// The seeds of the fuzzer and what it reached, whole and cut, through the code that it runs.
@Suite("Replay") struct ReplayTests {
    @Test("every file of the corpus and its beginnings", arguments: ["mirror", "reached/mirror"])
    func corpus(_ name: String) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fuzz/corpora/\(name)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.count >= 10)
        for name in names {
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
            for end in Array(stride(from: 0, to: bytes.count, by: 7)) + [bytes.count] {
                bytes[..<end].withUnsafeBufferPointer { fuzzMirror(ByteView($0)) }
            }
        }
    }
}
