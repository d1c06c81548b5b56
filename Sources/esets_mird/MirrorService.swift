import AgentKit
import Configuration
import Logging
import Mirror
import Platform

/// The mirror as an agent.
struct MirrorService: AgentService {
    static let section = "mird"
    /// How long downloads under way may take after SIGTERM.
    private static let grace = Duration.seconds(60)

    private let server: MirrorServer
    let description: String

    init(_ configuration: Configuration, inherited: [Descriptor]?, log: AgentLog) throws(AgentError) {
        let settings = try MirrorSettings(configuration)
        let listening: [Descriptor]
        if let inherited { listening = inherited } else { listening = try MirrorServer.bind(settings) }
        if !Files.exists(settings.directory) {
            log.current.warning("\(settings.directory) does not exist yet: see av_mirror_enabled, and run esets_update")
        }
        server = try MirrorServer(
            settings, listening: listening,
            events: MirrorEvents(warning: { log.current.warning($0) }, debug: { text in log.current.debug(text) }))
        description = "\(listening.count) listening sockets, \(settings.isTLS ? "HTTPS" : "HTTP")"
    }

    var remaining: String { "\(server.connections) connections are open" }
    var counters: [String: UInt64] { server.statistics.snapshot }

    func run() { server.run() }
    func reload(_ configuration: Configuration) throws(AgentError) {
        try server.reload(try MirrorSettings(configuration))
    }
    func stop() { server.stop(grace: Self.grace) }
}
