/// How a wait ended.
enum Wake: Sendable {
    case ready
    case timedOut
    case cancelled
    case stopping
    case closed

    /// Throws unless the wait ended as wished.
    func check() throws(StreamError) {
        switch self {
        case .ready: return
        case .timedOut: throw .timedOut
        case .cancelled: throw .cancelled
        case .stopping: throw .stopping
        case .closed: throw .closed
        }
    }
}

/// The place where one task at a time sleeps until it is woken, cancelled or too late.
///
/// `@unchecked Sendable` because its state is confined to the reactor's thread: `wait` and `wake` check that,
/// and a cancellation, which may come from anywhere, is sent to that thread first.
final class Waiter: @unchecked Sendable {
    private let reactor: Reactor
    private var continuation: UnsafeContinuation<Wake, Never>?
    /// Counts waits, so that a late cancellation cannot end a later wait.
    private var serial: UInt64 = 0
    private var deadline = Deadline.never
    /// Whether a stopping reactor ends the wait.
    private var isInterruptible = false
    /// Place in the reactor's timer heap; -1: none.
    var heapIndex = -1

    init(_ reactor: Reactor) {
        self.reactor = reactor
    }

    var isWaiting: Bool { continuation != nil }

    /// Suspends the task; one task at a time.
    func wait(until deadline: Deadline, interruptible: Bool = false) async -> Wake {
        reactor.preconditionOnLoop()
        precondition(continuation == nil, "two tasks wait for the same thing")
        if Task.isCancelled { return .cancelled }
        if interruptible && reactor.isStopping { return .stopping }
        serial &+= 1
        let serial = serial
        return await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                self.continuation = continuation
                self.deadline = deadline
                isInterruptible = interruptible
                if deadline != .never { reactor.timers.schedule(self, at: deadline.nanoseconds) }
            }
        } onCancel: {
            reactor.submit { self.cancel(serial) }
        }
    }

    /// Ends the wait, if there is one.
    func wake(_ reason: Wake) {
        guard let continuation else { return }
        self.continuation = nil
        continuation.resume(returning: reason)
    }

    /// The reactor begins to stop.
    func interrupt() {
        if isInterruptible { wake(.stopping) }
    }

    /// The entry in the timer heap came up: ends the wait or goes back to the heap.
    func timerFired(_ now: UInt64) {
        guard continuation != nil, deadline != .never else { return }
        if deadline.nanoseconds <= now {
            wake(.timedOut)
        } else {
            reactor.timers.schedule(self, at: deadline.nanoseconds)
        }
    }

    private func cancel(_ serial: UInt64) {
        if self.serial == serial { wake(.cancelled) }
    }
}
