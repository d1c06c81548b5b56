import AgentKit
import Configuration
import Glibc
import Logging
import Mirror
import Platform
import Programs

/// The life of one agent process: start, reload, end.
enum MirrorProgram {
    /// How long downloads under way may take after SIGTERM.
    private static let grace = Duration.seconds(60)
    /// Seconds between two reports to the manager.
    private static let reportInterval = 10

    static func run(_ program: Program, _ arguments: Arguments) -> Never {
        signal(SIGPIPE, SIG_IGN)
        // Before any thread is started: all of them leave these to `Signals`.
        Signals.block()
        let paths = Paths(root: arguments.root, configurationFile: arguments.configurationFile)
        let configuration: Configuration
        do throws(ConfigurationError) { configuration = try Configuration.load(paths: paths) } catch {
            program.fail(error.description)
        }
        let log = AgentLog(program: "esets_mird", configuration, inForeground: arguments.has("foreground"))
        for warning in configuration.warnings { log.current.warning("\(warning)") }
        do throws(AgentError) {
            let settings = try MirrorSettings(configuration)
            let listening: [Descriptor]
            if let inherited = try InheritedSockets.take(agent: "mird") {
                listening = inherited
            } else {
                listening = try MirrorServer.bind(settings)
            }
            if !Files.exists(settings.directory) {
                log.current.warning(
                    "\(settings.directory) does not exist yet: see av_mirror_enabled, and run esets_update")
            }
            let server = try MirrorServer(
                settings, listening: listening,
                events: MirrorEvents(
                    warning: { log.current.warning($0) }, debug: { text in log.current.debug(text) }))
            let reporter = CounterReporter(path: configuration.daemonSocket, agent: "mird") {
                server.statistics.snapshot
            }
            log.current.info("started: \(listening.count) listening sockets, \(settings.isTLS ? "HTTPS" : "HTTP")")
            Signals.watch(every: reportInterval) { event in
                switch event {
                case .tick: reporter.report()
                case .reload: reload(server, paths, log)
                case .end:
                    log.current.info("ending: \(server.connections) connections are open")
                    server.stop(grace: grace)
                }
            }
            server.run()
            reporter.report()
            log.current.info("ended")
        } catch {
            log.current.error("\(error)")
            program.fail(error.description)
        }
        exit(ExitCode.success)
    }

    /// A wrong configuration changes nothing: the agent goes on with the one that it has.
    private static func reload(_ server: MirrorServer, _ paths: Paths, _ log: AgentLog) {
        do {
            let configuration = try Configuration.load(paths: paths)
            try server.reload(try MirrorSettings(configuration))
            log.reload(configuration)
            log.current.info("configuration read again")
        } catch {
            log.current.error("the configuration was not taken: \(error)")
        }
    }
}
