import Bytes
import DataModule
import Generations
import Glibc
import Platform
import Programs
import SignatureCompiler

/// The compiler that runs beside: makes generations whose em002 differs in the name of one signature.
struct GenerationMaker {
    /// What every message of the benchmark holds, and every em002 of it names differently.
    static let marker = "esets benchmark marker"
    /// Generations that wait to be used; more would only fill the disk.
    static let ahead = 8

    let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    /// The name that the signature has in a generation.
    static func name(_ number: UInt64) -> String { "Bench-\(number)" }

    func run(count: Int) {
        guard let first = bench.store.current else { Main.program.fail("no current generation; run esets_update") }
        for _ in 1...count {
            make(bench.store.nextNumber, base: first)
            // The swapping process removes what it has used.
            while ((try? bench.store.numbers().filter { $0 > first }.count) ?? 0) > Self.ahead { usleep(500) }
        }
    }

    private func make(_ number: UInt64, base: UInt64) {
        let hex = Self.marker.utf8.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0\(text)" : text
        }.joined()
        let line = Array("\(Self.name(number)):0:*:\(hex)\n".utf8)
        do {
            let staged = try bench.store.stage()
            for name in try Files.names(in: bench.store.path(base))
            where name.hasSuffix(".dat") && name != "em002_64.dat" {
                try staged.addUnchanged(name, from: base)
            }
            let database = try line.withUnsafeBufferPointer { buffer in
                try SignatureCompiler.compile(
                    [SignatureFile(name: "bench.ndb", bytes: ByteView(buffer))], version: number
                ).database
            }
            try DataModule.write(
                database,
                manifest: DataManifest(
                    id: "em002.signatures", file: "em002", version: String(number), description: "benchmark"),
                to: "\(staged.path)/em002_64.dat")
            let made = try staged.commit(seed: bench.seed)
            guard made == number else { Main.program.fail("generation \(made) in place of \(number)") }
        } catch {
            Main.program.fail("generation \(number): \(error)")
        }
    }
}
