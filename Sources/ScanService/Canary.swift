import Glibc
package import Platform
import ScanProtocol
import ScanTransport

/// Tries a generation in a process of its own and tells the manager how it went.
package enum Canary {
    /// The generation in use, beside which the offered one must not be too slow.
    package struct Reference: Sendable {
        package let generation: UInt64
        /// Of its time for the same objects; more is refused.
        package let percent: UInt64

        package init(generation: UInt64, percent: UInt64) {
            self.generation = generation
            self.percent = percent
        }
    }

    /// Loads and tests the generation.
    ///
    /// - Parameters:
    ///   - control: the socket to the manager; nil when somebody else started it, who reads standard error.
    ///   - engine: verifies every byte, runs the self-tests and the known answers when it loads.
    ///   - samples: objects that scanning processes died of. What they are called does not matter, surviving them does.
    ///   - reference: what it is compared with; nil = with nothing. One that cannot be loaded proves nothing.
    /// - Returns: the exit status; 0 when the generation is good.
    package static func run(
        control: Descriptor?, engine: any ScanEngine, generation: UInt64, samples: [Descriptor] = [],
        reference: Reference? = nil
    ) -> Int32 {
        let report: WorkerReport
        do throws(EngineError) {
            let loaded = try engine.load(generation: generation)
            for sample in samples { survive(sample, loaded) }
            if let reference, let old = try? engine.loadForComparison(generation: reference.generation),
                let timing = CanaryTiming(loaded, beside: old)
            {
                let text = timing.text(reference.generation)
                guard !timing.isTooSlow(percent: reference.percent) else {
                    throw EngineError(.engine, "it is too slow: \(text)")
                }
                say(text, control)
            }
            report = .loaded(loaded.summary)
        } catch {
            report = .refused(generation: generation, error.failure.text)
        }
        guard let control else {
            guard case .refused(_, let text) = report else { return 0 }
            let line = Array("\(text)\n".utf8)
            write(STDERR_FILENO, line, line.count)
            return 1
        }
        let link = PacketLink(control, limit: WireLimits.request)
        link.enqueue(report.message)
        guard (try? link.flush()) == true, case .loaded = report else { return 1 }
        return 0
    }

    private static func say(_ text: String, _ control: Descriptor?) {
        guard let control else { return }
        for packet in WorkerReport.log(.info, text).message.packets { try? UnixSocket.send(control, packet) }
    }

    private static func survive(_ sample: Descriptor, _ generation: any EngineGeneration) {
        do throws(EngineError) {
            let status: stat
            do throws(SystemError) { status = try sample.status() } catch { return }
            let size = UInt64(max(0, status.st_size))
            let source = try ObjectSource(sample, announced: size, isTrusted: false)
            let order = ScanOrder(
                options: ScanOptions(), envelope: ScanEnvelope(agent: "cli"), name: "sample", size: size)
            let scan = try generation.begin(source, order, Cancellation())
            for _ in 0..<WireLimits.questions {
                guard case .suspended(let questions) = scan.run() else { return }
                scan.provide(questions.map { Answer(question: $0, result: .failed) })
            }
        } catch {
            // It cannot be read, so it proves nothing.
        }
    }
}
