import Glibc
import Logging
import Platform
import ScanProtocol
import ScanTransport

/// The scanning processes: keeps as many running as wanted, gives clients to them, knows what became of each.
final class WorkerPool {
    struct Settings: Equatable {
        var processes = 1
        var threads = 2
        var user = "esets"
    }

    /// What a client gets that asked for a connection.
    typealias ConnectionReply = (Result<(worker: UInt64, socket: Descriptor), Unavailable>) -> Void
    struct Unavailable: Error { let text: String }

    /// Who asks for a connection.
    struct Asker {
        /// One of our own agents, or somebody who may command us.
        let isTrusted: Bool
        let user: UInt32
    }

    private struct Waiting {
        let asker: Asker
        let since = Clock.now
        let reply: ConnectionReply
    }

    /// Isolated processes at the same time: enough for a burst of crashes, too few to exhaust the machine.
    private static let isolatedLimit = 4
    /// How many of them may serve clients that are not our own agents, and one user of these.
    private static let foreignLimit = 2
    private static let foreignPerUser = 1
    /// Requests for a connection that may wait; those of users who run no agents; and those of one such user.
    private static let waitingLimit = 4_096
    private static let waitingForeign = 1_024
    private static let waitingPerUser = 256
    /// How long a client waits for a process, in nanoseconds: it asks again by itself until its own patience ends.
    private static let patience: UInt64 = 10 * 1_000_000_000
    /// How long for an isolated one, which has to load the modules first.
    private static let patienceAlone: UInt64 = 25 * 1_000_000_000
    /// Messages of one process that are handled before others have their turn.
    private static let reportsPerTurn = 64
    /// Messages of a process that ended: more than its socket holds.
    private static let lastReports = 4_096
    /// Clients' connections that may wait until a process takes them: more means that it does not look any more.
    private static let handoverLimit = 256
    /// How long a process may finish what it holds: nobody waits longer for a verdict.
    private static let drainTime: UInt64 = 900 * 1_000_000_000
    /// Ended processes whose fate is remembered.
    private static let remembered = 4_096

    private let loop: PollLoop
    private let children: ChildWatch
    private let program: ManagerProgram
    private let log: () -> Log
    private(set) var settings: Settings
    private(set) var workers: [UInt64: Worker] = [:]
    private var lastID: UInt64 = 0
    private var turn: UInt64 = 0
    private var fates: [UInt64: WorkerFate] = [:]
    private var fateOrder: [UInt64] = []
    private var fateQuestions: [UInt64: [(WorkerFate) -> Void]] = [:]
    private var waiting: [Waiting] = []
    private var waitingAlone: [Waiting] = []
    private var aloneStarting: [UInt64: Waiting] = [:]
    private var backoff = Backoff()
    private var restarts = 0
    private(set) var crashes: UInt64 = 0
    private(set) var ended = WorkerStatistics()
    private var isStopping = false

    /// What new processes load; nil = no modules yet.
    var generation: UInt64?
    /// A process answered that it loaded, or refused, a generation.
    var onLoad: (Worker, _ generation: UInt64, _ failure: String?) -> Void = { _, _, _ in }
    /// A shared process died by a signal of its own making.
    var onCrash: () -> Void = {}
    /// A process told what it counted.
    var onStatistics: () -> Void = {}
    /// A process is gone.
    var onEnd: (Worker) -> Void = { _ in }

    init(
        loop: PollLoop, children: ChildWatch, program: ManagerProgram, settings: Settings, log: @escaping () -> Log
    ) {
        self.loop = loop
        self.children = children
        self.program = program
        self.settings = settings
        self.log = log
    }

    /// Processes that serve ordinary requests with the generation in use and are not ending.
    var shared: [Worker] { serving.filter { $0.trial == nil } }

    /// Those, and the ones that serve with another generation for comparison.
    var serving: [Worker] {
        workers.values.filter { !$0.isIsolated && !$0.isDraining }.sorted { $0.id < $1.id }
    }

    // MARK: - Number of processes

    /// Starts and ends processes until there are as many as wanted.
    func balance() {
        guard !isStopping else { return }
        while shared.count + restarts < settings.processes { guard start(isIsolated: false) != nil else { return } }
        for worker in shared.dropFirst(settings.processes) { drain(worker) }
    }

