import Glibc
package import Platform
import ScanProtocol
import ScanTransport
import Synchronization

/// A scanning process: takes clients from the manager, requests from the clients, scans on its own threads.
///
/// Its threads are equal: each waits for sockets, reads a request, scans and replies, so that a short scan changes
/// threads nowhere. At most `settings.threads` of them scan, and there is one more, so that one always waits for sockets.
/// One thread loads and unloads generations; the one that calls `run` looks after time. A suspended scan holds no thread.
///
/// `@unchecked Sendable`: everything that changes is guarded by `state`, and private functions want it locked.
package final class ScanServer: @unchecked Sendable {
    let settings: ScanServerSettings
    let control: PacketLink
    private let engine: any ScanEngine
    /// What to do when a scan hangs: end the process. Tests replace it.
    private let stalled: @Sendable (String) -> Void

    private let state = StateLock()
    let ready: ReadySet
    var queue: JobQueue<ScanJob>
    private let loads = WorkQueue<Load>()

    var generation: HeldGeneration?
    var clients: [Int: ServedClient] = [:]
    /// Clients that are not read from until less waits in the queue.
    var heldBack: Set<Int> = []
    /// Where packets of all clients are received.
    private let buffer = PacketBuffer()
    private var nextClient = 1
    /// Every job that is not over, also of clients that are gone.
    var jobs: [ObjectIdentifier: ScanJob] = [:]
    private var beats: [ObjectIdentifier: (count: UInt64, since: UInt64)] = [:]
    var statistics = WorkerStatistics()
    private var reported = WorkerStatistics()
    var isDraining = false
    private var isManagerGone = false
    private var hadClient = false

    /// The key of the manager's socket; clients have higher ones.
    private static var controlKey: UInt64 { 0 }

    private enum Load: Sendable {
        case load(UInt64)
        case unload(Unloadable)
    }

    /// - Parameters:
    ///   - control: the socket to the manager.
    ///   - stalled: called with a sentence when a scan shows no sign of life; must end the process.
    package init(
        control: Descriptor, engine: any ScanEngine, settings: ScanServerSettings,
        stalled: @escaping @Sendable (String) -> Void = { _ in abort() }
    ) throws(SystemError) {
        self.control = PacketLink(control, limit: WireLimits.request)
        self.engine = engine
        self.settings = settings
        self.stalled = stalled
        queue = JobQueue(threads: max(1, settings.threads), foreignThreads: settings.foreignThreads)
        ready = try ReadySet()
        try ready.add(control, key: ScanServer.controlKey, .init(input: true, output: false))
    }

    /// Serves until it was drained or the manager is gone, and nothing is under way.
    package func run() throws(SystemError) {
        var threads: [NativeThread] = []
        for _ in 0...max(1, settings.threads) { threads.append(try NativeThread { self.work() }) }
        let loader = try NativeThread { self.load() }
        while !ready.waitForAll(milliseconds: 1_000) { state.locked { tick() } }
        for thread in threads { thread.join() }
        loads.close()
        loader.join()
        _ = try? control.flush()
    }

    // MARK: - A thread

    private func work() {
        state.lock()
        defer { state.unlock() }
        while !isOver {
            if let taken = take() {
                state.unlock()
                taken.element.work()
                state.lock()
                queue.done(taken)
                complete(taken.element)
            } else {
                state.unlock()
                let event = ready.wait()
                state.lock()
                if let event { handle(event) }
            }
            if isDraining { for client in clients.values where client.isIdle { drop(client) } }
        }
        ready.wakeAll()
    }

    private var isOver: Bool {
        if settings.isIsolated && hadClient && clients.isEmpty { return true }
        return isDraining && clients.isEmpty && jobs.isEmpty
    }

    private func take() -> JobQueue<ScanJob>.Taken? {
        guard let taken = queue.take() else { return nil }
        // Several came at once.
        if queue.hasWork { ready.wakeOne() }
        if !heldBack.isEmpty { for number in heldBack { if let client = clients[number] { arm(client) } } }
        return taken
    }

    private func handle(_ event: ReadySet.Event) {
        switch event.key {
        case ReadySet.wakeKey: break
        case ScanServer.controlKey: talkToManager()
        default:
            guard let client = clients[Int(event.key)] else { return }
            client.armed = nil
            serve(client, event)
            arm(client)
        }
    }

    /// Waits for what the client's connection may do next.
    func arm(_ client: ServedClient) {
        guard clients[client.number] === client else { return }
        let limit = client.user == nil ? settings.queue : settings.foreignQueue
        let mayRead = queue.count(of: client.user) < limit
        if mayRead { heldBack.remove(client.number) } else { heldBack.insert(client.number) }
        let interest = ReadySet.Interest(input: mayRead && client.takesInput, output: client.link.wantsToWrite)
        guard client.armed != interest else { return }
        client.armed = interest
        ready.arm(client.link.socket, key: UInt64(client.number), interest)
    }

    // MARK: - The manager

    private func talkToManager() {
        do throws(PacketLink.Failure) {
            try control.flush()
            while !isDraining, let incoming = try control.receive() {
                do throws(WireError) {
                    obey(try WorkerOrder(incoming.message), incoming.descriptor)
                } catch {
                    log(.error, "\(error)")
                    isDraining = true
                }
            }
        } catch {
            // The manager is gone: finish what is under way.
            isManagerGone = true
            isDraining = true
        }
        armControl()
    }

    /// Nothing more is taken from the manager while this process ends, and its end would be reported again and again.
    private func armControl() {
        guard !isManagerGone, !isDraining || control.wantsToWrite else { return }
        ready.arm(
            control.socket, key: ScanServer.controlKey, .init(input: !isDraining, output: control.wantsToWrite))
    }

    private func obey(_ order: WorkerOrder, _ descriptor: Descriptor?) {
        switch order {
        case .adopt(let isTrusted, let user):
            guard let descriptor, !(settings.isIsolated && hadClient) else { return }
            // Whoever may connect must not use up the descriptors: one more of them is closed at once.
            guard isTrusted || mayConnect(user) else { return }
            welcome(
                ServedClient(
                    number: nextClient, socket: descriptor, isTrusted: isTrusted, user: user, buffer: buffer))
            nextClient += 1
            hadClient = true
        case .load(let number): loads.put(.load(number))
        case .drain: isDraining = true
        }
    }

    private func welcome(_ client: ServedClient) {
        let interest = ReadySet.Interest(input: true, output: false)
        do throws(SystemError) {
            try ready.add(client.link.socket, key: UInt64(client.number), interest)
        } catch {
            return log(.warning, "a client was dropped: \(error)")
        }
        client.armed = interest
        clients[client.number] = client
        arm(client)
    }

    private func mayConnect(_ user: UInt32) -> Bool {
        let foreign = clients.values.filter { !$0.isTrusted }
        return foreign.count < settings.foreign && foreign.count { $0.user == user } < settings.foreignPerUser
    }

    /// Sends something to the manager.
    func report(_ report: WorkerReport) {
        control.enqueue(report.message)
        let isSent = try? control.flush()
        if isSent == false { armControl() }
    }

    /// One line for the manager's log.
    func log(_ level: WorkerReport.LogLevel, _ text: String) { report(.log(level, text)) }

    // MARK: - Generations

    private func load() {
        while let step = loadNext() {
            if case .released(let number) = step { state.locked { report(.released(generation: number)) } }
        }
    }

    private enum LoadStep {
        case loaded
        /// It is unloaded when `loadNext` has returned: that let go of the last reference.
        case released(UInt64)
    }

    private func loadNext() -> LoadStep? {
        switch loads.take() {
        case .load(let number):
            do throws(EngineError) {
                let fresh = try engine.load(generation: number)
                state.locked { adopt(fresh) }
            } catch {
                let text = error.failure.text
                state.locked { report(.refused(generation: number, text)) }
            }
            return .loaded
        case .unload(let last):
            // The thread that handed it over has let go of it when the lock is free.
            state.locked {}
            return .released(last.number)
        case nil: return nil
        }
    }

    private func adopt(_ fresh: any EngineGeneration) {
        let old = generation
        generation = HeldGeneration(fresh)
        report(.loaded(fresh.summary))
        if let last = old?.retire() { loads.put(.unload(last)) }
    }

    // MARK: - Each second

    private func tick() {
        let now = Clock.now
        for job in jobs.values { watch(job, now) }
        if queue.hasWork { ready.wakeOne() }
        if settings.isIsolated {
            for client in clients.values where client.isIdle && now &- client.lastActivity > settings.idle {
                drop(client)
            }
        }
        let running = jobs.values.count { $0.startedAt.load(ordering: .relaxed) != 0 }
        statistics.suspended = UInt32(clamping: jobs.values.count { $0.place == .suspended })
        statistics.queued = UInt32(clamping: max(0, jobs.count - running - Int(statistics.suspended)))
        statistics.running = UInt32(clamping: running)
        statistics.clients = UInt32(clamping: clients.count)
        if statistics != reported && !control.wantsToWrite {
            reported = statistics
            report(.statistics(statistics))
        }
        if isOver { ready.wakeAll() }
    }

    private func watch(_ job: ScanJob, _ now: UInt64) {
        let id = ObjectIdentifier(job)
        if job.place == .suspended, now &- job.suspendedAt > settings.suspension {
            resume(job, with: [])
            return
        }
        let started = job.startedAt.load(ordering: .relaxed)
        guard started != 0 else {
            beats[id] = nil
            return
        }
        let count = job.cancellation.beats
        guard let last = beats[id], last.count == count else {
            beats[id] = (count, now)
            return
        }
        if now &- last.since > settings.stall {
            stalled("a scan shows no sign of life since \(settings.stall / 1_000_000_000) seconds: \(job.order.name)")
        }
    }

    /// Forgets a job that is over.
    func forget(_ job: ScanJob) {
        let id = ObjectIdentifier(job)
        guard jobs.removeValue(forKey: id) != nil else { return }
        beats[id] = nil
        if let last = job.letGo() { loads.put(.unload(last)) }
    }
}
