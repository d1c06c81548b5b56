import Glibc
import Platform
package import ScanProtocol
package import ScanService
package import Synchronization

/// An engine without modules. The first word of the object says what happens:
/// "ask" suspends once, "ask-forever" each time, "spin" runs until cancelled, "hang" runs without looking at the
/// cancellation until released, "stuck" does so before the scan begins, "babble" tells the manager nonsense and ends,
/// "lie" tells it that the generation in use was refused, "crash" kills the process; anything with "EICAR" is infected.
package final class FakeEngine: ScanEngine {
    /// Generations with these numbers cannot be loaded.
    package let broken: Set<UInt64>
    /// Live generations.
    package let alive = Mutex<Set<UInt64>>([])
    /// Threads that were ever inside `run` at the same time, at most.
    package let inside = Mutex<(now: Int, peak: Int)>((0, 0))
    package let released = Atomic<Bool>(false)

    /// Where generations lie, when files there decide: "broken" cannot be loaded, "crowded" not beside another one,
    /// "crashing" kills what scans, "slow" takes its time, "blind" finds nothing in what begins with "zip" and says so.
    private let directory: String?

    package init(broken: Set<UInt64> = [], directory: String? = nil) {
        self.broken = broken
        self.directory = directory
    }

    func has(_ file: String, _ generation: UInt64) -> Bool {
        directory.map { Files.exists("\($0)/\(generation)/\(file)") } ?? false
    }

    package func load(generation: UInt64) throws(EngineError) -> any EngineGeneration {
        let isCrowded = has("crowded", generation) && alive.withLock { !$0.isEmpty }
        if broken.contains(generation) || has("broken", generation) || isCrowded {
            throw EngineError(.engine, "em001: signature: does not verify")
        }
        return FakeGeneration(generation, self)
    }
}

package final class FakeGeneration: EngineGeneration {
    package let number: UInt64
    package var summary: LoadedGeneration { LoadedGeneration(number: number) }
    let engine: FakeEngine

    init(_ number: UInt64, _ engine: FakeEngine) {
        self.number = number
        self.engine = engine
        _ = engine.alive.withLock { $0.insert(number) }
    }

    deinit {
        let number = number
        _ = engine.alive.withLock { $0.remove(number) }
    }

    package func begin(
        _ source: ObjectSource, _ order: ScanOrder, _ cancellation: Cancellation
    ) throws(EngineError) -> any EngineScan {
        let bytes: [UInt8]
        let how: String
        switch source.place {
        case .memory(let content): (bytes, how) = (Array(content), "sent")
        case .mappable(let file): (bytes, how) = (try FakeGeneration.read(file, source.size), "mapped")
        case .file(let file): (bytes, how) = (try FakeGeneration.read(file, source.size), "copied")
        }
        if bytes.starts(with: Array("stuck".utf8)) {
            while !engine.released.load(ordering: .relaxed) { usleep(1_000) }
        }
        return FakeScan(self, String(decoding: bytes, as: UTF8.self), how, cancellation)
    }

    private static func read(_ file: Descriptor, _ size: Int) throws(EngineError) -> [UInt8] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 1)
        defer { buffer.deallocate() }
        do throws(SystemError) {
            _ = try file.read(at: 0, into: buffer)
        } catch {
            throw EngineError(.unreadable, error.description)
        }
        return [UInt8](buffer)
    }
}

package final class FakeScan: EngineScan, @unchecked Sendable {
    private let generation: FakeGeneration
    private let text: String
    /// How the object came.
    private let how: String
    private let cancellation: Cancellation
    private var answers: [Answer] = []

    init(_ generation: FakeGeneration, _ text: String, _ how: String, _ cancellation: Cancellation) {
        self.generation = generation
        self.text = text
        self.how = how
        self.cancellation = cancellation
    }

    package func provide(_ answers: [Answer]) { self.answers = answers }

    /// What a scanning process might say that was taken over.
    private func babble() {
        var lie = WorkerStatistics()
        (lie.queued, lie.running, lie.suspended, lie.clients) = (.max, .max, .max, .max)
        (lie.scanned, lie.infected, lie.incomplete, lie.failed) = (.max, .max, .max, .max)
        (lie.bytes, lie.time) = (.max, .max)
        // The socket to the manager, which stays open.
        let control = Unmanaged.passRetained(Descriptor(owning: 3)).takeUnretainedValue()
        for report in [WorkerReport.statistics(lie), .log(.error, "babble")] {
            for _ in 0..<500 {
                for packet in report.message.packets { try? UnixSocket.send(control, packet) }
            }
        }
        kill(getpid(), SIGKILL)
    }

    /// What a scanning process might say that was taken over.
    private func lie() {
        let control = Unmanaged.passRetained(Descriptor(owning: 3)).takeUnretainedValue()
        let report = WorkerReport.refused(generation: generation.number, "a lie")
        for packet in report.message.packets { try? UnixSocket.send(control, packet) }
    }

    package func run() -> EngineStep {
        generation.engine.inside.withLock { inside in
            inside.now += 1
            inside.peak = max(inside.peak, inside.now)
        }
        defer { generation.engine.inside.withLock { $0.now -= 1 } }
        if text.hasPrefix("ask"), answers.isEmpty || text.hasPrefix("ask-forever") {
            return .suspended([Question(kind: .dnsA, key: Array(text.utf8))])
        }
        if text.hasPrefix("spin") { while !cancellation.isCancelled { usleep(1_000) } }
        if text.hasPrefix("hang") { while !generation.engine.released.load(ordering: .relaxed) { usleep(1_000) } }
        if text.hasPrefix("babble") { babble() }
        if text.hasPrefix("lie") { lie() }
        if text.hasPrefix("crash") || generation.engine.has("crashing", generation.number) { raise(SIGSEGV) }
        if generation.engine.has("slow", generation.number) {
            let end = Clock.threadCPU + 80_000_000
            while Clock.threadCPU < end {}
        }
        if text.hasPrefix("kill") { kill(getpid(), SIGKILL) }
        var verdict = ScanVerdict()
        verdict.generation = generation.number
        if text.hasPrefix("zip"), generation.engine.has("blind", generation.number) || text.hasPrefix("zip broken") {
            verdict.findings.append(Finding(kind: .notScanned, name: "archive damaged"))
        }
        if text.contains("EICAR") { verdict.findings.append(Finding(kind: .infected, name: "Eicar")) }
        if let answer = answers.first {
            verdict.findings.append(Finding(kind: .note, name: "\(answer.result)"))
        }
        verdict.findings.append(Finding(kind: .note, name: how))
        return .done(verdict)
    }
}
