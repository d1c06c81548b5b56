import Synchronization

extension Reactor {
    /// Starts a task that stays on the reactor, from any thread. `stop` waits for it.
    ///
    /// - Parameters:
    ///   - name: what debuggers and crash reports show.
    ///   - operation: must not block, and should end when its awaits throw.
    /// - Returns: the task, to cancel it or await its end.
    @discardableResult
    package func spawn(_ name: String, _ operation: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        let number = shared.withLock { shared in
            shared.lastTask += 1
            shared.tasks[shared.lastTask] = .some(nil)
            return shared.lastTask
        }
        let task = Task(name: name, executorPreference: self) { [unowned self] in
            await operation()
            ended(number)
        }
        shared.withLock { shared in
            // It may have ended already when this is another thread.
            if shared.tasks[number] != nil { shared.tasks[number] = task }
        }
        return task
    }

    /// Number of tasks that have not ended.
    package var taskCount: Int { shared.withLock { $0.tasks.count } }

    private func ended(_ number: UInt64) {
        shared.withLock { _ = $0.tasks.removeValue(forKey: number) }
    }

    /// Stops gracefully, from any thread: listeners accept no more, interruptible waits (connections that are idle)
    /// end with `.stopping`, everything else goes on until it is done. Tasks that are still there at the
    /// deadline are cancelled. Then `run` returns. A later call changes the deadline.
    package func stop(deadline: Deadline) {
        shared.withLock { $0.stop = StopRequest(deadline: deadline) }
        signal()
    }

    /// Waits until a moment. Throws `.cancelled`; `.stopping` when interruptible.
    package func sleep(until deadline: Deadline, interruptible: Bool = false) async throws(StreamError) {
        let waiter = Waiter(self)
        let wake = await waiter.wait(until: deadline, interruptible: interruptible)
        timers.remove(waiter)
        if case .timedOut = wake { return }
        try wake.check()
    }

    func cancelAllTasks() {
        let tasks = shared.withLock { $0.tasks.values.compactMap { $0 } }
        for task in tasks { task.cancel() }
    }
}

/// How far a stop has come.
struct StopProgress {
    private var deadline: Deadline
    private var isCancelling = false

    init(deadline: Deadline) {
        self.deadline = deadline
    }

    /// When the loop must look again though nothing happens.
    var nextStep: Deadline { deadline }

    /// Takes the next step if it is due; the result of `run` when all is over.
    mutating func advance(_ reactor: Reactor) -> Bool? {
        if reactor.taskCount == 0 && reactor.readyJobs.isEmpty { return true }
        guard deadline.hasPassed else { return nil }
        if isCancelling { return false }
        isCancelling = true
        deadline = .seconds(5)
        reactor.cancelAllTasks()
        return nil
    }
}
