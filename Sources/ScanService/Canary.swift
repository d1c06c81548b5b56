import Glibc
package import Platform
import ScanProtocol
import ScanTransport

/// Tries a generation in a process of its own and tells the manager how it went.
package enum Canary {
    /// Loads and tests the generation.
    ///
    /// - Parameters:
    ///   - control: the socket to the manager; nil when somebody else started it, who reads standard error.
    ///   - engine: verifies every byte, runs the self-tests and the known answers when it loads.
    /// - Returns: the exit status; 0 when the generation is good.
    package static func run(control: Descriptor?, engine: any ScanEngine, generation: UInt64) -> Int32 {
        let report: WorkerReport
        do throws(EngineError) {
            report = .loaded(try engine.load(generation: generation).summary)
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
}