    /// Takes new settings; processes with other settings are replaced.
    func change(_ settings: Settings) {
        let old = self.settings
        self.settings = settings
        if old.threads != settings.threads || old.user != settings.user {
            let outdated = shared
            for _ in 0..<settings.processes { _ = start(isIsolated: false) }
            // The new ones take over when they are ready; until then requests wait in the old ones.
            loop.after(2_000_000_000) { [unowned self] in
                for worker in outdated { drain(worker) }
                balance()
            }
        } else {
            balance()
        }
    }

    func start(isIsolated: Bool, trial: UInt64? = nil) -> Worker? {
        lastID += 1
        let id = lastID
        var role = [
            "--scanner", "--worker=\(id)", "--threads=\(isIsolated ? 1 : settings.threads)", "--user=\(settings.user)",
        ]
        if isIsolated { role.append("--alone") }
        do throws(SystemError) {
            let (near, far) = try UnixSocket.pair()
            let pid = try children.start(
                program.path, arguments: program.arguments(role), environment: program.environment,
                descriptors: [(ManagerProgram.controlDescriptor, far.raw)]
            ) { [unowned self] end in self.ended(id, end) }
            let worker = Worker(id: id, pid: pid, isIsolated: isIsolated, control: near)
            worker.trial = trial
            workers[id] = worker
            worker.watch = loop.watch(
                near, events: { [unowned worker] in worker.link.wantsToWrite ? POLLIN | POLLOUT : POLLIN }
            ) { [unowned self, unowned worker] _ in self.talk(to: worker) }
            if let generation = trial ?? generation { worker.load(generation) }
            return worker
        } catch {
            log().error("scanning process \(id) cannot be started: \(error)")
            if !isIsolated && trial == nil { restart() }
            return nil
        }
    }

    /// Starts another process for one that is gone.
    ///
    /// - Parameter wasReady: it served before it died, so the next one will, too: no time is lost. Only processes that
    ///   do not even start are tried again more and more slowly.
    private func restart(wasReady: Bool = false) {
        restarts += 1
        loop.after(wasReady ? 0 : backoff.next(now: Clock.now)) { [unowned self] in
            restarts -= 1
            balance()
        }
    }

    /// Lets a process finish what it holds and end.
    func drain(_ worker: Worker) {
        guard !worker.isDraining else { return }
        worker.isDraining = true
        worker.send(.drain)
        let (id, pid) = (worker.id, worker.pid)
        loop.after(WorkerPool.drainTime) { [unowned self] in
            guard workers[id] != nil else { return }
            log().error("scanning process \(id) (process \(pid)) does not end; it is killed")
            children.signal(pid, SIGKILL)
        }
    }

    /// Starts another process in place of one that is not believed any more. The new one, unless it cannot be started.
    func replace(_ worker: Worker) -> Worker? {
        drain(worker)
        return isStopping ? nil : start(isIsolated: false)
    }

    /// Ends all processes; `onEnd` tells about each.
    func stop() {
        isStopping = true
        for worker in workers.values { drain(worker) }
        for request in waiting + waitingAlone { request.reply(.failure(Unavailable(text: "the daemon is ending"))) }
        waiting = []
        waitingAlone = []
    }

    /// Ends what did not end by itself.
    func killAll() {
        for worker in workers.values { children.signal(worker.pid, SIGKILL) }
    }

    // MARK: - Conversation

    /// Takes what a process says; only so much at a time, because one that was taken over may never stop.
    private func talk(to worker: Worker, atMost limit: Int = reportsPerTurn) {
        do throws(PacketLink.Failure) {
            try worker.link.flush()
            var left = limit
            while left > 0, let incoming = try worker.link.receive() {
                left -= 1
                do throws(WireError) {
                    handle(try WorkerReport(incoming.message), of: worker)
                } catch {
                    throw PacketLink.Failure.wire(error)
                }
            }
        } catch {
            loop.remove(worker.watch)
            worker.watch = nil
            // A process whose modules were taken over by an attacker may write anything; it ends here.
            if case .wire(let error) = error {
                log().error("scanning process \(worker.id) broke the protocol: \(error)")
                children.signal(worker.pid, SIGABRT)
            }
        }
    }

