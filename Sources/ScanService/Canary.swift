import Glibc
package import Platform
import ScanProtocol
import ScanTransport

/// Tries a generation in a process of its own and tells the manager how it went.
package enum Canary {
    /// Loads and tests the generation.
    ///
    /// - Parameters:
    ///   - engine: verifies every byte, runs the self-tests and the known answers when it loads.
    /// - Returns: the exit status; 0 when the generation is good.
    package static func run(control: Descriptor, engine: any ScanEngine, generation: UInt64) -> Int32 {
        let link = PacketLink(control, limit: WireLimits.request)
        let isGood: Bool
        do throws(EngineError) {
            let loaded = try engine.load(generation: generation)
            link.enqueue(WorkerReport.loaded(loaded.summary).message)
            isGood = true
        } catch {
            link.enqueue(WorkerReport.refused(generation: generation, error.failure.text).message)
            isGood = false
        }
        guard (try? link.flush()) == true else { return 1 }
        return isGood ? 0 : 1
    }
}
