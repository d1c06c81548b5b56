package import ScanProtocol

/// What to do for one scan when a scanning process dies or is busy. Pure, so that both clients share it.
///
/// A request that a dying process held is tried again alone, in a process that holds nothing else. Only a death
/// there, by a signal of the process's own making, is blamed on the object. Everything else is tried again
/// until the patience ends; then the scanner is unavailable, which is never a verdict.
package struct RetryPlan: Sendable {
    package enum Step: Sendable, Equatable {
        /// Try, after so many nanoseconds.
        case attempt(isAlone: Bool, after: UInt64)
        /// Ask the manager what became of the process.
        case askFate(worker: UInt64)
        /// The object killed this isolated process.
        case crashed(worker: UInt64, signal: Int32)
        /// Report `ScanClientError.Code.unavailable`.
        case giveUp
    }

    private let deadline: UInt64
    private var isAlone = false
    private var failures: UInt64 = 0

    /// - Parameters:
    ///   - now: nanoseconds of the monotonic clock.
    ///   - patience: nanoseconds during which an unavailable scanner is tried again.
    package init(now: UInt64, patience: UInt64) {
        deadline = now &+ patience
    }

    /// The first step.
    package var start: Step { .attempt(isAlone: false, after: 0) }

    /// The scanning process went away while it held the request.
    package func lost(worker: UInt64) -> Step { .askFate(worker: worker) }

    /// What the manager said about the process that held the request.
    package mutating func learned(_ fate: WorkerFate, worker: UInt64, now: UInt64) -> Step {
        guard isAlone else {
            // It was drained, between two of our requests: nothing happened to this one.
            if fate == .exited(status: 0) { return again(now: now) }
            isAlone = true
            return .attempt(isAlone: true, after: 0)
        }
        if fate.blamesObject, case .killed(let signal) = fate { return .crashed(worker: worker, signal: signal) }
        return again(now: now)
    }

    /// No scanning process took the request: none there, too busy, the manager is away.
    package mutating func unavailable(now: UInt64) -> Step { again(now: now) }

    private mutating func again(now: UInt64) -> Step {
        let delay: UInt64 = min(2_000_000_000, 50_000_000 << min(failures, 6))
        failures += 1
        guard now &+ delay < deadline else { return .giveUp }
        return .attempt(isAlone: isAlone, after: delay)
    }
}

extension ScanVerdict {
    /// The verdict about an object that killed the process that scanned it alone.
    package static func crash(signal: Int32) -> ScanVerdict {
        var verdict = ScanVerdict()
        verdict.findings = [Finding(kind: .notScanned, name: "crash", source: "signal \(signal)")]
        return verdict
    }

    /// The verdict when the engine gave up on the whole object.
    package static func failed(_ text: String) -> ScanVerdict {
        var verdict = ScanVerdict()
        verdict.findings = [Finding(kind: .notScanned, name: "error: \(text)")]
        return verdict
    }
}
