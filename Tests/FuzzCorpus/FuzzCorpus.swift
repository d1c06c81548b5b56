package import Foundation

/// The corpora of the fuzzers, for their replays in the tests: `Fuzz/corpora/NAME` are seeds, `reached/NAME` what the
/// fuzzer found to be new.
package enum FuzzCorpus {
    package struct Missing: Error, CustomStringConvertible {
        package let description: String
    }

    package static func folder(_ name: String) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Fuzz/corpora/\(name)")
    }

    /// All files of a corpus in the order of their names; fails when there are fewer than wanted.
    package static func files(_ corpus: String, atLeast wanted: Int = 1) throws -> [(name: String, bytes: [UInt8])] {
        let folder = folder(corpus)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        guard names.count >= wanted else {
            throw Missing(description: "\(folder.path) has \(names.count) files and should have \(wanted)")
        }
        return try names.map { ($0, [UInt8](try Data(contentsOf: folder.appendingPathComponent($0)))) }
    }

    /// Runs every file of a corpus, whole and cut after each `step` bytes, through the code that the fuzzer runs.
    package static func replay(
        _ corpus: String, every step: Int, atLeast wanted: Int = 1, _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) throws {
        for file in try files(corpus, atLeast: wanted) {
            for end in Array(stride(from: 0, to: file.bytes.count, by: step)) + [file.bytes.count] {
                file.bytes[..<end].withUnsafeBufferPointer(body)
            }
        }
    }

    /// With `ESETS_WRITE_SEEDS=1` in the environment, writes seeds anew, which a new format needs.
    package static func write(_ seeds: [(name: String, bytes: [UInt8])], to corpus: String) throws {
        guard ProcessInfo.processInfo.environment["ESETS_WRITE_SEEDS"] != nil else { return }
        let folder = folder(corpus)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for seed in seeds { try Data(seed.bytes).write(to: folder.appendingPathComponent(seed.name)) }
    }
}
