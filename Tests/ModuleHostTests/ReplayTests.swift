import Bytes
import FuzzCorpus
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
        try FuzzCorpus.write(ModuleSeeds.all(), to: "loader")
        for (name, bytes) in try FuzzCorpus.files("loader", atLeast: 16) {
            bytes.withUnsafeBufferPointer { fuzzModule(ByteView($0)) }
            if name.hasPrefix("refused") { #expect(!isAccepted(bytes), "\(name)") }
        }
    }

    @Test("what the fuzzer reached") func reached() throws {
        for (_, bytes) in try FuzzCorpus.files("reached/loader") {
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
