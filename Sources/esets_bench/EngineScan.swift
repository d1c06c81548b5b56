import Configuration
import Generations
import Glibc
import JSON
import ModuleHost
import Platform
import Programs
import ScanProtocol
import Synchronization

/// Scans the files of a directory inside this process: what the engine costs without sockets and agents around it.
struct EngineScan {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    /// What the threads of one run share.
    private final class State: Sendable {
        let generation: Generation
        let files: [String]
        let next = Atomic<Int>(0)
        let results = Mutex<[Result]>([])

        init(_ generation: Generation, _ files: [String]) {
            self.generation = generation
            self.files = files
        }
    }

    /// What became of one file.
    private struct Result {
        var bytes = 0
        /// Nanoseconds: on the clock, and of the thread's CPU time.
        var time: UInt64 = 0
        var cpu: UInt64 = 0
        var threats: [String] = []
        var notScanned: [String] = []
        var objects = 0
    }

    /// - Parameters:
    ///   - directory: its files are scanned, each as one object.
    ///   - limit: at most so many of them, spread over the whole directory; 0: all.
    ///   - rounds: times that the whole is done.
    func run(directory: String, threads: Int, limit: Int, rounds: Int) {
        guard let current = bench.store.current else { Main.program.fail("no current generation; run esets_update") }
        do {
            let loadBegan = Clock.now
            let generation = try Generation.load(
                directory: bench.store.path(current), trust: bench.trust, thorough: false)
            let load = Clock.now - loadBegan
            var names = try Files.names(in: directory).map { "\(directory)/\($0)" }
            if limit > 0, names.count > limit {
                let step = names.count / limit
                names = stride(from: 0, to: limit * step, by: step).map { names[$0] }
            }
            let files = (0..<rounds).flatMap { _ in names }
            let state = State(generation, files)
            let cpuBegan = Bench.processCPU
            let began = Clock.now
            var workers: [NativeThread] = []
            for _ in 0..<threads { workers.append(try NativeThread { Self.work(state) }) }
            for worker in workers { worker.join() }
            tell(
                state.results.withLock { $0 }, load: load, wall: Clock.now - began, cpu: Bench.processCPU - cpuBegan,
                threads: threads)
        } catch {
            Main.program.fail("\(directory): \(error)")
        }
    }

    private func tell(_ results: [Result], load: UInt64, wall: UInt64, cpu: UInt64, threads: Int) {
        let bytes = results.reduce(0) { $0 + $1.bytes }
        let times = results.map(\.time).sorted()
        let memory = Bench.rollup
        let machine = Machine()
        let nanosecondsPerByte = Double(cpu) / Double(max(1, bytes))
        var reasons: [String: Int] = [:]
        for result in results { for reason in Set(result.notScanned) { reasons[reason, default: 0] += 1 } }
        var threats: [String: Int] = [:]
        for result in results { for name in Set(result.threats) { threats[name, default: 0] += 1 } }
        Console.print(
            JSONValue.object([
                "files": .integer(Int64(results.count)), "bytes": .integer(Int64(bytes)),
                "threads": .integer(Int64(threads)), "load_ms": .number(Bench.seconds(load) * 1_000),
                "wall_seconds": .number(Bench.seconds(wall)), "cpu_seconds": .number(Bench.seconds(cpu)),
                "mb_per_cpu_second": .number(Double(bytes) / 1e6 / max(1e-9, Bench.seconds(cpu))),
                "mb_per_second": .number(Double(bytes) / 1e6 / max(1e-9, Bench.seconds(wall))),
                "cycles_per_byte": .number(nanosecondsPerByte * machine.gigahertz),
                "gigahertz": .number(machine.gigahertz),
                "read_gb_per_second": .number(machine.read), "copy_gb_per_second": .number(machine.copy),
                "p50_ms": .number(Bench.seconds(Bench.percentile(times, 0.5)) * 1_000),
                "p99_ms": .number(Bench.seconds(Bench.percentile(times, 0.99)) * 1_000),
                "infected": .integer(Int64(results.filter { !$0.threats.isEmpty }.count)),
                "not_scanned": .integer(Int64(results.filter { !$0.notScanned.isEmpty }.count)),
                "objects": .integer(Int64(results.reduce(0) { $0 + $1.objects })),
                "private_kb": .integer(Int64(memory.private)), "rss_kb": .integer(Int64(memory.resident)),
                "threats": .object(threats.mapValues { .integer(Int64($0)) }),
                "reasons": .object(reasons.mapValues { .integer(Int64($0)) }),
            ]).text())
    }

    private static func work(_ state: State) {
        let options = OptionTable(ScanOptions(), ScanEnvelope(agent: "bench"))
        var results: [Result] = []
        while true {
            let index = state.next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < state.files.count else { break }
            do {
                // The descriptor is a user's file, so it is read, not mapped: as in a scanning process.
                let file = try Descriptor.open(state.files[index], O_RDONLY)
                var result = Result()
                let began = Clock.now
                let cpuBegan = Clock.threadCPU
                result.bytes = Int(try file.size())
                let object = try ObjectBytes(reading: file, size: result.bytes)
                let scan = try Scan(generation: state.generation, object: object, options: options)
                guard case .done(let verdict) = scan.run() else { Main.program.fail("a scan was suspended") }
                result.time = Clock.now - began
                result.cpu = Clock.threadCPU - cpuBegan
                result.threats = verdict.threats.map(\.name)
                result.notScanned = verdict.notScanned.map(\.name)
                result.objects = Int(verdict.objectCount)
                results.append(result)
            } catch {
                Main.program.fail("\(state.files[index]): \(error)")
            }
        }
        state.results.withLock { $0 += results }
    }
}
