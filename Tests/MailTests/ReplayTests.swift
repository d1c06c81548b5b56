import Bytes
import Foundation
import Mail
import Testing

/// The seeds of the fuzzer and its findings, whole and cut, through the code that it runs.
@Suite("Replay") struct ReplayTests {
    @Test("every file of the corpus and its beginnings", arguments: ["mime", "reached/rewrite"])
    func corpus(_ corpus: String) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fuzz/corpora/\(corpus)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.count >= 5)
        for name in names {
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
            for end in Array(stride(from: 0, to: bytes.count, by: 61)) + [bytes.count] {
                bytes[..<end].withUnsafeBufferPointer { fuzzRewriting(ByteView($0)) }
            }
        }
    }
}
