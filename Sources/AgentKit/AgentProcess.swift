import Configuration
import Glibc
import Logging
import Platform
package import Programs

/// The life of an agent's process.
package enum AgentProcess {
    /// Seconds between two reports to the manager.
    private static let reportInterval = 10

    /// Serves until SIGTERM or SIGINT; SIGHUP reads the configuration again.
    package static func run<Service: AgentService>(
        _: Service.Type, _ program: Program, _ arguments: Arguments
    ) -> Never {
        signal(SIGPIPE, SIG_IGN)
        // Before any thread is started: all of them leave these to `Signals`.
        Signals.block()
        let paths = Paths(root: arguments.root, configurationFile: arguments.configurationFile)
        let configuration: Configuration
        do throws(ConfigurationError) { configuration = try Configuration.load(paths: paths) } catch {
            program.fail(error.description)
        }
        let log = AgentLog(program: program.name, configuration, inForeground: arguments.has("foreground"))
        for warning in configuration.warnings { log.current.warning("\(warning)") }
        do throws(AgentError) {
            let inherited = try InheritedSockets.take(agent: Service.section)
            let service = try Service(configuration, inherited: inherited, log: log)
            let reporter = CounterReporter(path: configuration.daemonSocket, agent: Service.section) {
                service.counters
            }
            log.current.info("started: \(service.description)")
            Signals.watch(every: reportInterval) { event in
                switch event {
                case .tick: reporter.report()
                case .reload: reload(service, paths, log)
                case .end:
                    log.current.info("ending: \(service.remaining)")
                    service.stop()
                }
            }
            try service.run()
            reporter.report()
            log.current.info("ended")
        } catch {
            log.current.error("\(error)")
            program.fail(error.description)
        }
        exit(ExitCode.success)
    }

    /// A wrong configuration changes nothing: the agent goes on with the one that it has.
    private static func reload(_ service: some AgentService, _ paths: Paths, _ log: AgentLog) {
        do {
            let configuration = try Configuration.load(paths: paths)
            try service.reload(configuration)
            log.reload(configuration)
            log.current.info("configuration read again: \(service.description)")
        } catch {
            log.current.error("the configuration was not taken: \(error)")
        }
    }
}
