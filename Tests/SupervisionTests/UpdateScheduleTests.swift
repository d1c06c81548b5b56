import Configuration
import Glibc
import Platform
import Testing

@testable import Supervision

@Suite("The task @update") struct UpdateScheduleTests {
    private static let start: Int64 = 1_795_000_000
    private let schedule: UpdateSchedule = {
        var schedule = UpdateSchedule(started: start)
        // As in UTC, whatever the machine's zone is.
        schedule.civil = { seconds in
            var time = time_t(seconds)
            var parts = tm()
            gmtime_r(&time, &parts)
            return .init(
                minute: Int(parts.tm_min), hour: Int(parts.tm_hour), day: Int(parts.tm_mday),
                month: Int(parts.tm_mon) + 1, year: Int(parts.tm_year) + 1900, weekday: Int(parts.tm_wday))
        }
        return schedule
    }()

    private func task(_ date: String, failstart: String = "", flags: String = "", command: String = "@update")
        throws -> ScheduledTask
    {
        try #require(ScheduledTask.parse("64;Update;\(flags);\(failstart);\(date);\(command);").get().first)
    }

    private func isDue(
        _ task: ScheduledTask, after seconds: Int64, attempted: Int64? = nil, isStart: Bool = false
    ) -> Bool {
        schedule.isDue(
            task, now: Self.start + seconds, attempted: attempted.map { Self.start + $0 }, isStart: isStart)
    }

    @Test("repeat counts from the last attempt, or from the daemon's start") func every() throws {
        let hourly = try task("repeat 60")
        #expect(!isDue(hourly, after: 0, isStart: true))
        #expect(!isDue(hourly, after: 3_599))
        #expect(isDue(hourly, after: 3_600))
        #expect(!isDue(hourly, after: 3_600, attempted: 100))
        #expect(isDue(hourly, after: 3_700, attempted: 100))
        // Tried before the daemon was started: a daemon that is started again and again does not ask each time.
        #expect(!isDue(hourly, after: 0, attempted: -7_200, isStart: true))
        // A clock that was wrong when it was tried.
        #expect(isDue(hourly, after: 3_600, attempted: 900_000_000))
    }

    @Test("what was missed while the daemon was down is made up for when the task says so") func missed() throws {
        #expect(isDue(try task("repeat 60", failstart: "0"), after: 0, isStart: true))
        #expect(isDue(try task("repeat 60", failstart: "0"), after: 0, attempted: -3_600, isStart: true))
        #expect(!isDue(try task("repeat 60", failstart: "0"), after: 0, attempted: -3_000, isStart: true))
        #expect(isDue(try task("repeat 60", failstart: "30"), after: 0, attempted: -1_900, isStart: true))
        #expect(!isDue(try task("repeat 60", failstart: "30"), after: 0, attempted: -1_700, isStart: true))
        // It is 11:06:40.
        let nightly = try task("0 11 * * * *", failstart: "0")
        #expect(isDue(nightly, after: 0, attempted: -3_600, isStart: true))
        #expect(!isDue(nightly, after: 0, attempted: -200, isStart: true))
        #expect(!isDue(try task("0 11 * * * *"), after: 0, attempted: -3_600, isStart: true))
    }

    @Test("a calendar's minute counts once") func calendar() throws {
        let task = try task("10 11 * * * *")
        #expect(!isDue(task, after: 0))
        #expect(isDue(task, after: 200))
        #expect(!isDue(task, after: 201, attempted: 200))
        #expect(!isDue(task, after: 260))
    }

    @Test("events: only the daemon's start") func events() throws {
        #expect(isDue(try task("start"), after: 0, attempted: -1, isStart: true))
        #expect(!isDue(try task("start"), after: 60))
        #expect(!isDue(try task("start 10"), after: 0, attempted: -500, isStart: true))
        #expect(!isDue(try task("engine"), after: 0, isStart: true))
    }

    @Test("other tasks, and those that are off, are none of it") func others() throws {
        #expect(!isDue(try task("repeat 1", flags: "disabled"), after: 9_999))
        #expect(!isDue(try task("repeat 1", command: "@logs"), after: 9_999))
        #expect(!isDue(try task("repeat 1", command: "/bin/true"), after: 9_999))
    }

    @Test("the daemon runs esets_update, and logs what it says") func run() throws {
        let script = "#!/bin/sh\necho \"arguments $*\"\necho a complaint >&2\nexit 1\n"
        let manager = try RunningManager(
            "scheduler_tasks = \"64;Regular;;0;repeat 60;@update;65;Off;disabled;0;repeat 60;@update;\"\n",
            prepare: { root in
                let program = "\(root)/opt/eset/esets/sbin/esets_update"
                try Files.makeDirectory(Files.parent(of: program))
                try Files.replace(program, with: Array(script.utf8))
                chmod(program, 0o755)
            })
        try manager.wait("the update") { _ in manager.log.contains("esets_update ended with exit status 1") }
        #expect(manager.log.contains("task \"Regular\": arguments --root=\(manager.root)"), "\(manager.log)")
        #expect(manager.log.contains("task \"Regular\": a complaint"), "\(manager.log)")
        #expect(!manager.log.contains("task \"Off\""))
        try manager.stop()
    }
}
