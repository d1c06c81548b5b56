import Foundation
import ScanProtocol
import Testing

/// The seeds of the fuzzer and its findings, whole and cut, through the code that it runs.
@Suite("Replay") struct ReplayTests {
    @Test("every file of the corpus and its beginnings", arguments: ["scanprotocol", "reached/scanprotocol"])
    func corpus(_ name: String) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fuzz/corpora/\(name)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.count >= 39)
        for name in names {
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
            for end in Array(stride(from: 0, to: bytes.count, by: 7)) + [bytes.count] {
                bytes[..<end].withUnsafeBytes { fuzzScanProtocol($0) }
            }
        }
    }
}