    private func handle(_ report: WorkerReport, of worker: Worker) {
        switch report {
        case .loaded(let loaded):
            guard worker.answered(loaded.number) else { return unasked(worker) }
            worker.loaded = loaded
            onLoad(worker, loaded.number, nil)
            serveWaiting(worker)
        case .refused(let generation, let text):
            guard worker.answered(generation) else { return unasked(worker) }
            log().error("scanning process \(worker.id) refused generation \(generation): \(text)")
            if worker.isIsolated { giveUp(worker, "the isolated scanning process refused its modules: \(text)") }
            onLoad(worker, generation, text)
        case .released(let generation):
            log().debug("scanning process \(worker.id) unloaded generation \(generation)")
        case .log(let level, let text):
            guard worker.mayLog() else { return }
            let line = "scanning process \(worker.id): \(text)"
            switch level {
            case .error: log().error(line)
            case .warning: log().warning(line)
            case .info: log().info(line)
            case .debug: log().debug(line)
            }
        case .statistics(let statistics):
            worker.statistics = statistics
            onStatistics()
        }
    }

    /// It was taken over, or is broken; another one takes its place.
    private func unasked(_ worker: Worker) {
        log().error("scanning process \(worker.id) speaks of a generation that nobody asked it about; it is ended")
        loop.remove(worker.watch)
        worker.watch = nil
        children.signal(worker.pid, SIGKILL)
    }

    private func ended(_ id: UInt64, _ end: ProcessEnd) {
        guard let worker = workers[id] else { return }
        // What it said last is still in the socket.
        if worker.watch != nil { talk(to: worker, atMost: WorkerPool.lastReports) }
        loop.remove(worker.watch)
        workers[id] = nil
        remember(id, end)
        ended.addCounts(worker.statistics)
        let fate = fates[id] ?? .unknown
        let isExpected = worker.isDraining || worker.isIsolated && end == .exited(0)
        let line = "scanning process \(id) (process \(worker.pid)) ended: \(end)"
        if isExpected && !fate.blamesObject { log().debug(line) } else { log().error(line) }
        if let request = aloneStarting.removeValue(forKey: id) {
            request.reply(.failure(Unavailable(text: "the isolated scanning process ended at its start")))
        }
        if fate.blamesObject {
            crashes += 1
            if !worker.isIsolated { onCrash() }
        }
        onEnd(worker)
        guard !isStopping else { return }
        if worker.isIsolated {
            startWaitingAlone()
        } else if !worker.isDraining && worker.trial == nil {
            restart(wasReady: worker.isReady)
        }
    }

    // MARK: - Fates

    private func remember(_ id: UInt64, _ end: ProcessEnd) {
        switch end {
        case .exited(let status): fates[id] = .exited(status: status)
        case .killed(let signal): fates[id] = .killed(signal: signal)
        }
        fateOrder.append(id)
        if fateOrder.count > WorkerPool.remembered { fates[fateOrder.removeFirst()] = nil }
        for question in fateQuestions.removeValue(forKey: id) ?? [] { question(fates[id] ?? .unknown) }
    }

    /// What became of a process. A client may notice a death before the kernel reports it, so the answer
    /// "it runs" is given only after two seconds.
    func fate(of id: UInt64, _ reply: @escaping (WorkerFate) -> Void) {
        guard workers[id] != nil else { return reply(fates[id] ?? .unknown) }
        fateQuestions[id, default: []].append(reply)
        guard fateQuestions[id]?.count == 1 else { return }
        loop.after(2_000_000_000) { [unowned self] in
            for question in fateQuestions.removeValue(forKey: id) ?? [] { question(.running) }
        }
    }

    /// Whether an object may be kept because of this process: it was isolated and died of its own making.
    func diedAlone(_ id: UInt64) -> Bool { isolatedDeaths.contains(id) && fates[id]?.blamesObject == true }

    private var isolatedDeaths: Set<UInt64> = []

    // MARK: - Connections

    /// Gives a client a connection to an ordinary process, when one is ready.
    func connect(_ asker: Asker, _ reply: @escaping ConnectionReply) {
        guard generation != nil else {
            return reply(.failure(Unavailable(text: "no modules are installed; run esets_update")))
        }
        let ready = serving.filter(\.isReady)
        guard !ready.isEmpty else { return wait(Waiting(asker: asker, reply: reply), alone: false) }
        turn &+= 1
        hand(ready[Int(turn % UInt64(ready.count))], asker, reply)
    }

