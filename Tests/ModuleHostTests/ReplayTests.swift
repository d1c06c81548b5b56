import Bytes
import Foundation
import ModuleHost
import Testing
import Verifier

/// The seeds of the loader's fuzzer and its findings, through the code that it runs.
@Suite("Module files") struct ReplayTests {
    private func isAccepted(_ bytes: [UInt8]) -> Bool {
        let key: [UInt8] = fuzzPublicKey
        return bytes.withUnsafeBufferPointer { file in
            key.withUnsafeBufferPointer { key in
                (try? Verifier.verify(ByteView(file), keys: ByteView(key), thorough: true)) != nil
            }
        }
    }

    @Test("what the system's loader would stumble over is refused") func verdicts() throws {
        for seed in try ModuleSeeds.all() {
            #expect(isAccepted(seed.bytes) == seed.name.hasPrefix("accepted"), "\(seed.name)")
        }
    }

    /// `ESETS_WRITE_SEEDS=1` writes the seeds anew.
    @Test("every file of the corpus") func corpus() throws {
        let folder = URL(fileURLWithPath: ModuleSeeds.folder)
        if ProcessInfo.processInfo.environment["ESETS_WRITE_SEEDS"] != nil {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for seed in try ModuleSeeds.all() {
                try Data(seed.bytes).write(to: folder.appendingPathComponent(seed.name))
            }
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.count >= 16)
        for name in names {
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
            bytes.withUnsafeBufferPointer { fuzzModule(ByteView($0)) }
            if name.hasPrefix("refused") { #expect(!isAccepted(bytes), "\(name)") }
        }
    }

    @Test("what the fuzzer reached") func reached() throws {
        let folder = URL(fileURLWithPath: ModuleSeeds.folder).deletingLastPathComponent()
            .appendingPathComponent("reached/loader")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(!names.isEmpty)
        for name in names {
            let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
            bytes.withUnsafeBufferPointer { fuzzModule(ByteView($0)) }
        }
    }

    @Test("damaged copies") func damaged() throws {
        let original = try ModuleSeeds.module()
        // A fixed sequence (Numerical Recipes' constants), so that a failure comes again.
        var random: UInt32 = 1
        func next(_ below: Int) -> Int {
            random = random &* 1_664_525 &+ 1_013_904_223
            return Int(random >> 8) % below
        }
        for _ in 0..<2_000 {
            var bytes = original
            for _ in 0...next(3) { bytes[next(1_400)] = UInt8(next(256)) }
            bytes.withUnsafeBufferPointer { fuzzModule(ByteView($0)) }
        }
    }
}
