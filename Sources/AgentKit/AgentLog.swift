package import Configuration
package import Logging
import Synchronization

/// The log of an agent; a reload makes another one.
package final class AgentLog: Sendable {
    private let program: String
    private let inForeground: Bool
    private let log: Mutex<Log>

    /// - Parameters:
    ///   - program: name of the agent's program, for syslog.
    ///   - configuration: its [global] section says where to log and what.
    ///   - inForeground: log to standard error, whatever the configuration says.
    package init(program: String, _ configuration: Configuration, inForeground: Bool) {
        self.program = program
        self.inForeground = inForeground
        log = Mutex(Self.make(program, configuration, inForeground))
    }

    /// The log as it is configured now.
    package var current: Log { log.withLock { $0 } }

    /// Takes another configuration.
    package func reload(_ configuration: Configuration) {
        let new = Self.make(program, configuration, inForeground)
        log.withLock { $0 = new }
    }

    private static func make(_ program: String, _ configuration: Configuration, _ inForeground: Bool) -> Log {
        let settings = configuration.global
        guard inForeground else { return Log(program: program, settings: settings, paths: configuration.paths) }
        return Log(
            program: program, target: .stderr, facility: settings.text("syslog_facility"),
            classes: Set(settings.list("syslog_class").compactMap(LogClass.init(rawValue:))))
    }
}
