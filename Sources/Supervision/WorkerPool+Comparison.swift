extension WorkerPool {
    /// Puts new processes in the place of all, which may have been taken over, and one beside them that serves with
    /// another generation. That one; nil when processes cannot be started, and then nothing has changed.
    func beginTrial(of other: UInt64) -> Worker? {
        guard let trial = start(isIsolated: false, trial: other) else { return nil }
        for worker in shared { _ = replace(worker) }
        return trial
    }

    /// Ends the comparison.
    func endTrial() {
        for worker in serving where worker.trial != nil { drain(worker) }
    }
}
