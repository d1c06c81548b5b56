import CLinux
import Platform
import Synchronization

/// One thread that runs tasks, and waits for descriptors and moments with epoll in between.
///
/// Tasks started with `spawn` stay on that thread, so the streams, listeners and completions they use need
/// no locks. Nothing that blocks may run here; see `offload`.
///
/// The owner must keep the reactor until `run` has returned.
///
/// `@unchecked Sendable`: all mutable state except `shared` is confined to the loop's thread, which
/// `preconditionOnLoop` checks wherever callers come in; `shared` is behind a lock.
package final class Reactor: @unchecked Sendable {
    /// What other threads may touch.
    struct Shared {
        var jobs: [UnownedJob] = []
        var calls: [@Sendable () -> Void] = []
        /// The eventfd has been written and not been cleared yet.
        var isSignalled = false
        /// Tasks that have not ended, for cancellation at the end of a stop.
        var tasks: [UInt64: Task<Void, Never>?] = [:]
        var lastTask: UInt64 = 0
        var stop: StopRequest?
    }

    struct StopRequest {
        let deadline: Deadline
        var isNew = true
    }

    let shared = Mutex(Shared())
    /// Identity of the thread inside `run`; 0: none.
    private let loopThread = Atomic<UInt64>(0)
    /// `run` has returned, or will not run any more code.
    private let ended = Atomic<Bool>(false)
    private let epoll: Int32
    private let wakeup: Int32
    /// Jobs that became ready on the loop's thread.
    var readyJobs: [UnownedJob] = []
    /// Tasks that let others go first; they go on after the next look at the descriptors.
    private var yielded: [UnsafeContinuation<Void, Never>] = []
    var timers = TimerHeap()
    private var watches: [Watch?] = []
    private var lastGeneration: UInt32 = 0
    /// Finish what is under way, begin nothing new. Read it from the reactor's tasks.
    package private(set) var isStopping = false
    /// Room for one piece of network input of a filtered stream, shared because nothing is kept in it.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 64)
    let helpers = HelperThreads(limit: 8)
    private let meter = LoadMeter()

    package init() throws(StreamError) {
        epoll = CLinux_epoll_create()
        guard epoll >= 0 else { throw StreamError(failure: Int(epoll), call: "epoll_create1") }
        wakeup = CLinux_eventfd()
        let added = wakeup < 0 ? wakeup : CLinux_epoll_add(epoll, wakeup, CLinux_EVENT_IN, UInt64(UInt32(wakeup)))
        guard added >= 0 else {
            CLinux_close(epoll)
            if wakeup >= 0 { CLinux_close(wakeup) }
            throw StreamError(failure: Int(added), call: "eventfd")
        }
    }

    deinit {
        CLinux_close(wakeup)
        CLinux_close(epoll)
        scratch.deallocate()
    }

    // MARK: - Which thread

    /// Whether the caller runs on the reactor's thread.
    package var isOnLoop: Bool { loopThread.load(ordering: .relaxed) == CLinux_thread_identity() }

    /// How much of one processor its thread has used lately, in percent. From any thread.
    package var load: Int { meter.recent }

    func preconditionOnLoop() {
        precondition(isOnLoop, "used outside the reactor's thread")
    }

    // MARK: - The loop

    /// Runs in the calling thread until `stop` was called and all tasks have ended.
    ///
    /// - Returns: false when tasks were left over that ignored their cancellation for 5 seconds.
    @discardableResult package func run() -> Bool {
        let (free, _) = loopThread.compareExchange(
            expected: 0, desired: CLinux_thread_identity(), ordering: .acquiringAndReleasing)
        precondition(free, "the reactor runs already")
        defer { finish() }
        let events = UnsafeMutableBufferPointer<CLinux_event>.allocate(capacity: 256)
        defer { events.deallocate() }
        var jobs: [UnownedJob] = []
        var stopping: StopProgress?
        while true {
            takeShared(&stopping)
            // A few rounds, so that tasks which wake one another cannot keep the descriptors waiting.
            var rounds = 0
            while !readyJobs.isEmpty && rounds < 16 {
                swap(&jobs, &readyJobs)
                runJobs(jobs)
                jobs.removeAll(keepingCapacity: true)
                rounds += 1
            }
            if let result = stopping?.advance(self) { return result }
            let isIdle = readyJobs.isEmpty && yielded.isEmpty
            let count = CLinux_epoll_wait(
                epoll, events.baseAddress, 256, isIdle ? timeout(stopping?.nextStep) : 0)
            for index in 0..<max(0, Int(count)) { dispatch(events[index]) }
            meter.turn()
            if timers.next != nil { fireTimers() }
            for continuation in yielded { continuation.resume() }
            yielded.removeAll(keepingCapacity: true)
        }
    }

    /// Lets other tasks run, and looks at the descriptors, before the calling task goes on.
    /// (`Task.yield` would go through a thread of Swift's own pool.)
    package func yield() async {
        preconditionOnLoop()
        await withUnsafeContinuation { yielded.append($0) }
    }

    /// Lets go of everything that refers to the reactor.
    private func finish() {
        var none: StopProgress?
        takeShared(&none)
        timers = TimerHeap()
        watches = []
        ended.store(true, ordering: .releasing)
        loopThread.store(0, ordering: .releasing)
    }

    /// Nothing runs here any more.
    var hasEnded: Bool { ended.load(ordering: .acquiring) }

    private func runJobs(_ jobs: [UnownedJob]) {
        let executor = asUnownedTaskExecutor()
        for job in jobs { job.runSynchronously(on: executor) }
    }

    /// Milliseconds until the next timer, rounded up; -1 for ever.
    private func timeout(_ extra: Deadline?) -> Int32 {
        let due = min(timers.next ?? .max, extra?.nanoseconds ?? .max)
        guard due != .max else { return -1 }
        let now = Clock.now
        return due <= now ? 0 : Int32(clamping: (due - now + 999_999) / 1_000_000)
    }

    private func fireTimers() {
        let now = Clock.now
        while let waiter = timers.popDue(now) { waiter.timerFired(now) }
    }

    private func dispatch(_ event: CLinux_event) {
        let descriptor = Int(event.key & 0xFFFF_FFFF)
        if descriptor == Int(wakeup) {
            CLinux_eventfd_clear(wakeup)
            return
        }
        // The generation differs when the descriptor was closed and its number used again in this very round.
        guard descriptor < watches.count, let watch = watches[descriptor],
            watch.generation == UInt32(event.key >> 32)
        else { return }
        watch.ready(event.events)
    }

    /// Takes what other threads left: jobs, calls, the request to stop.
    private func takeShared(_ stopping: inout StopProgress?) {
        let (jobs, calls, stop) = shared.withLock { shared in
            defer {
                shared.jobs.removeAll(keepingCapacity: true)
                shared.calls.removeAll(keepingCapacity: true)
                shared.isSignalled = false
                shared.stop?.isNew = false
            }
            return (shared.jobs, shared.calls, shared.stop)
        }
        readyJobs.append(contentsOf: jobs)
        for call in calls { call() }
        if let stop, stop.isNew {
            beginStopping()
            stopping = StopProgress(deadline: stop.deadline)
        }
    }

    private func beginStopping() {
        isStopping = true
        for watch in watches { watch?.reading.interrupt() }
        for waiter in timers.waiters { waiter.interrupt() }
    }

    /// Makes the loop look at `shared`.
    func signal() {
        CLinux_eventfd_signal(wakeup)
    }

    // MARK: - Descriptors

    /// Adds a descriptor to the epoll set, edge-triggered.
    func register(_ watch: Watch, events: UInt32) throws(StreamError) {
        preconditionOnLoop()
        let index = Int(watch.descriptor)
        if index >= watches.count {
            watches.append(contentsOf: repeatElement(nil, count: index + 1 - watches.count))
        }
        lastGeneration = max(1, lastGeneration &+ 1)
        watch.generation = lastGeneration
        let result = CLinux_epoll_add(epoll, watch.descriptor, events | CLinux_EVENT_EDGE, key(of: watch))
        guard result == 0 else { throw StreamError(failure: Int(result), call: "epoll_ctl") }
        watches[index] = watch
    }

    /// Changes what a registered descriptor is asked for; what it is ready for already is announced once more.
    func modify(_ watch: Watch, events: UInt32) {
        preconditionOnLoop()
        let result = CLinux_epoll_modify(epoll, watch.descriptor, events | CLinux_EVENT_EDGE, key(of: watch))
        precondition(result == 0, "a registered descriptor is unknown to epoll")
    }

    private func key(of watch: Watch) -> UInt64 { UInt64(watch.generation) << 32 | UInt64(watch.descriptor) }

    /// Takes a descriptor out of the set.
    ///
    /// - Parameter closing: the caller closes the descriptor at once and nobody else has it: the kernel then takes it
    ///   out by itself.
    func unregister(_ watch: Watch, closing: Bool) {
        preconditionOnLoop()
        let index = Int(watch.descriptor)
        guard index < watches.count, watches[index] === watch else { return }
        watches[index] = nil
        if !closing { _ = CLinux_epoll_remove(epoll, watch.descriptor) }
    }
}
