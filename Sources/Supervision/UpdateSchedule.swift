import Configuration
import Glibc

/// When a task `@update` is due; pure.
struct UpdateSchedule {
    /// Seconds since 1970 when the daemon was started.
    let started: Int64
    /// Civil time of seconds since 1970.
    var civil: (Int64) -> Civil = Civil.local

    struct Civil: Equatable {
        let minute, hour, day, month, year, weekday: Int

        static func local(_ seconds: Int64) -> Civil {
            var time = time_t(seconds)
            var parts = tm()
            localtime_r(&time, &parts)
            return Civil(
                minute: Int(parts.tm_min), hour: Int(parts.tm_hour), day: Int(parts.tm_mday),
                month: Int(parts.tm_mon) + 1, year: Int(parts.tm_year) + 1900, weekday: Int(parts.tm_wday))
        }
    }

    /// How far a missed time of a calendar is looked for, in minutes.
    private static let memory: Int64 = 8 * 1_440

    /// Whether it is due now.
    ///
    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - attempted: when an update was last tried, by whomever; nil: never.
    ///   - isStart: the daemon has just been started.
    func isDue(_ task: ScheduledTask, now: Int64, attempted: Int64?, isStart: Bool) -> Bool {
        guard task.isEnabled, task.command == "@update" else { return false }
        // A time to come is of a clock that was wrong.
        let last = attempted.flatMap { $0 <= now ? $0 : nil }
        if isStart, wasMissed(task, now, last) { return true }
        switch task.when {
        case .every(let minutes):
            let since = max(last ?? .min, started <= now ? started : now - Int64(minutes) * 60)
            return now - since >= Int64(minutes) * 60
        case .calendar(let pattern):
            // Once in a minute that matches.
            return matches(pattern, now) && (last.map { $0 / 60 != now / 60 } ?? true)
        case .event(let event, let minutes):
            guard isStart, event == .start || event == .startonce else { return false }
            return last.map { now - $0 >= Int64(minutes) * 60 } ?? true
        }
    }

    private func wasMissed(_ task: ScheduledTask, _ now: Int64, _ last: Int64?) -> Bool {
        switch task.missed {
        case .wait: return false
        case .runIfOlder(let minutes): return last.map { now - $0 > Int64(minutes) * 60 } ?? true
        case .runNow:
            guard let last else { return true }
            switch task.when {
            case .every(let minutes): return now - last >= Int64(minutes) * 60
            case .calendar(let pattern):
                let earliest = max(last / 60 + 1, now / 60 - Self.memory)
                return earliest <= now / 60 && (earliest...now / 60).contains { matches(pattern, $0 * 60) }
            case .event: return false
            }
        }
    }

    private func matches(_ pattern: CalendarPattern, _ seconds: Int64) -> Bool {
        let time = civil(seconds)
        return pattern.matches(
            minute: time.minute, hour: time.hour, day: time.day, month: time.month, year: time.year,
            weekday: time.weekday)
    }
}
