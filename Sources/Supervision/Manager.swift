import CLinux
package import Configuration
import Generations
import Glibc
import Logging
import Platform
import ScanProtocol

/// The manager: owns configuration, processes, generations and counters. It reads no content of any object.
package final class Manager {
    /// Why it could not start.
    package struct StartError: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// What the service can do when it tells that it is there.
    package enum Readiness: UInt8, Sendable {
        /// It scans.
        case ready = 1
        /// No modules are installed: mail is deferred.
        case noModules
        /// The modules cannot be loaded, or not in time.
        case notLoaded
    }

    /// How long scanning processes may finish their scans at the end.
    private static let drainTime: UInt64 = 30 * 1_000_000_000
    /// How long whoever starts the service waits for the modules.
    private static let readyTime: UInt64 = 60 * 1_000_000_000

    /// Open descriptors that the manager, and each agent, may have.
    private static let descriptors: UInt64 = 65_536

    private enum Phase { case running, endingAgents, drainingWorkers, over }

    private let loadConfiguration: () throws(ConfigurationError) -> Configuration
    private var configuration: Configuration
    private var log: Log
    private let version: String
    private let socketPath: String
    private let loop = PollLoop()
    private let children: ChildWatch
    private let pool: WorkerPool
    private let swap: GenerationSwap
    private let agents: AgentSupervisor
    private let crashes: CrashStore
    private let events: EventRaiser
    private let updates: UpdateRunner
    private var control: ControlServer?
    private var counters = AgentCounters()
    private var signals: Descriptor?
    private let startedAt = Clock.realtime
    private var phase = Phase.running
    private var lastConfigurationError: String?
    private var isLate = false

    /// Loads the configuration and opens the daemon's socket; nothing is started yet.
    ///
    /// - Parameters:
    ///   - program: how this program is started again for other roles.
    ///   - version: of the product, for the status.
    ///   - agentEndTime: nanoseconds after which an agent that was told to end is killed; nil = as long as a message takes.
    ///   - load: reads the configuration; called again at each reload.
    package init(
        program: ManagerProgram, version: String, agentEndTime: UInt64? = nil,
        load: @escaping () throws(ConfigurationError) -> Configuration
    ) throws(StartError) {
        loadConfiguration = load
        self.version = version
        do throws(ConfigurationError) { configuration = try load() } catch {
            throw StartError(description: "\(error)")
        }
        let first = configuration
        do throws(SystemError) { try Directories.prepare(first) } catch {
            throw StartError(description: "\(error)")
        }
        let log = Log(program: "esets_daemon", settings: first.global, paths: first.paths)
        self.log = log
        socketPath = first.daemonSocket
        children = ChildWatch(loop)
        // The pieces ask for the log each time, because a reload makes a new one.
        let current = LogHolder(log)
        holder = current
        pool = WorkerPool(
            loop: loop, children: children, program: program, settings: Manager.poolSettings(first),
            log: { current.log })
        let raiser = EventRaiser(
            loop: loop, children: children, program: program, tasks: first.global.scheduledTasks,
            user: first.global.text("run_as_user"), log: { current.log })
        events = raiser
        updates = UpdateRunner(
            loop: loop, children: children, program: program, settings: UpdateRunner.Settings(first),
            log: { current.log })
        let certificates = first.paths.certificatesDirectory
        swap = GenerationSwap(
            loop: loop, children: children, program: program, pool: pool, store: Manager.store(first),
            settings: Manager.swapSettings(first),
            content: { store, generation in
                guard let trust = try? Trust(directory: certificates),
                    let manifest = try? store.manifest(generation, trust: trust)
                else { return "" }
                return manifest.content
            },
            raise: { event, name, info in raiser.raise(event, name: name, info: info) }, log: { current.log })
        agents = AgentSupervisor(
            loop: loop, children: children, program: program, endTime: agentEndTime ?? AgentSupervisor.endTime,
            log: { current.log })
        crashes = CrashStore(
            directory: first.paths.cacheDirectory + "/crash", loop: loop, children: children, program: program,
            log: { current.log })
    }

    private let holder: LogHolder

    private final class LogHolder {
        var log: Log
        init(_ log: Log) { self.log = log }
    }

    private static func poolSettings(_ configuration: Configuration) -> WorkerPool.Settings {
        let global = configuration.global
        return WorkerPool.Settings(
            processes: global.number("num_proc"), threads: global.number("num_thrd"),
            user: global.text("run_as_user"))
    }

    private static func swapSettings(_ configuration: Configuration) -> GenerationSwap.Settings {
        let global = configuration.global
        return GenerationSwap.Settings(
            watch: UInt64(global.number("av_update_watch")) * 1_000_000_000,
            maximumNotScanned: global.number("av_update_max_notscanned"),
            maximumSlowdown: global.number("av_update_max_slowdown"))
    }

    private static func store(_ configuration: Configuration) -> GenerationStore {
        GenerationStore(base: configuration.global.text("base_dir"))
    }

    private static func ids(_ names: [String]) -> Set<UInt32> { Set(names.compactMap(Users.id(of:))) }

    private static func trustedUsers(_ configuration: Configuration) -> Set<UInt32> {
        let agents = Sections.services.sectionNames.map { configuration.settings(for: $0).text("run_as_user") }
        return Set((agents + [configuration.global.text("run_as_user")]).compactMap(Users.serviceID(of:)))
    }

    // MARK: - Life

    /// Serves until it is stopped.
    ///
    /// - Parameters:
    ///   - handlesSignals: SIGTERM and SIGINT stop, SIGHUP reloads, SIGUSR1 opens the log anew.
    ///   - ready: called once: when the agents listen and a scanning process has loaded the modules, or when it is clear
    ///     that none will, or after a minute.
    package func run(handlesSignals: Bool, ready: (Readiness) -> Void) throws(StartError) {
        do throws(SystemError) {
            try open(handlesSignals: handlesSignals)
            if swap.current == nil {
                log.warning("no modules are installed: mail is deferred until esets_update has run")
            }
            pool.onEnd = { [unowned self] worker in
                swap.ended(worker)
                if phase == .drainingWorkers { step() }
            }
            pool.balance()
            agents.apply(configuration)
            updates.begin()
            log.info("esets_daemon \(version) runs (process \(getpid()))")
            loop.after(Manager.readyTime) { [unowned self] in isLate = true }
            var isAnnounced = false
            try loop.run {
                if !isAnnounced, let readiness {
                    isAnnounced = true
                    if readiness == .notLoaded {
                        log.warning("the modules are not loaded yet: mail is deferred until then")
                    }
                    ready(readiness)
                }
                return phase == .over
            }
        } catch {
            throw StartError(description: "\(error)")
        }
        log.info("esets_daemon ended")
    }

    /// nil while it is still being started.
    private var readiness: Readiness? {
        guard agents.isSettled || isLate else { return nil }
        if swap.current == nil { return .noModules }
        if pool.shared.contains(where: \.isReady) { return .ready }
        return isLate || swap.isStuck ? .notLoaded : nil
    }

    private func open(handlesSignals: Bool) throws(SystemError) {
        try Files.makeDirectory(Files.parent(of: socketPath))
        // Who may do what is decided by the user at the other end; everybody may scan.
        let socket = try UnixSocket.listen(path: socketPath, mode: 0o666)
        let server = ControlServer(
            loop: loop, socket: socket, privileged: Manager.ids(configuration.global.list("privileged_users")),
            trusted: Manager.trustedUsers(configuration), services: services, log: { [holder] in holder.log })
        control = server
        guard handlesSignals else { return }
        // Each client is a descriptor, and agents inherit the limit.
        _ = CLinux_limit(Int32(CLinux_RLIMIT_NOFILE), Manager.descriptors)
        signal(SIGPIPE, SIG_IGN)
        // Inherited "ignore" would let children vanish before anybody learns how they ended.
        signal(SIGCHLD, SIG_DFL)
        let wanted = [SIGTERM, SIGINT, SIGHUP, SIGUSR1]
        let descriptor = Descriptor(
            owning: try checked("signalfd") { CLinux_signal_descriptor(wanted, Int32(wanted.count)) })
        signals = descriptor
        _ = loop.watch(descriptor) { [unowned self] _ in
            while case let number = CLinux_signal_next(descriptor.raw), number > 0 { handle(signal: number) }
        }
    }

    private func handle(signal number: Int32) {
        switch number {
        case SIGHUP: _ = reload()
        case SIGUSR1: log.reopen()
        default: stop()
        }
    }

    private var services: ControlServer.Services {
        ControlServer.Services(
            connect: { [unowned self] asker, alone, reply in
                if alone { pool.connectAlone(asker, reply) } else { pool.connect(asker, reply) }
            },
            fate: { [unowned self] worker, reply in pool.fate(of: worker, reply) },
            keep: { [unowned self] isTrusted, object, worker, name in
                guard pool.diedAlone(worker) else { return }
                if isTrusted { swap.remember(sample: object) }
                let generation = swap.current.map(String.init) ?? ""
                crashes.keep(
                    object, isTrusted: isTrusted, worker: worker, name: name,
                    facts: "generation=\(generation)\nworker=\(worker)\n")
            },
            offer: { [unowned self] generation, reply in swap.offer(generation, reply) },
            status: { [unowned self] in status },
            reload: { [unowned self] in reload() },
            stop: { [unowned self] in stop() },
            count: { [unowned self] amounts, agent in counters.add(amounts, agent: agent) })
    }

    // MARK: - Reload

    /// Reads the configuration again. A wrong one is refused as a whole, and everything stays as it is.
    private func reload() -> Result<String, GenerationSwap.Refused> {
        guard phase == .running else { return .failure(.init(text: "the daemon is ending")) }
        do throws(ConfigurationError) {
            configuration = try loadConfiguration()
        } catch {
            lastConfigurationError = "\(error)"
            log.error("the configuration is refused, the old one stays in force: \(error)")
            return .failure(.init(text: "\(error)"))
        }
        lastConfigurationError = nil
        log = Log(program: "esets_daemon", settings: configuration.global, paths: configuration.paths)
        holder.log = log
        for warning in configuration.warnings { log.warning("\(warning)") }
        control?.privileged = Manager.ids(configuration.global.list("privileged_users"))
        control?.trusted = Manager.trustedUsers(configuration)
        events.tasks = configuration.global.scheduledTasks
        events.user = configuration.global.text("run_as_user")
        updates.settings = UpdateRunner.Settings(configuration)
        swap.settings = Manager.swapSettings(configuration)
        swap.reload(Manager.store(configuration))
        pool.change(Manager.poolSettings(configuration))
        agents.apply(configuration)
        log.info("the configuration was read again")
        var text = "the configuration was read again"
        if configuration.daemonSocket != socketPath { text += "; daemon_sock_path counts at the next start" }
        return .success(text)
    }

    // MARK: - End

    /// Agents finish their messages, then scanning processes their scans, then it is over.
    private func stop() {
        guard phase == .running else { return }
        phase = .endingAgents
        log.info("esets_daemon is ending")
        control?.close()
        unlink(socketPath)
        agents.stop()
        updates.stop()
        step()
        watchEnd()
    }

    /// Looks each 50 ms whether the next step of the end can be taken.
    private func watchEnd() {
        loop.after(50_000_000) { [unowned self] in
            step()
            if phase != .over { watchEnd() }
        }
    }

    private func step() {
        if phase == .endingAgents && agents.isEmpty {
            phase = .drainingWorkers
            pool.stop()
            loop.after(Manager.drainTime) { [unowned self] in pool.killAll() }
        }
        if phase == .drainingWorkers && pool.workers.isEmpty { phase = .over }
    }

    // MARK: - Status

    private var status: [StatusLine] {
        let workers = pool.workers.values.sorted { $0.id < $1.id }
        let loaded = workers.compactMap(\.loaded).max { $0.number < $1.number }
        let totals = pool.totals
        var lines = [
            StatusLine(
                "SystemState",
                phase == .running
                    ? (loaded == nil ? (swap.current == nil ? "no modules" : "starting") : "running") : "ending"),
            StatusLine("RTPStatus", loaded == nil ? "disabled" : "enabled"),
            StatusLine("ClientVer", version),
            StatusLine("AVSigsVer", String(loaded?.database ?? 0)),
            StatusLine("AVSigsCount", String(loaded?.signatures ?? 0)),
            StatusLine("AVSigsServer", configuration.global.text("av_update_server")),
            StatusLine("Statistics", "Scanned:\(totals.scanned)|Infected:\(totals.infected)|Failed:\(totals.failed)"),
            StatusLine("Pid", String(getpid())),
            StatusLine("StartTime", String(startedAt / 1_000_000_000)),
            StatusLine("Generation", swap.current.map(String.init) ?? ""),
            StatusLine("LastSwap", swap.lastSwap.map { String($0.realtime / 1_000_000_000) } ?? ""),
            StatusLine("LastRefusal", swap.lastRefusal?.text ?? ""),
            StatusLine("LastRefusalTime", swap.lastRefusal.map { String($0.realtime / 1_000_000_000) } ?? ""),
            StatusLine("SwapWatch", swap.watchText),
            StatusLine("ConfigurationError", lastConfigurationError ?? ""),
            StatusLine("Clients", String(control?.count ?? 0)),
            StatusLine("Queued", String(totals.queued)),
            StatusLine("Running", String(totals.running)),
            StatusLine("Suspended", String(totals.suspended)),
            StatusLine("Scanned", String(totals.scanned)),
            StatusLine("Infected", String(totals.infected)),
            StatusLine("NotScanned", String(totals.incomplete)),
            StatusLine("Failed", String(totals.failed)),
            StatusLine("ScannedBytes", String(totals.bytes)),
            StatusLine("ScanSeconds", String(totals.time / 1_000_000_000)),
            StatusLine("Crashes", String(pool.crashes)),
        ]
        for bad in swap.store.bad { lines.append(StatusLine("BadGeneration.\(bad.number)", bad.reason)) }
        for (index, module) in (loaded?.modules ?? []).enumerated() {
            lines.append(StatusLine("Module.\(index)", module))
        }
        for worker in workers {
            let kind = worker.isIsolated ? "isolated" : worker.isDraining ? "ending" : "scanner"
            lines.append(
                StatusLine(
                    "Process.\(worker.pid)",
                    "\(kind) id=\(worker.id) generation=\(worker.loaded.map { String($0.number) } ?? "-") "
                        + "queued=\(worker.statistics.queued) running=\(worker.statistics.running) "
                        + "suspended=\(worker.statistics.suspended) clients=\(worker.statistics.clients)"))
        }
        for agent in agents.summary {
            let places = agent.places.map(\.description).joined(separator: " ")
            for pid in agent.processes {
                lines.append(StatusLine("Process.\(pid)", "agent \(agent.name) \(places)"))
            }
        }
        return lines + counters.lines
    }
}
