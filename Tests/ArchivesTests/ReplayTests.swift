import Archives
import BytesE
import Foundation
import Testing

/// The seeds of the fuzzers, and damaged copies of them, through the code that the fuzzers run.
@Suite struct ReplayTests {
    static let corpora = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fuzz/corpora")

    private func seeds(_ folder: String) throws -> [(name: String, bytes: [UInt8])] {
        try FileManager.default.contentsOfDirectory(atPath: Self.corpora.appendingPathComponent(folder).path).sorted()
            .map {
                (
                    folder + "/" + $0,
                    [UInt8](try Data(contentsOf: Self.corpora.appendingPathComponent(folder + "/" + $0)))
                )
            }
    }

    @Test(arguments: ["mime", "zip", "gzip", "tar", "reached/archive"]) func seedsAndDamagedCopies(_ folder: String)
        throws
    {
        let all = try seeds(folder)
        #expect(all.count >= 7)
        // A fixed sequence (Numerical Recipes' constants), so that a failure comes again.
        var random: UInt32 = 1
        func next(_ below: Int) -> Int {
            random = random &* 1_664_525 &+ 1_013_904_223
            return Int(random >> 8) % max(1, below)
        }
        for seed in all {
            seed.bytes.withUnsafeBufferPointer { fuzzArchive(ByteView($0)) }
            // What the fuzzer wrote is damaged already.
            for _ in 0..<(folder.hasPrefix("reached") ? 0 : 20) {
                var copy = seed.bytes
                if !copy.isEmpty { copy[next(copy.count)] = UInt8(next(256)) }
                copy = Array(copy.prefix(next(copy.count + 1) * 2))
                copy.withUnsafeBufferPointer { fuzzArchive(ByteView($0)) }
            }
        }
    }

    @Test func everyMessageGivesItsParts() throws {
        for seed in try seeds("mime") {
            let (host, _) = unpacked(seed.bytes)
            #expect(!host.children.isEmpty, "\(seed.name)")
            if seed.name.contains("boundary") {
                #expect(host.texts.contains("hello hello hello hello"), "\(seed.name)")
            }
        }
    }

    @Test func everyArchiveGivesItsFile() throws {
        for folder in ["zip", "gzip", "tar"] {
            for seed in try seeds(folder)
            where !seed.name.contains(/unsupported|only|empty|encrypted|truncated|damaged$/) {
                let (host, _) = unpacked(seed.bytes)
                let isNested = seed.name.hasSuffix("nested")
                #expect(
                    isNested ? host.children.count == 1 : host.texts.contains { $0.hasPrefix("hello hello") },
                    "\(seed.name)")
            }
        }
    }
}
