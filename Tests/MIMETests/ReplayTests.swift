import Bytes
import Foundation
import MIME
import Testing

/// The seeds of the fuzzer, whole and cut at every place, through the code that it runs.
@Suite struct ReplayTests {
    @Test(arguments: ["mime", "reached/mime"]) func seedsAndTheirBeginnings(_ corpus: String) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fuzz/corpora/\(corpus)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.count > 20)
        for name in names {
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
            bytes.view { view in
                fuzzMIME(view)
                for end in stride(from: 0, to: view.count, by: 7) { fuzzMIME(view.prefix(end)) }
            }
        }
    }
}
