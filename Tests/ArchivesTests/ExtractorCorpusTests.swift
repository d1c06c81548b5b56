import BytesE
import Foundation
import Testing

@testable import Archives

/// What the fuzzers of single formats reached (`tools/fuzz extractor-FORMAT`), whole and cut, through these formats.
@Suite struct ExtractorCorpusTests {
    static let folder = ReplayTests.corpora.appendingPathComponent("extractors")

    static var formats: [String] {
        extractorNames().map { text($0) }
    }

    private static func files(_ format: String) -> [URL] {
        let place = folder.appendingPathComponent(format.lowercased())
        return ((try? FileManager.default.contentsOfDirectory(at: place, includingPropertiesForKeys: nil)) ?? [])
            .sorted { $0.path < $1.path }
    }

    @Test(arguments: formats) func corpusHoldsPromises(format: String) throws {
        for file in Self.files(format) {
            let bytes = try [UInt8](Data(contentsOf: file))
            for count in [bytes.count, bytes.count / 2] {
                Array(format.utf8).withUnsafeBufferPointer { name in
                    bytes.withUnsafeBufferPointer { fuzzExtractor(ByteView(name), ByteView($0).prefix(count)) }
                }
            }
        }
    }

    @Test func corporaAreThere() {
        #expect(Self.formats.filter { !Self.files($0).isEmpty }.count > 50)
    }

    @Test func formatsAreFoundByTheirNames() {
        for format in Self.formats {
            Array(format.utf8).withUnsafeBufferPointer { #expect(isExtractor(ByteView($0)), "\(format)") }
        }
        #expect(!isExtractor(ByteView("nothing")))
    }
}
