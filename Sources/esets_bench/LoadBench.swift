import CModuleABI
import DataModule
import Generations
import Glibc
import ModuleHost
import Platform
import Programs

/// How long a generation with a very large data module takes to load, and what memory it costs.
struct LoadBench {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run(megabytes: Int) {
        guard let base = bench.store.current else { Main.program.fail("no current generation; run esets_update") }
        do {
            let staged = try bench.store.stage()
            for name in try Files.names(in: bench.store.path(base)) where name.hasSuffix(".dat") {
                try staged.addUnchanged(name, from: base)
            }
            // A section that no reader knows, of the size asked for.
            let chunk = [UInt8]((0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            let pieces = [DatabaseSection.Piece](repeating: .init(chunk), count: megabytes)
            let database = CompiledDatabase(
                kind: EM_DATABASE_ANTISPAM, format: 1, version: 1, signatures: 0,
                sections: [DatabaseSection(60_000, version: 1, count: megabytes << 20, pieces)])
            try DataModule.write(
                database,
                manifest: DataManifest(id: "em190.large", file: "em190", version: "1", description: "benchmark"),
                to: "\(staged.path)/em190_64.dat")
            let number = try staged.commit(seed: bench.seed)
            defer { try? bench.store.remove(number) }
            var times: [UInt64] = []
            let before = Bench.memory
            for _ in 0..<21 {
                let began = Clock.now
                let generation = try Generation.load(
                    directory: bench.store.path(number), trust: bench.trust, thorough: false)
                times.append(Clock.now - began)
                withExtendedLifetime(generation) {}
            }
            let loaded = try Generation.load(
                directory: bench.store.path(number), trust: bench.trust, thorough: false)
            let after = Bench.memory
            times.sort()
            Console.print(
                "loading a generation with a data module of \(megabytes) MB: ms median "
                    + "\(Bench.milliseconds(times[times.count / 2])), max \(Bench.milliseconds(times.last ?? 0))")
            Console.print(
                "memory KB before: resident \(before.resident), private \(before.anonymous); "
                    + "loaded: resident \(after.resident), private \(after.anonymous)")
            withExtendedLifetime(loaded) {}
        } catch {
            Main.program.fail("\(error)")
        }
    }
}
