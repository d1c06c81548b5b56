import Configuration
import Glibc
import Logging
import Platform

/// The agents' processes: their listening sockets, their start, their restart.
///
/// An agent inherits its sockets: `ESETS_LISTEN` names them as "smtp:3 smtp:4" (section and descriptor). The manager
/// keeps them open, so that clients find somebody listening while an agent is restarted.
final class AgentSupervisor {
    /// What makes a restart necessary when it changes; everything else an agent reads again on SIGHUP.
    private struct Plan: Equatable {
        let name: String
        let places: [ListeningPlace]
        let processes: Int
        let user: String
        let program: String
    }

    private final class Agent {
        var plan: Plan
        var sockets: [ListeningPlace: [Descriptor]]
        var processes: Set<pid_t> = []
        var backoff = Backoff()
        /// When the last process was started.
        var startedAt: UInt64 = 0
        var restarts = 0
        var isEnding = false

        init(plan: Plan, sockets: [ListeningPlace: [Descriptor]]) {
            self.plan = plan
            self.sockets = sockets
        }
    }

    /// How long agents may take to end: they wait for the reply to a message that the next hop has already.
    static let endTime: UInt64 = 320 * 1_000_000_000
    /// When a host name could not be looked up, it is tried again after this time.
    private static let lookupPause: UInt64 = 30 * 1_000_000_000
    /// An agent that lived so long had started well.
    private static let working: UInt64 = 1_000_000_000

    private let loop: PollLoop
    private let children: ChildWatch
    private let program: ManagerProgram
    private let log: () -> Log
    private var agents: [String: Agent] = [:]
    private let endTime: UInt64
    private var isStopping = false
    /// Counts calls of `apply`: a lookup for an older configuration is of no interest any more.
    private var configurations: UInt64 = 0
    private var lookups = 0
    /// No agent waits for the addresses of its host name.
    var isSettled: Bool { lookups == 0 }
    /// All processes of all agents ended.
    var isEmpty: Bool { agents.values.allSatisfy(\.processes.isEmpty) && ending.isEmpty }
    /// Processes of agents that were replaced or disabled.
    private var ending: Set<pid_t> = []

    /// - Parameter endTime: nanoseconds after which an agent that was told to end is killed.
    init(
        loop: PollLoop, children: ChildWatch, program: ManagerProgram, endTime: UInt64 = AgentSupervisor.endTime,
        log: @escaping () -> Log
    ) {
        self.loop = loop
        self.endTime = endTime
        self.children = children
        self.program = program
        self.log = log
    }

    /// Starts, ends, restarts and tells agents to read their configuration, as the new one wants it.
    func apply(_ configuration: Configuration) {
        let services = Set(Sections.services.sectionNames)
        let wanted = configuration.enabledAgents.filter(services.contains)
        for name in agents.keys.sorted() where !wanted.contains(name) { end(name) }
        configurations += 1
        apply(wanted.map { plan($0, configuration) }, configurations)
    }

    /// Applies plans when the addresses of their hosts are known.
    private func apply(_ plans: [Plan], _ number: UInt64) {
        var names: Set<String> = []
        for plan in plans {
            for case .internet(let host, _) in newPlaces(plan) where !HostLookup.isAddress(host) { names.insert(host) }
        }
        guard !names.isEmpty else {
            for plan in plans { apply(plan, [:]) }
            return
        }
        lookups += 1
        HostLookup.start(names, loop: loop) { [unowned self] answers in
            lookups -= 1
            guard number == configurations, !isStopping else { return }
            let failed = plans.filter { !apply($0, answers) }
            guard !failed.isEmpty else { return }
            loop.after(AgentSupervisor.lookupPause) { [unowned self] in
                if number == configurations && !isStopping { apply(failed, number) }
            }
        }
    }

    /// The places of a plan at which its agent does not listen yet.
    private func newPlaces(_ plan: Plan) -> [ListeningPlace] {
        plan.places.filter { agents[plan.name]?.sockets[$0] == nil }
    }

    /// False when the name of a host was not found, which may be better later.
    @discardableResult
    private func apply(_ plan: Plan, _ answers: [String: HostLookup.Answer]) -> Bool {
        if let agent = agents[plan.name], agent.plan == plan {
            for pid in agent.processes { children.signal(pid, SIGHUP) }
            return true
        }
        var sockets: [ListeningPlace: [Descriptor]] = [:]
        for place in plan.places {
            // A place that stays keeps its socket, and the connections that wait there.
            if let old = agents[plan.name]?.sockets[place] {
                sockets[place] = old
                continue
            }
            var addresses: [String] = []
            if case .internet(let host, _) = place {
                switch answers[host] {
                case .addresses(let known): addresses = known
                case .failure(let reason):
                    log().error(
                        "agent \(plan.name) cannot listen at \(place): the name \(host) was not found: \(reason); "
                            + "use an address in its place")
                    return false
                case nil: addresses = [host]
                }
            }
            do throws(SystemError) {
                sockets[place] = try ListeningSocket.open(place, addresses: addresses)
            } catch {
                log().error("agent \(plan.name) cannot listen at \(place): \(error)")
                return true
            }
        }
        end(plan.name)
        let agent = Agent(plan: plan, sockets: sockets)
        agents[plan.name] = agent
        fill(agent)
        return true
    }

