import ScanProtocol
import Synchronization

/// What one agent process has done since it began. Counted from every reactor.
package final class ClamdCounters: Sendable {
    private struct Numbers {
        var values: [String: UInt64] = [:]
        var running = 0
        var queued = 0
        var connections = 0
    }

    private let numbers = Mutex(Numbers())

    package init() {}

    /// Adds to a number.
    func count(_ name: String, _ amount: Int = 1) {
        guard amount > 0 else { return }
        numbers.withLock { $0.values[name, default: 0] &+= UInt64(amount) }
    }

    /// Counts one object and what became of it; nil when there is no verdict.
    func count(_ reply: VerdictReply, _ verdict: ScanVerdict?) {
        numbers.withLock { numbers in
            func add(_ name: String, _ amount: Int) {
                if amount > 0 { numbers.values[name, default: 0] &+= UInt64(amount) }
            }
            add("messages", 1)
            switch reply {
            case .clean: add("accepted", 1)
            case .found: add("rejected", 1)
            case .error: add("deferred", 1)
            }
            guard let verdict else { return add("error", 1) }
            add("scanned", Int(verdict.objectCount))
            add("infected", Set(verdict.threats.map(\.object)).count)
            add("error", Set(verdict.notScanned.map(\.object)).count)
        }
    }

    /// A scan waits, begins, ends.
    func scans(running: Int = 0, queued: Int = 0) {
        numbers.withLock {
            $0.running += running
            $0.queued += queued
        }
    }

    func connections(_ change: Int) { numbers.withLock { $0.connections += change } }

    /// Scans that run, scans that wait, connections.
    package var load: (running: Int, queued: Int, connections: Int) {
        numbers.withLock { ($0.running, $0.queued, $0.connections) }
    }

    /// The present numbers by name.
    package var snapshot: [String: UInt64] { numbers.withLock { $0.values } }
}
