import Configuration
import Glibc
import Logging
import Platform

/// Runs esets_update for the tasks `@update` of `scheduler_tasks`, one at a time, and puts what it says into the log.
final class UpdateRunner {
    /// Where things are, by the configuration in force.
    struct Settings {
        var tasks: [ScheduledTask]
        /// esets_update.
        var program: String
        /// The file that says when updates were tried.
        var times: String

        init(_ configuration: Configuration) {
            tasks = configuration.global.scheduledTasks
            program = configuration.paths.sbinDirectory + "/esets_update"
            times = configuration.paths.updateStateDirectory + "/data.txt"
        }
    }

    private static let minute: UInt64 = 60 * 1_000_000_000
    /// Bytes of a line that are kept.
    private static let lineLimit = 2_048
    /// What another update that is running ends this one with.
    private static let busy: Int32 = 75

    private let loop: PollLoop
    private let children: ChildWatch
    private let program: ManagerProgram
    private let log: () -> Log
    private let schedule = UpdateSchedule(started: UpdateRunner.now)
    private var running: pid_t?
    var settings: Settings

    init(
        loop: PollLoop, children: ChildWatch, program: ManagerProgram, settings: Settings, log: @escaping () -> Log
    ) {
        self.loop = loop
        self.children = children
        self.program = program
        self.settings = settings
        self.log = log
    }

    private static var now: Int64 { Int64(Clock.realtime / 1_000_000_000) }

    /// Looks at the tasks now and then each minute, for as long as the loop runs.
    func begin() { look(isStart: true) }

    private func look(isStart: Bool) {
        let (now, attempted) = (Self.now, self.attempted)
        if running == nil,
            let task = settings.tasks.first(where: {
                schedule.isDue($0, now: now, attempted: attempted, isStart: isStart)
            })
        {
            start(task)
        }
        // At the beginning of the next minute, so that none is left out.
        let rest = Self.minute - Clock.realtime % Self.minute
        loop.after(rest + 1_000_000) { [unowned self] in look(isStart: false) }
    }

    /// When an update was tried last, by whomever.
    private var attempted: Int64? {
        for line in ((try? Files.text(settings.times, limit: 4_096)) ?? "").split(separator: "\n")
        where line.hasPrefix("LastUpdateAttempt=") {
            return Int64(line.dropFirst("LastUpdateAttempt=".count))
        }
        return nil
    }

    private func start(_ task: ScheduledTask) {
        do throws(SystemError) {
            var ends: [Int32] = [-1, -1]
            _ = try checked("pipe") { pipe(&ends) }
            let (read, write) = (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            _ = fcntl(read.raw, F_SETFL, O_NONBLOCK)
            let quiet = try Descriptor.open("/dev/null", O_RDWR)
            var watch: PollLoop.Token?
            let lines = Lines(limit: Self.lineLimit)
            let take = { [unowned self] in
                lines.read(read) { log().info("task \"\(task.name)\": \($0)") }
            }
            running = try children.start(
                settings.program, arguments: ["esets_update"] + program.common, environment: program.environment,
                descriptors: [(0, quiet.raw), (1, write.raw), (2, write.raw)]
            ) { [unowned self] end in
                take()
                loop.remove(watch)
                running = nil
                ended(task, end)
            }
            watch = loop.watch(read) { [unowned self] events in
                take()
                if events & POLLHUP != 0 { loop.remove(watch) }
            }
        } catch {
            log().error("task \"\(task.name)\" cannot be run: \(error)")
        }
    }

    private func ended(_ task: ScheduledTask, _ end: ProcessEnd) {
        switch end {
        case .exited(0), .exited(Self.busy): break
        default: log().warning("task \"\(task.name)\": esets_update ended with \(end)")
        }
    }

    /// Ends with the daemon.
    func stop() {
        if let running { children.signal(running, SIGTERM) }
    }

    /// Lines of what a program says.
    private final class Lines {
        private let limit: Int
        private var line: [UInt8] = []

        init(limit: Int) {
            self.limit = limit
        }

        func read(_ pipe: Descriptor, _ take: (String) -> Void) {
            var chunk = [UInt8](repeating: 0, count: 4_096)
            while case let count = Glibc.read(pipe.raw, &chunk, chunk.count), count > 0 {
                for byte in chunk[..<count] {
                    if byte == 0x0a {
                        if !line.isEmpty { take(String(decoding: line, as: UTF8.self)) }
                        line = []
                    } else if line.count < limit {
                        line.append(byte)
                    }
                }
            }
        }
    }
}