    private func end(_ name: String) {
        guard let agent = agents.removeValue(forKey: name) else { return }
        agent.isEnding = true
        ending.formUnion(agent.processes)
        for pid in agent.processes { children.signal(pid, SIGTERM) }
        let processes = agent.processes
        loop.after(endTime) { [unowned self] in
            for pid in processes.intersection(ending).sorted() {
                log().error("agent \(name) (process \(pid)) does not end; it is killed")
                children.signal(pid, SIGKILL)
            }
        }
    }

    private func fill(_ agent: Agent) {
        guard !agent.isEnding, !isStopping else { return }
        while agent.processes.count + agent.restarts < agent.plan.processes { start(agent) }
    }

    private func start(_ agent: Agent) {
        let plan = agent.plan
        var descriptors: [(child: Int32, parent: Int32)] = []
        var names: [String] = []
        for place in plan.places {
            for socket in agent.sockets[place] ?? [] {
                let number = Int32(3 + descriptors.count)
                descriptors.append((number, socket.raw))
                names.append("\(plan.name):\(number)")
            }
        }
        var environment = program.environment
        environment["ESETS_LISTEN"] = names.joined(separator: " ")
        let arguments = ["esets_daemon", "--launch=\(plan.user)", "--", plan.program] + program.common
        do throws(SystemError) {
            var started: pid_t = 0
            started = try children.start(
                program.path, arguments: arguments, environment: environment, descriptors: descriptors
            ) { [unowned self] end in ended(agent, started, end) }
            agent.processes.insert(started)
            agent.startedAt = Clock.now
            log().info("agent \(plan.name) started (process \(started))")
        } catch {
            log().error("agent \(plan.name) cannot be started: \(error)")
            restart(agent)
        }
    }

    private func ended(_ agent: Agent, _ pid: pid_t, _ end: ProcessEnd) {
        agent.processes.remove(pid)
        if ending.remove(pid) != nil || isStopping {
            log().info("agent \(agent.plan.name) ended (process \(pid)): \(end)")
            return
        }
        log().error("agent \(agent.plan.name) ended unexpectedly (process \(pid)): \(end); it is started again")
        restart(agent)
    }

    /// An agent that worked for a while is started again at once; one that does not even start, more and more slowly.
    private func restart(_ agent: Agent) {
        agent.restarts += 1
        let worked = Clock.now &- agent.startedAt > AgentSupervisor.working
        loop.after(worked ? 0 : agent.backoff.next(now: Clock.now)) { [unowned self] in
            agent.restarts -= 1
            fill(agent)
        }
    }

    /// Ends all agents: they finish the messages that they have.
    func stop() {
        isStopping = true
        for name in agents.keys.sorted() { end(name) }
    }

    /// Name and processes of each agent.
    var summary: [(name: String, processes: [pid_t], places: [ListeningPlace])] {
        agents.values.sorted { $0.plan.name < $1.plan.name }.map {
            ($0.plan.name, $0.processes.sorted(), $0.plan.places)
        }
    }

    // MARK: - Plans

    private func plan(_ name: String, _ configuration: Configuration) -> Plan {
        let settings = configuration.settings(for: name)
        return Plan(
            name: name, places: AgentSupervisor.places(name, settings),
            processes: ["smtp", "smfi", "clamd"].contains(name) ? settings.number("num_proc") : 1,
            user: settings.text("run_as_user"), program: agentProgram(name, configuration.paths))
    }

    /// Where each kind of agent listens.
    static func places(_ name: String, _ settings: Settings) -> [ListeningPlace] {
        switch name {
        case "smtp", "pop3", "imap", "mird", "wwwi":
            return [.internet(host: settings.text("listen_addr"), port: settings.number("listen_port"))]
        case "smfi":
            let endpoint = settings.text("smfi_inet")
            guard let colon = endpoint.lastIndex(of: ":"), let port = Int(endpoint[endpoint.index(after: colon)...])
            else { return [.unix(path: settings.text("smfi_sock_path"))] }
            let host = endpoint[..<colon].filter { $0 != "[" && $0 != "]" }
            return [.internet(host: host == "*" ? "" : host, port: port)]
        case "clamd":
            var places: [ListeningPlace] = []
            let path = settings.text("clamd_sock_path")
            if !path.isEmpty {
                let mode = UInt32(settings.text("clamd_sock_mode"), radix: 8) ?? 0o666
                places.append(.unix(path: path, mode: mode, owner: settings.text("clamd_sock_owner")))
            }
            let host = settings.text("listen_addr")
            if !host.isEmpty { places.append(.internet(host: host, port: settings.number("listen_port"))) }
            return places
        default: return []
        }
    }

    /// Agents lie beside the daemon, or in @LIBDIR@, @SBINDIR@ or @BINDIR@.
    private func agentProgram(_ name: String, _ paths: Paths) -> String {
        let places = [
            Files.parent(of: program.path), paths.libDirectory, paths.sbinDirectory, paths.binDirectory,
        ]
        let candidates = places.map { "\($0)/esets_\(name)" }
        return candidates.first(where: Files.exists) ?? "\(paths.sbinDirectory)/esets_\(name)"
    }
}
