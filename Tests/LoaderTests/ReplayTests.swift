import BytesE
import DataModule
import FuzzCorpus
import Loader
import Platform
import Testing

/// The seeds of the fuzzer and what it reached, whole and cut, through the code that it runs.
@Suite("Replay") struct ReplayTests {
    @Test("every file of the corpus and its beginnings", arguments: ["plan", "reached/plan"])
    func corpus(_ name: String) throws {
        try FuzzCorpus.replay(name, every: 509) { fuzzPlan(ByteView($0)) }
    }

    /// `ESETS_WRITE_SEEDS=1` writes the seeds anew.
    @Test("the seeds are planned") func seeds() throws {
        let one = try module("em001"), two = try module("em002")
        let lines = "\0c em003 em003.archives\nd em002 em002.signatures\nc em001 em001.scanner em003.archives\n"
        let seeds: [(name: String, bytes: [UInt8])] = [
            ("files-two", [1] + piece(one) + piece(two)), ("files-same", [1] + piece(one) + piece(one)),
            ("files-cut", [1] + piece(Array(one[..<2_000]))), ("order", Array(lines.utf8)),
            ("order-ring", Array("\0c a x y\nc b y x\n".utf8)), ("order-itself", Array("\0c a x x\nd b y\n".utf8)),
        ]
        for (_, bytes) in seeds { bytes.withUnsafeBufferPointer { fuzzPlan(ByteView($0)) } }
        try FuzzCorpus.write(seeds, to: "plan")
    }

    private func piece(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8(truncatingIfNeeded: bytes.count), UInt8(truncatingIfNeeded: bytes.count >> 8)] + bytes
    }

    /// A data module as the compiler writes it.
    private func module(_ name: String) throws -> [UInt8] {
        let file = try Descriptor.memory(name: "module")
        let writer = try DataModuleWriter(
            file: file, manifest: DataManifest(id: "\(name).test", file: name, version: "7", description: "for tests"))
        try writer.append(Array("0123456789abcdef".utf8))
        _ = try writer.finish()
        var bytes = [UInt8](repeating: 0, count: Int(try file.size()))
        _ = try bytes.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
        return bytes
    }
}
