import Glibc
package import Platform
import ScanProtocol
import ScanTransport
import Synchronization

/// A scanning process: takes clients from the manager, requests from the clients, scans on its own threads.
///
/// The thread that calls `run` does all input and output with poll; `settings.threads` threads scan; one thread
/// loads generations. A suspended scan holds no thread.
package final class ScanServer {
    let settings: ScanServerSettings
    let control: PacketLink
    private let engine: any ScanEngine
    /// What to do when a scan hangs: end the process. Tests replace it.
    private let stalled: (String) -> Void

    let queue: JobQueue<ScanJob>
    private let finished: Mailbox<ScanJob>
    private let loads = WorkQueue<UInt64>()
    private let loaded: Mailbox<LoadResult>
    private var threads: [NativeThread] = []

    var generation: (any EngineGeneration)?
    private var retired: [RetiredGeneration] = []
    var clients: [Int: ServedClient] = [:]
    /// Where packets of all clients are received.
    private let buffer = PacketBuffer()
    var nextClient = 1
    /// Every job that is not over, also of clients that are gone.
    var jobs: [ObjectIdentifier: ScanJob] = [:]
    private var beats: [ObjectIdentifier: (count: UInt64, since: UInt64)] = [:]
    var statistics = WorkerStatistics()
    private var reported = WorkerStatistics()
    private var lastTick: UInt64 = 0
    var isDraining = false
    private var isManagerGone = false
    var hadClient = false
    /// A job was let go: an old generation may be unloaded now.
    var reportLater = false

    private struct LoadResult: Sendable {
        let number: UInt64
        let generation: (any EngineGeneration)?
        let failure: String?
    }

    private struct RetiredGeneration {
        let number: UInt64
        weak var generation: (any EngineGeneration)?
    }

    /// - Parameters:
    ///   - control: the socket to the manager.
    ///   - stalled: called with a sentence when a scan shows no sign of life; must end the process.
    package init(
        control: Descriptor, engine: any ScanEngine, settings: ScanServerSettings,
        stalled: @escaping (String) -> Void = { _ in abort() }
    ) throws(SystemError) {
        self.control = PacketLink(control, limit: WireLimits.request)
        self.engine = engine
        self.settings = settings
        self.stalled = stalled
        queue = JobQueue(foreignThreads: settings.foreignThreads)
        finished = try Mailbox()
        loaded = try Mailbox()
    }

    /// Serves until it was drained or the manager is gone, and nothing is under way.
    package func run() throws(SystemError) {
        try startThreads()
        while !isOver { try turn() }
        queue.close()
        loads.close()
        for thread in threads { thread.join() }
        _ = try? control.flush()
    }

    private func startThreads() throws(SystemError) {
        for _ in 0..<max(1, settings.threads) {
            threads.append(
                try NativeThread { [queue, finished] in
                    while let taken = queue.take() {
                        taken.element.work()
                        queue.done(taken)
                        finished.put(taken.element)
                    }
                })
        }
        threads.append(
            try NativeThread { [engine, loads, loaded] in
                while let number = loads.take() {
                    do throws(EngineError) {
                        let generation = try engine.load(generation: number)
                        loaded.put(LoadResult(number: number, generation: generation, failure: nil))
                    } catch {
                        loaded.put(LoadResult(number: number, generation: nil, failure: error.failure.text))
                    }
                }
            })
    }

    private var isOver: Bool {
        if settings.isIsolated && hadClient && clients.isEmpty { return true }
        return isDraining && clients.isEmpty && jobs.isEmpty
    }

    // MARK: - One turn of the loop

    private func turn() throws(SystemError) {
        var entries: [pollfd] = [
            entry(finished.event, POLLIN), entry(loaded.event, POLLIN),
            entry(control.socket, POLLIN | (control.wantsToWrite ? POLLOUT : 0)),
        ]
        if isDraining { entries[2].events = control.wantsToWrite ? Int16(POLLOUT) : 0 }
        // Its end would be reported again and again.
        if isManagerGone { entries[2].fd = -1 }
        let order = clients.keys.sorted()
        let readsAgents = queue.count(of: nil) < settings.queue
        for number in order {
            guard let client = clients[number] else { continue }
            let mayRead = client.user.map { queue.count(of: $0) < settings.foreignQueue } ?? readsAgents
            let input = mayRead && client.takesInput ? POLLIN : 0
            entries.append(entry(client.link.socket, input | (client.link.wantsToWrite ? POLLOUT : 0)))
        }
        if poll(&entries, nfds_t(entries.count), 1_000) < 0 {
            switch errno {
            case EINTR: break
            // No memory just now: what is under way goes on when there is some again.
            case ENOMEM, EAGAIN: usleep(10_000)
            default: throw SystemError("poll")
            }
        }

        for job in finished.takeAll() { complete(job) }
        for result in loaded.takeAll() { adopt(result) }
        if entries[2].revents != 0 { talkToManager() }
        for (index, number) in order.enumerated() where entries[3 + index].revents != 0 {
            guard let client = clients[number] else { continue }
            serve(client, entries[3 + index].revents)
        }
        if isDraining { for client in clients.values where client.isIdle { drop(client) } }
        if reportLater {
            reportLater = false
            reportReleased()
        }
        if Clock.now &- lastTick >= 1_000_000_000 { tick() }
    }

    private func entry(_ descriptor: Descriptor, _ events: Int32) -> pollfd {
        pollfd(fd: descriptor.raw, events: Int16(events), revents: 0)
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
    }

    private func obey(_ order: WorkerOrder, _ descriptor: Descriptor?) {
        switch order {
        case .adopt(let isTrusted, let user):
            guard let descriptor, !(settings.isIsolated && hadClient) else { return }
            // Whoever may connect must not use up the descriptors: one more of them is closed at once.
            guard isTrusted || mayConnect(user) else { return }
            clients[nextClient] = ServedClient(
                number: nextClient, socket: descriptor, isTrusted: isTrusted, user: user, buffer: buffer)
            nextClient += 1
            hadClient = true
        case .load(let number): loads.put(number)
        case .drain: isDraining = true
        }
    }

    private func mayConnect(_ user: UInt32) -> Bool {
        let foreign = clients.values.filter { !$0.isTrusted }
        return foreign.count < settings.foreign && foreign.count { $0.user == user } < settings.foreignPerUser
    }

    /// Sends something to the manager.
    func report(_ report: WorkerReport) {
        control.enqueue(report.message)
        _ = try? control.flush()
    }

    /// One line for the manager's log.
    func log(_ level: WorkerReport.LogLevel, _ text: String) { report(.log(level, text)) }

    // MARK: - Generations

    private func adopt(_ result: LoadResult) {
        if let fresh = result.generation {
            if let old = generation { retired.append(RetiredGeneration(number: old.number, generation: old)) }
            generation = fresh
            report(.loaded(fresh.summary))
        } else {
            report(.refused(generation: result.number, result.failure ?? "no reason was given"))
        }
        reportReleased()
    }

    /// Tells which old generations are unloaded by now.
    func reportReleased() {
        // Looked at once: another thread may let go of one between two looks.
        let unloaded = Set(retired.filter { $0.generation == nil }.map(\.number))
        retired.removeAll { unloaded.contains($0.number) }
        for number in unloaded.sorted() { report(.released(generation: number)) }
    }

    // MARK: - Each second

    private func tick() {
        let now = Clock.now
        lastTick = now
        for job in jobs.values { watch(job, now) }
        reportReleased()
        if settings.isIsolated {
            for client in clients.values where client.isIdle && now &- client.lastActivity > settings.idle {
                drop(client)
            }
        }
        statistics.queued = UInt32(clamping: jobs.values.count { $0.place == .queued })
        statistics.suspended = UInt32(clamping: jobs.values.count { $0.place == .suspended })
        statistics.running = UInt32(clamping: jobs.values.count { $0.startedAt.load(ordering: .relaxed) != 0 })
        statistics.clients = UInt32(clamping: clients.count)
        if statistics != reported && !control.wantsToWrite {
            reported = statistics
            report(.statistics(statistics))
        }
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
        jobs[ObjectIdentifier(job)] = nil
        beats[ObjectIdentifier(job)] = nil
    }
}
