import ScanClient
import Synchronization

/// Tells the manager what was counted since the last time. What it did not take is told again.
package final class CounterReporter: Sendable {
    private let path: String
    private let agent: String
    private let snapshot: @Sendable () -> [String: UInt64]
    private let told = Mutex<[String: UInt64]>([:])

    /// - Parameters:
    ///   - path: the socket of the daemon.
    ///   - agent: section name.
    ///   - snapshot: the numbers since the start of the process.
    package init(path: String, agent: String, _ snapshot: @escaping @Sendable () -> [String: UInt64]) {
        self.path = path
        self.agent = agent
        self.snapshot = snapshot
    }

    /// Waits for the manager, for a few seconds at most.
    package func report() {
        told.withLock { told in
            let now = snapshot()
            let new = now.reduce(into: [String: UInt64]()) { result, entry in
                let difference = entry.value - told[entry.key, default: 0]
                if difference > 0 { result[entry.key] = difference }
            }
            guard !new.isEmpty else { return }
            do throws(ScanClientError) {
                try ScanConnection(path: path, agent: agent, patience: .zero).count(new)
                told = now
            } catch {
                // Without a manager there is nobody to tell; messages are not held up by that.
            }
        }
    }
}
