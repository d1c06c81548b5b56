import Glibc
import ScanProtocol
import Testing

/// The fuzzer's seeds are one file for each message. They double as a snapshot: a change of the wire format
/// shows here, and needs a new protocol version. `ESETS_WRITE_SEEDS=1` writes them anew.
@Suite("Seeds") struct SeedTests {
    private static let folder =
        #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" } + "/Fuzz/corpora/scanprotocol"

    private static var seeds: [(name: String, bytes: [UInt8])] {
        Samples.messages.enumerated().map { index, message in
            let bytes = message.packets.flatMap { [UInt8($0.count & 255), UInt8($0.count >> 8)] + $0 }
            return ("message-\(message.type)-\(index)", bytes)
        }
    }

    @Test("the wire format is the one of the seeds")
    func snapshot() throws {
        for seed in SeedTests.seeds {
            let path = "\(SeedTests.folder)/\(seed.name)"
            if getenv("ESETS_WRITE_SEEDS") != nil {
                let file = try #require(fopen(path, "w"))
                fwrite(seed.bytes, 1, seed.bytes.count, file)
                fclose(file)
            }
            let file = try #require(fopen(path, "r"), "\(path) is missing")
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 65_536)
            let count = fread(&bytes, 1, bytes.count, file)
            #expect(Array(bytes[..<count]) == seed.bytes, "\(seed.name)")
            bytes[..<count].withUnsafeBytes { fuzzScanProtocol($0) }
        }
    }
}
