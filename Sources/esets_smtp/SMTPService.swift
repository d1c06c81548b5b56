import AgentKit
import Configuration
import Platform
import Programs
import SMTPAgent
import Synchronization

/// The SMTP agent.
final class SMTPService: AgentService {
    static let section = "smtp"
    /// How long messages under way may take after SIGTERM.
    private static let grace = Duration.seconds(60)
    /// How long the next hop may take then to answer for a message that it has: longer than `Timeouts.hopFinal`, and
    /// shorter than the manager waits for an agent.
    private static let finalReply = Duration.seconds(300)

    private let agent: SMTPAgent
    private let listening: [Descriptor]
    private let role: Mutex<AgentSettings.Role>

    init(_ configuration: Configuration, inherited: [Descriptor]?, log: AgentLog) throws(AgentError) {
        let settings = AgentSettings(configuration)
        Spool.make(settings.spoolDirectory, log, otherwise: "messages of more than 1 MiB are deferred")
        agent = try SMTPAgent(
            settings, scanner: DaemonScanner(path: configuration.daemonSocket), events: log.events,
            hostName: Host.name, version: Product.version)
        if let inherited { listening = inherited } else { listening = try SMTPAgent.bind(settings) }
        role = Mutex(settings.role)
    }

    var description: String {
        switch role.withLock({ $0 }) {
        case .filter(let host, let port): "content filter for \(host):\(port)"
        case .transparent: "transparent proxy"
        }
    }
    var remaining: String { "\(agent.sessionCount) sessions are under way" }
    var counters: [String: UInt64] { agent.counters.snapshot }

    func run() throws(AgentError) { try agent.run(listening) }
    func reload(_ configuration: Configuration) throws(AgentError) {
        let settings = AgentSettings(configuration)
        try agent.reload(settings)
        role.withLock { $0 = settings.role }
    }
    func stop() { agent.stop(grace: Self.grace, finalReply: Self.finalReply) }
}
