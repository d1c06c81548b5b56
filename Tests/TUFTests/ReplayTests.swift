import Foundation
import TUF
import Testing

/// The seeds of the fuzzer and what it reached, whole and cut, through the code that it runs.
@Suite("Replay") struct ReplayTests {
    private static let corpora = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fuzz/corpora")

    @Test("every file of the corpus and its beginnings", arguments: ["tuf", "reached/tuf"])
    func corpus(_ name: String) throws {
        let folder = Self.corpora.appendingPathComponent(name)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(!names.isEmpty)
        for name in names {
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
            for end in Array(stride(from: 0, to: bytes.count, by: 97)) + [bytes.count] {
                bytes[..<end].withUnsafeBytes { fuzzTUF($0) }
            }
        }
    }
}
