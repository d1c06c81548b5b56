import Bytes
import DataModule
import Generations
import Glibc
import JSON
import Platform
import Programs
import SignatureCompiler

/// Compiles a directory of signature files into a new generation, as an update does it, and tells what it cost.
struct EngineCompile {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run(signatures directory: String) {
        guard let base = bench.store.current else { Main.program.fail("no current generation; run esets_update") }
        do {
            let began = Clock.now
            let cpuBegan = Bench.processCPU
            var mappings: [String: Mapping] = [:]
            var files: [SignatureFile] = []
            for name in try Files.names(in: directory) where !name.hasPrefix(".") && !name.hasSuffix(".json") {
                let mapping = try Mapping(path: "\(directory)/\(name)")
                mappings[name] = mapping
                files.append(SignatureFile(name: name, bytes: ByteView(mapping.bytes)))
            }
            let staged = try bench.store.stage()
            for name in try Files.names(in: bench.store.path(base))
            where name.hasSuffix(".dat") && name != "em002_64.dat" {
                try staged.addUnchanged(name, from: base)
            }
            let module = "\(staged.path)/em002_64.dat"
            var last: Mapping?
            let (database, report) = try SignatureCompiler.compile(files, version: bench.store.nextNumber) { _, name in
                // What was compiled is not needed any more.
                if let last {
                    madvise(UnsafeMutableRawPointer(mutating: last.bytes.baseAddress), last.bytes.count, MADV_DONTNEED)
                }
                last = mappings[name]
            }
            let compiled = Clock.now
            try DataModule.write(
                database,
                manifest: DataManifest(
                    id: "em002.signatures", file: "em002", version: String(bench.store.nextNumber),
                    description: "benchmark"),
                to: module)
            let ended = Clock.now
            let cpu = Bench.processCPU - cpuBegan
            let size = try Descriptor.open(module, O_RDONLY).size()
            let number = try staged.commit(seed: bench.seed)
            try bench.store.activate(number)
            if number > base + 1 { try bench.store.remove(base) }
            Console.print(
                JSONValue.object([
                    "generation": .integer(Int64(number)), "signatures": .integer(Int64(report.signatures)),
                    "patterns": .integer(Int64(report.patterns)),
                    "unsupported": .integer(Int64(report.unsupportedCount)),
                    "malformed": .integer(Int64(report.malformedCount)), "module_bytes": .integer(Int64(size)),
                    "seconds": .number(Bench.seconds(ended - began)),
                    "write_seconds": .number(Bench.seconds(ended - compiled)),
                    "cpu_seconds": .number(Bench.seconds(cpu)), "peak_rss_kb": .integer(Int64(Bench.peakMemory)),
                ]).text())
            withExtendedLifetime(mappings) {}
        } catch {
            Main.program.fail("\(directory): \(error)")
        }
    }
}
