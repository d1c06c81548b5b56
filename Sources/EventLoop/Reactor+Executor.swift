import Synchronization

extension Reactor: TaskExecutor {
    /// Takes a task's job that is ready to run: without a lock on the loop's own thread.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isOnLoop {
            readyJobs.append(job)
            return
        }
        let mustSignal = shared.withLock { shared in
            shared.jobs.append(job)
            return !exchange(&shared.isSignalled, true)
        }
        if mustSignal { signal() }
    }

    /// Calls a closure on the loop's thread, soon; never within this call. From any thread.
    package func submit(_ call: @escaping @Sendable () -> Void) {
        let mustSignal = shared.withLock { shared in
            shared.calls.append(call)
            return !exchange(&shared.isSignalled, true)
        }
        if mustSignal { signal() }
    }
}

/// Lets actors live on a reactor's thread: give `unownedExecutor` of this as theirs.
///
/// Apart from the reactor itself, because the runtime tells by the executor's identity whether code is isolated:
/// were the reactor both, every task without isolation would be queued once more at each resumption.
package final class ReactorSerialExecutor: SerialExecutor {
    private let reactor: Reactor

    /// The owner keeps it as long as its actors live.
    package init(_ reactor: Reactor) {
        self.reactor = reactor
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        reactor.submit { [self] in job.runSynchronously(on: asUnownedSerialExecutor()) }
    }

    package func checkIsolated() {
        reactor.preconditionOnLoop()
    }

    package func isIsolatingCurrentContext() -> Bool? { reactor.isOnLoop }
}

private func exchange<T>(_ place: inout T, _ value: T) -> T {
    let old = place
    place = value
    return old
}
