import Bytes
import ClamdProtocol
import Foundation
import Testing

/// The seeds of the fuzzer and what it found, whole and cut, in every size of piece.
@Suite struct ReplayTests {
    @Test(arguments: ["clamd", "reached/clamd"]) func seedsAndTheirBeginnings(_ corpus: String) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fuzz/corpora/\(corpus)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(names.count >= 20)
        for name in names {
            var bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
            for options in [bytes[0], 0x00, 0x7F, 0xFF] {
                bytes[0] = options
                for end in 0...bytes.count {
                    let held = bytes[..<end].withUnsafeBufferPointer { fuzzClamd(ByteView($0)) }
                    #expect(held, "\(name), the first \(end) bytes, options \(options)")
                }
            }
        }
    }
}
