import AgentKit
import ClamdAgent
import Configuration
import Platform
import Programs

/// The agent for clamd's protocol.
struct ClamdService: AgentService {
    static let section = "clamd"
    /// How long scans under way may take after SIGTERM.
    private static let grace = Duration.seconds(25)

    private let agent: ClamdAgent
    private let listening: [Descriptor]

    init(_ configuration: Configuration, inherited: [Descriptor]?, log: AgentLog) throws(AgentError) {
        let settings = ClamdSettings(configuration)
        Spool.make(
            settings.spoolDirectory, log, otherwise: "streams of more than 1 MiB are answered with an error")
        agent = try ClamdAgent(
            settings, service: DaemonScanning(path: configuration.daemonSocket), events: log.clamdEvents,
            version: Product.version)
        if let inherited { listening = inherited } else { listening = try ClamdAgent.bind(settings) }
        guard !listening.isEmpty else {
            throw AgentError("neither clamd_sock_path nor listen_addr is set in [clamd]: nobody could connect")
        }
    }

    var description: String { "\(listening.count) listening sockets" }
    var remaining: String { "\(agent.counters.load.connections) connections are open" }
    var counters: [String: UInt64] { agent.counters.snapshot }

    func run() throws(AgentError) { try agent.run(listening) }
    func reload(_ configuration: Configuration) { agent.reload(ClamdSettings(configuration)) }
    func stop() { agent.stop(grace: Self.grace) }
}
