import CLinux
import Synchronization

/// Threads for the few calls that block (name look-ups, fsync), started when needed, gone when idle.
final class HelperThreads: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var running = 0
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
    }

    /// Runs the work on a helper thread, at once or when one is free.
    func run(_ work: @escaping @Sendable () -> Void) {
        let mustStart = state.withLock { state in
            state.waiting.append(work)
            guard state.running < limit else { return false }
            state.running += 1
            return true
        }
        guard mustStart else { return }
        let context = Unmanaged.passRetained(self).toOpaque()
        let started = CLinux_start_thread(
            "helper",
            { context in
                guard let context else { return }
                Unmanaged<HelperThreads>.fromOpaque(context).takeRetainedValue().work()
            }, context, 0, nil)
        if started != 0 {
            // No thread to be had: rather late than never, in the calling thread.
            Unmanaged<HelperThreads>.fromOpaque(context).release()
            self.work()
        }
    }

    /// Works until nothing waits; the thread ends then.
    private func work() {
        while let next = next() { next() }
    }

    private func next() -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
    }
}
