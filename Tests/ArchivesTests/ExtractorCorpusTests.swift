import BytesE
import Foundation
import Testing

@testable import Archives

/// What the fuzzers of single formats reached (`tools/fuzz extractor-FORMAT`), whole and cut, through these formats.
@Suite struct ExtractorCorpusTests {
    static var formats: [String] {
        extractorNames().map { text($0) }
    }

    /// What the fuzzer of a format kept, and what has a name.
    private static func files(_ format: String) -> [URL] {
        ["extractors", "formats"].flatMap { folder in
            let place = ReplayTests.corpora.appendingPathComponent(folder + "/" + format.lowercased())
            return (try? FileManager.default.contentsOfDirectory(at: place, includingPropertiesForKeys: nil)) ?? []
        }.sorted { $0.path < $1.path }
    }

    @Test(arguments: formats) func corpusHoldsPromises(format: String) throws {
        let files = Self.files(format)
        #expect(files.count > 1, "no corpus: see tools/fuzz extractor-\(format.lowercased()) merge")
        for file in files {
            let bytes = try [UInt8](Data(contentsOf: file))
            for count in [bytes.count, bytes.count / 2] {
                Array(format.utf8).withUnsafeBufferPointer { name in
                    bytes.withUnsafeBufferPointer { fuzzExtractor(ByteView(name), ByteView($0).prefix(count)) }
                }
            }
        }
    }

    @Test func corporaAreOfFormats() throws {
        let known = Set(Self.formats.map { $0.lowercased() })
        for folder in ["extractors", "formats"] {
            let place = ReplayTests.corpora.appendingPathComponent(folder).path
            for name in try FileManager.default.contentsOfDirectory(atPath: place) { #expect(known.contains(name)) }
        }
    }

    @Test func limitsOfTheScanComeFromTheInput() throws {
        let tar = try [UInt8](Data(contentsOf: SampleTests.folder.appendingPathComponent("tar-ustar.tar")))
        func children(_ conditions: [UInt8], _ mark: String = "fuzzwith") -> Int? {
            (tar + conditions + Array(mark.utf8)).withUnsafeBufferPointer { input in
                guard let conditions = TrialConditions(endOf: ByteView(input)) else { return nil }
                let host = conditions.host()
                _ = conditions.bytes.withUnsafeBufferPointer { host.unpack(ByteView($0), as: ByteView("TAR")) }
                return host.children.count
            }
        }
        #expect(children([0, 0, 0, 0, 0, 0, 0, 0]) == 1)
        #expect(children([1, 0, 0, 0, 0, 0, 0, 0]) == 0, "no object may come out")
        #expect(children([0, 0, 1, 0, 0, 0, 0, 0]) == 0, "cancelled at once")
        #expect(children([0, 0, 0, 0, 0, 0, 0, 1]) == 0, "as deep as may be")
        #expect(children([0, 0, 0, 0, 255, 255, 255, 0]) == 1, "texts of no more than there is")
        #expect(children([0, 0, 0, 0, 0, 0, 0, 0], "fuzzless") == nil)
    }

    @Test func objectsComeInPieces() throws {
        let numbers: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 2] + Array("fuzzwith".utf8)
        let input: [UInt8] = [1, 0, 3, 0, 65, 66, 67, 0, 0, 1, 0, 68, 255, 255, 1, 0, 69] + numbers
        let bytes = input.withUnsafeBufferPointer { TrialConditions(endOf: ByteView($0))?.bytes }
        #expect(bytes == [68] + [UInt8](repeating: 0, count: 511) + [65, 66, 67], "what lies too far is left out")
    }

    @Test func formatsAreFoundByTheirNames() {
        for format in Self.formats {
            Array(format.utf8).withUnsafeBufferPointer { #expect(isExtractor(ByteView($0)), "\(format)") }
        }
        #expect(!isExtractor(ByteView("nothing")))
    }
}
