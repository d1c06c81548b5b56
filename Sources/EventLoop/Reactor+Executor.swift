import Synchronization

extension Reactor: TaskExecutor, SerialExecutor {
    /// Takes a job that is ready to run: without a lock on the loop's own thread.
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

    package func checkIsolated() {
        preconditionOnLoop()
    }

    package func isIsolatingCurrentContext() -> Bool? { isOnLoop }
}

private func exchange<T>(_ place: inout T, _ value: T) -> T {
    let old = place
    place = value
    return old
}
