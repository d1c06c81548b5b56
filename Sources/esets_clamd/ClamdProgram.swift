import AgentKit
import ClamdAgent
import Configuration
import Glibc
import Logging
import Platform
import Programs

/// The life of one agent process: start, reload, end.
enum ClamdProgram {
    /// How long scans under way may take after SIGTERM.
    private static let grace = Duration.seconds(25)
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
        let log = AgentLog(program: "esets_clamd", configuration, inForeground: arguments.has("foreground"))
        for warning in configuration.warnings { log.current.warning("\(warning)") }
        do throws(AgentError) {
            let settings = ClamdSettings(configuration)
            makeSpool(settings.spoolDirectory, log)
            let agent = try ClamdAgent(
                settings, service: DaemonScanning(path: configuration.daemonSocket), events: log.clamdEvents,
                version: Product.version)
            let listening: [Descriptor]
            if let inherited = try InheritedSockets.take(agent: "clamd") {
                listening = inherited
            } else {
                listening = try ClamdAgent.bind(settings)
            }
            guard !listening.isEmpty else {
                throw AgentError("neither clamd_sock_path nor listen_addr is set in [clamd]: nobody could connect")
            }
            let reporter = CounterReporter(path: configuration.daemonSocket, agent: "clamd") {
                agent.counters.snapshot
            }
            log.current.info("started: \(listening.count) listening sockets")
            Signals.watch(every: reportInterval) { event in
                switch event {
                case .tick: reporter.report()
                case .reload: reload(agent, paths, log)
                case .end:
                    log.current.info("ending: \(agent.counters.load.connections) connections are open")
                    agent.stop(grace: grace)
                }
            }
            try agent.run(listening)
            reporter.report()
            log.current.info("ended")
        } catch {
            log.current.error("\(error)")
            program.fail(error.description)
        }
        exit(ExitCode.success)
    }

    /// A wrong configuration changes nothing: the agent goes on with the one that it has.
    private static func reload(_ agent: ClamdAgent, _ paths: Paths, _ log: AgentLog) {
        do throws(ConfigurationError) {
            let configuration = try Configuration.load(paths: paths)
            agent.reload(ClamdSettings(configuration))
            log.reload(configuration)
            log.current.info("configuration read again")
        } catch {
            log.current.error("the configuration was not taken: \(error)")
        }
    }

    /// Without it only streams of more than 1 MiB cannot be scanned, so that is no reason not to start.
    private static func makeSpool(_ directory: String, _ log: AgentLog) {
        do throws(SystemError) {
            try Files.makeDirectory(directory, mode: 0o700)
            _ = try checked("access", directory) { access(directory, W_OK | X_OK) }
        } catch {
            log.current.error("spool directory: \(error); streams of more than 1 MiB are answered with an error")
        }
    }
}
