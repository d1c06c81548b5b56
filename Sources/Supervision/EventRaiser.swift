import Configuration
import Glibc
import Logging
import Platform

/// The one place where events of the system are raised: a line in the log, and the programs that wait for the event in
/// `scheduler_tasks`. They run as the user of the scanning processes, not as root.
final class EventRaiser {
    /// Programs may take so long, in nanoseconds.
    private static let patience: UInt64 = 60 * 1_000_000_000
    /// Programs at the same time.
    private static let limit = 16

    private let loop: PollLoop
    private let children: ChildWatch
    private let program: ManagerProgram
    private let log: () -> Log
    /// By task: when its program was started last.
    private var lastRuns: [Int: UInt64] = [:]
    private var running: Set<pid_t> = []
    var tasks: [ScheduledTask]
    var user: String

    init(
        loop: PollLoop, children: ChildWatch, program: ManagerProgram, tasks: [ScheduledTask], user: String,
        log: @escaping () -> Log
    ) {
        self.loop = loop
        self.children = children
        self.program = program
        self.tasks = tasks
        self.user = user
        self.log = log
    }

    /// Tells that something happened.
    ///
    /// - Parameters:
    ///   - name: what it happened to, e.g. "generation 12"; the second argument of programs, and ESETS_NAME.
    ///   - info: a sentence; ESETS_INFO.
    func raise(_ event: ScheduledTask.Event, name: String, info: String) {
        log().info("event \(event.rawValue): \(name): \(info)")
        for task in tasks where task.isEnabled {
            guard case .event(event, let minutes) = task.when, task.command.hasPrefix("/") else { continue }
            let now = Clock.now
            if let last = lastRuns[task.id], now &- last < UInt64(minutes) &* 60_000_000_000 { continue }
            lastRuns[task.id] = now
            start(task, event, name, info)
        }
    }

    private func start(_ task: ScheduledTask, _ event: ScheduledTask.Event, _ name: String, _ info: String) {
        guard running.count < EventRaiser.limit else {
            return log().error("task \"\(task.name)\" is not run: \(running.count) programs of events still run")
        }
        let words = task.command.split(separator: " ").map(String.init)
        var environment = program.environment
        environment["ESETS_EVENT"] = event.rawValue
        environment["ESETS_NAME"] = name
        environment["ESETS_INFO"] = info
        do throws(SystemError) {
            var started: pid_t = 0
            var timer: PollLoop.Token?
            started = try children.start(
                program.path, arguments: ["esets_daemon", "--launch=\(user)", "--"] + words + [event.rawValue, name],
                environment: environment, descriptors: []
            ) { [unowned self] end in
                loop.remove(timer)
                running.remove(started)
                if end != .exited(0) { log().warning("task \"\(task.name)\": \(words[0]) ended with \(end)") }
            }
            running.insert(started)
            timer = loop.after(EventRaiser.patience) { [unowned self] in children.signal(started, SIGKILL) }
        } catch {
            log().error("task \"\(task.name)\" cannot be run: \(error)")
        }
    }
}
