import Bytes
import Foundation
import SMTP
import Testing

/// The seeds of the fuzzer and its findings, whole and cut, through the code that it runs.
@Suite struct ReplayTests {
    @Test(arguments: ["smtp", "reached/smtp"]) func seedsAndTheirBeginnings(_ corpus: String) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fuzz/corpora/\(corpus)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(names.count >= 6)
        for name in names {
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
            for end in Array(stride(from: 0, to: bytes.count, by: 13)) + [bytes.count] {
                let held = bytes[..<end].withUnsafeBufferPointer { fuzzSMTP(ByteView($0)) }
                #expect(held, "\(name), the first \(end) bytes")
            }
        }
    }
}
