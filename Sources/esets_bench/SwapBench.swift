import Configuration
import Generations
import Glibc
import ModuleHost
import Platform
import Programs
import ScanProtocol
import Synchronization

/// Thousands of swaps in one process under load: does memory stay flat, does no scan fail, what does it delay?
///
/// The same load runs first without swaps; in both runs a compiler works beside. The difference is the price of swapping.
struct SwapBench {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    private final class State: Sendable {
        let current: Mutex<Generation>
        let stop = Atomic<Bool>(false)
        let failures = Mutex<[String]>([])
        let latencies = Mutex<Histogram>(Histogram())

        init(_ generation: Generation) {
            current = Mutex(generation)
        }
    }

    func run(count: Int) {
        guard let first = bench.store.current else { Main.program.fail("no current generation; run esets_update") }
        let paired = round(first: first, count: count, swaps: false)
        let swapped = round(first: first, count: count, swaps: true)
        tell("without swaps", paired)
        tell("with \(swapped.swaps) swaps", swapped)
        let worse = swapped.p999 > paired.p999 ? swapped.p999 - paired.p999 : 0
        Console.print("delay by swapping at the 99.9th percentile: \(Bench.milliseconds(worse)) ms")
        Console.print("resident KB after 1 % of the swaps: \(swapped.early), after all: \(swapped.late)")
        Console.print("  after each tenth: \(swapped.course.map(String.init).joined(separator: " "))")
        exit(swapped.failures.isEmpty && paired.failures.isEmpty ? 0 : 1)
    }

    private struct Result {
        var swaps = 0
        var scans = 0
        var p50: UInt64 = 0
        var p99: UInt64 = 0
        var p999: UInt64 = 0
        var worst: UInt64 = 0
        var failures: [String] = []
        var early = 0
        var late = 0
        /// Resident memory after each tenth of the swaps.
        var course: [Int] = []
        var load50: UInt64 = 0
        var load99: UInt64 = 0
    }

    private func tell(_ title: String, _ result: Result) {
        Console.print(
            "\(title): \(result.scans) scans, ms p50 \(Bench.milliseconds(result.p50)) p99 \(Bench.milliseconds(result.p99)) "
                + "p99.9 \(Bench.milliseconds(result.p999)) max \(Bench.milliseconds(result.worst)), "
                + "\(result.failures.count) failures")
        if result.swaps > 0 {
            Console.print(
                "  loading a generation: ms p50 \(Bench.milliseconds(result.load50)) p99 \(Bench.milliseconds(result.load99))"
            )
        }
        for failure in result.failures.prefix(5) { Console.print("  \(failure)") }
    }

    private func load(_ number: UInt64) -> Generation {
        do throws(LoadError) {
            return try Generation.load(directory: bench.store.path(number), trust: bench.trust, thorough: false)
        } catch {
            Main.program.fail("generation \(number): \(error)")
        }
    }

    private func round(first: UInt64, count: Int, swaps: Bool) -> Result {
        var result = Result()
        let maker = startMaker(count)
        let state = State(load(first))
        let scanner: NativeThread
        do throws(SystemError) {
            scanner = try NativeThread { Self.scan(state, first: first) }
        } catch { Main.program.fail("\(error)") }
        var loads: [UInt64] = []
        for index in 1...count {
            let number = nextMade(after: first)
            if swaps {
                let began = Clock.now
                let generation = load(number)
                loads.append(Clock.now - began)
                state.current.withLock { $0 = generation }
                result.swaps += 1
            }
            // The files may go: what is mapped stays.
            try? bench.store.remove(number)
            if index == max(1, count / 100) { result.early = Bench.memory.resident }
            if index % max(1, count / 10) == 0 { result.course.append(Bench.memory.resident) }
        }
        result.late = Bench.memory.resident
        state.stop.store(true, ordering: .relaxed)
        scanner.join()
        _ = try? ChildProcess.wait(maker)
        let latencies = state.latencies.withLock { $0 }
        result.scans = latencies.count
        result.p50 = latencies.percentile(0.5)
        result.p99 = latencies.percentile(0.99)
        result.p999 = latencies.percentile(0.999)
        result.worst = latencies.worst
        result.failures = state.failures.withLock { $0 }
        loads.sort()
        result.load50 = Bench.percentile(loads, 0.5)
        result.load99 = Bench.percentile(loads, 0.99)
        return result
    }

    /// Waits for the oldest generation that the maker made and nobody used yet.
    private func nextMade(after first: UInt64) -> UInt64 {
        while true {
            if let number = (try? bench.store.numbers())?.first(where: { $0 > first }) { return number }
            usleep(300)
        }
    }

    private func startMaker(_ count: Int) -> pid_t {
        do throws(SystemError) {
            return try ChildProcess.spawn(
                "/proc/self/exe",
                arguments: ["esets_bench", "--root=\(bench.paths.root)", "--make=\(count)", "swap"],
                environment: ChildProcess.environment)
        } catch {
            Main.program.fail("\(error)")
        }
    }

    /// Scans a message again and again; each verdict must be that of the generation it ran on.
    private static func scan(_ state: State, first: UInt64) {
        let head = "From: a@example.org\r\nSubject: benchmark\r\nContent-Type: text/plain\r\n\r\n"
        let body = String(repeating: "A line of an ordinary message, with words and spaces.\r\n", count: 70)
        let message = Array((head + body + GenerationMaker.marker + "\r\n").utf8)
        let options = OptionTable(ScanOptions(), ScanEnvelope(agent: "bench"))
        while !state.stop.load(ordering: .relaxed) {
            let began = Clock.now
            let generation = state.current.withLock { $0 }
            let expected = generation.number == first ? nil : GenerationMaker.name(generation.number)
            do throws(LoadError) {
                let scan = try Scan(generation: generation, object: ObjectBytes(message), options: options)
                guard case .done(let verdict) = scan.run() else {
                    state.failures.withLock { $0.append("a scan was suspended") }
                    return
                }
                if verdict.threats.first?.name != expected || !verdict.notScanned.isEmpty {
                    state.failures.withLock { list in
                        list.append("generation \(generation.number): \(verdict.findings.map(\.name))")
                    }
                }
            } catch {
                state.failures.withLock { $0.append("\(error)") }
            }
            let time = Clock.now - began
            state.latencies.withLock { $0.add(time) }
        }
    }
}