    /// Gives a client a connection to a new process that holds nothing else.
    func connectAlone(_ asker: Asker, _ reply: @escaping ConnectionReply) {
        guard generation != nil else {
            return reply(.failure(Unavailable(text: "no modules are installed; run esets_update")))
        }
        wait(Waiting(asker: asker, reply: reply), alone: true)
        startWaitingAlone()
    }

    private func wait(_ request: Waiting, alone: Bool) {
        guard mayWait(request.asker), !isStopping else {
            return request.reply(.failure(Unavailable(text: "too many clients wait for a scanning process")))
        }
        if alone { waitingAlone.append(request) } else { waiting.append(request) }
        let patience = alone ? WorkerPool.patienceAlone : WorkerPool.patience
        loop.after(patience + 1_000_000) { [unowned self] in expire() }
    }

    private func mayWait(_ asker: Asker) -> Bool {
        guard waiting.count + waitingAlone.count < WorkerPool.waitingLimit else { return false }
        guard !asker.isTrusted else { return true }
        let foreign = (waiting + waitingAlone).filter { !$0.asker.isTrusted }
        return foreign.count < WorkerPool.waitingForeign
            && foreign.count { $0.asker.user == asker.user } < WorkerPool.waitingPerUser
    }

    private func expire() {
        let now = Clock.now
        let isLate: (Waiting) -> Bool = { now &- $0.since >= WorkerPool.patience }
        let isLateAlone: (Waiting) -> Bool = { now &- $0.since >= WorkerPool.patienceAlone }
        let late = waiting.filter(isLate) + waitingAlone.filter(isLateAlone)
        waiting.removeAll(where: isLate)
        waitingAlone.removeAll(where: isLateAlone)
        for (id, request) in aloneStarting where isLateAlone(request) {
            guard let worker = workers[id] else { continue }
            giveUp(worker, "the isolated scanning process did not load its modules in time")
            children.signal(worker.pid, SIGKILL)
        }
        for request in late { request.reply(.failure(Unavailable(text: "no scanning process is ready"))) }
    }

    private func serveWaiting(_ worker: Worker) {
        guard worker.isReady else { return }
        if worker.isIsolated {
            guard let request = aloneStarting.removeValue(forKey: worker.id) else { return }
            hand(worker, request.asker, request.reply)
            return
        }
        let requests = waiting
        waiting = []
        for request in requests { hand(worker, request.asker, request.reply) }
    }

    /// Ends an isolated process that cannot serve, so that its place becomes free.
    private func giveUp(_ worker: Worker, _ reason: String) {
        aloneStarting.removeValue(forKey: worker.id)?.reply(.failure(Unavailable(text: reason)))
        drain(worker)
    }

    private func startWaitingAlone() {
        while workers.values.count(where: \.isIsolated) < WorkerPool.isolatedLimit {
            // Whoever may connect must not keep our own agents from having their objects judged.
            let foreign = workers.values.compactMap(\.isolatedFor)
            let mayHave: (Asker) -> Bool = { asker in
                asker.isTrusted
                    || foreign.count < WorkerPool.foreignLimit
                        && foreign.count { $0 == asker.user } < WorkerPool.foreignPerUser
            }
            guard let next = waitingAlone.firstIndex(where: { mayHave($0.asker) }),
                let worker = start(isIsolated: true)
            else { return }
            let request = waitingAlone.remove(at: next)
            worker.isolatedFor = request.asker.isTrusted ? nil : request.asker.user
            aloneStarting[worker.id] = request
            isolatedDeaths.insert(worker.id)
            if isolatedDeaths.count > WorkerPool.remembered, let oldest = isolatedDeaths.min() {
                isolatedDeaths.remove(oldest)
            }
        }
    }

    private func hand(_ worker: Worker, _ asker: Asker, _ reply: ConnectionReply) {
        guard worker.link.waitingDescriptors < WorkerPool.handoverLimit else {
            return reply(.failure(Unavailable(text: "scanning process \(worker.id) takes no clients")))
        }
        guard let socket = worker.adopt(isTrusted: asker.isTrusted, user: asker.user) else {
            return reply(.failure(Unavailable(text: "the manager has no descriptors left")))
        }
        reply(.success((worker.id, socket)))
    }

    /// Counters of all processes, those that ended included.
    var totals: WorkerStatistics {
        var sum = ended
        for worker in workers.values { sum.add(worker.statistics) }
        return sum
    }
}
