import AgentKit
import Configuration
import Glibc
import Logging
import Platform
import Programs
import SMTPAgent
import ScanClient
import ScanProtocol

/// The life of one agent process: start, reload, end.
enum SMTPProgram {
    /// How long messages under way may take after SIGTERM.
    private static let grace = Duration.seconds(60)
    /// How long the next hop may take then to answer for a message that it has: longer than `Timeouts.hopFinal`, and
    /// shorter than the manager waits for an agent.
    private static let finalReply = Duration.seconds(300)
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
        let log = AgentLog(program: "esets_smtp", configuration, inForeground: arguments.has("foreground"))
        for warning in configuration.warnings { log.current.warning("\(warning)") }
        do throws(AgentError) {
            let settings = AgentSettings(configuration)
            makeSpool(settings.spoolDirectory, log)
            let agent = try SMTPAgent(
                settings, scanner: DaemonScanner(path: configuration.daemonSocket), events: log.events,
                hostName: HostName.current, version: Product.version)
            let listening: [Descriptor]
            if let inherited = try InheritedSockets.take(agent: "smtp") {
                listening = inherited
            } else {
                listening = try SMTPAgent.bind(settings)
            }
            let reporter = CounterReporter(path: configuration.daemonSocket, agent: "smtp") { agent.counters.snapshot }
            log.current.info("started: \(describe(settings))")
            Signals.watch(every: reportInterval) { event in
                switch event {
                case .tick: reporter.report()
                case .reload: reload(agent, paths, log)
                case .end:
                    log.current.info("ending: \(agent.sessionCount) sessions are under way")
                    agent.stop(grace: grace, finalReply: finalReply)
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
    private static func reload(_ agent: SMTPAgent, _ paths: Paths, _ log: AgentLog) {
        do throws(ConfigurationError) {
            let configuration = try Configuration.load(paths: paths)
            let settings = AgentSettings(configuration)
            do throws(AgentError) { try agent.reload(settings) } catch {
                return log.current.error("the configuration was not taken: \(error)")
            }
            log.reload(configuration)
            log.current.info("configuration read again: \(describe(settings))")
        } catch {
            log.current.error("the configuration was not taken: \(error)")
        }
    }

    private static func describe(_ settings: AgentSettings) -> String {
        switch settings.role {
        case .filter(let host, let port): "content filter for \(host):\(port)"
        case .transparent: "transparent proxy"
        }
    }

    /// Without it only messages of more than 1 MiB are deferred, so that is no reason not to start.
    private static func makeSpool(_ directory: String, _ log: AgentLog) {
        do throws(SystemError) {
            try Files.makeDirectory(directory, mode: 0o700)
            _ = try checked("access", directory) { access(directory, W_OK | X_OK) }
        } catch {
            log.current.error("spool directory: \(error); messages of more than 1 MiB are deferred")
        }
    }
}

/// What this machine calls itself.
enum HostName {
    static var current: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
