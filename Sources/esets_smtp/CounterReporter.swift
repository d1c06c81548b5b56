import SMTPAgent
import ScanClient
import Synchronization

/// Tells the manager what was counted since the last time. What it did not take is told again.
final class CounterReporter: Sendable {
    private let path: String
    private let agent: SMTPAgent
    private let told = Mutex<[String: UInt64]>([:])

    init(path: String, _ agent: SMTPAgent) {
        self.path = path
        self.agent = agent
    }

    /// Waits for the manager, for a few seconds at most.
    func report() {
        told.withLock { told in
            let now = agent.counters.snapshot
            let new = now.reduce(into: [String: UInt64]()) { result, entry in
                let difference = entry.value - told[entry.key, default: 0]
                if difference > 0 { result[entry.key] = difference }
            }
            guard !new.isEmpty else { return }
            do throws(ScanClientError) {
                try ScanConnection(path: path, agent: "smtp", patience: .zero).count(new)
                told = now
            } catch {
                // Without a manager there is nobody to tell; messages are not held up by that.
            }
        }
    }
}
