/// One task of `scheduler_tasks` (guide 7.6).
package struct ScheduledTask: Sendable, Equatable {
    package let id: Int
    package let name: String
    package let isEnabled: Bool
    /// What happens when a run was missed.
    package let missed: Missed
    package let when: When
    /// An absolute path with arguments, or a special command that begins with "@".
    package let command: String

    package enum Missed: Sendable, Equatable {
        /// Wait for the next time.
        case wait
        /// Run as soon as possible.
        case runNow
        /// Run as soon as possible when the last run is older than so many minutes.
        case runIfOlder(minutes: Int)
    }

    package enum When: Sendable, Equatable {
        case calendar(CalendarPattern)
        case every(minutes: Int)
        /// At an event, but at most once in so many minutes (0: always).
        case event(Event, atMostEvery: Int)
    }

    package enum Event: String, Sendable, CaseIterable {
        case start, startonce, engine, login, threat, notscanned, licexp
        /// A generation was refused, or left for an older one.
        case refused
    }

    package struct Problem: Error, Sendable, Equatable {
        package let message: String
    }

    /// Reads "id;name;flags;failstart;datespec;command;…"; an empty text means no tasks.
    package static func parse(_ text: String) -> Result<[ScheduledTask], Problem> {
        var fields = splitFields(text)
        if fields.last?.trimmedASCII == "" { fields.removeLast() }
        guard fields.count.isMultiple(of: 6) else {
            return .failure(Problem(message: "has \(fields.count) fields; every task needs six, with \";\" after each"))
        }
        var tasks: [ScheduledTask] = []
        var ids: Set<Int> = []
        for start in stride(from: 0, to: fields.count, by: 6) {
            switch task(Array(fields[start..<(start + 6)]).map(\.trimmedASCII)) {
            case .failure(let problem): return .failure(problem)
            case .success(let task):
                guard ids.insert(task.id).inserted else {
                    return .failure(Problem(message: "uses the id \(task.id) twice"))
                }
                tasks.append(task)
            }
        }
        return .success(tasks)
    }

    private static func task(_ fields: [String]) -> Result<ScheduledTask, Problem> {
        func wrong(_ text: String) -> Result<ScheduledTask, Problem> {
            .failure(Problem(message: "task \"\(fields[0]);\(fields[1])\": \(text)"))
        }
        guard let id = Values.integer(fields[0], .count) else { return wrong("the id must be a number") }
        guard fields[2].isEmpty || fields[2] == "disabled" else { return wrong("the flags must be empty or disabled") }
        let missed: Missed
        if fields[3].isEmpty {
            missed = .wait
        } else if let minutes = Values.integer(fields[3], .count) {
            missed = minutes == 0 ? .runNow : .runIfOlder(minutes: minutes)
        } else {
            return wrong("failstart must be empty or a number of minutes")
        }
        let when: When
        switch date(fields[4]) {
        case .failure(let problem): return wrong(problem.message)
        case .success(let value): when = value
        }
        guard fields[5].begins(with: "/") || fields[5].begins(with: "@") else {
            return wrong("the command must be an absolute path or begin with \"@\"")
        }
        return .success(
            ScheduledTask(
                id: id, name: fields[1], isEnabled: fields[2].isEmpty, missed: missed, when: when, command: fields[5]))
    }

    private static func date(_ text: String) -> Result<When, Problem> {
        let words = text.split(separator: " ").map(String.init)
        guard let first = words.first else { return .failure(Problem(message: "the date is empty")) }
        if first == "repeat" {
            guard words.count == 2, let minutes = Values.integer(words[1], .count), minutes > 0 else {
                return .failure(Problem(message: "repeat needs a number of minutes, as in \"repeat 60\""))
            }
            return .success(.every(minutes: minutes))
        }
        if let event = Event(rawValue: first) {
            guard words.count <= 2, let minutes = words.count == 2 ? Values.integer(words[1], .count) : 0 else {
                return .failure(Problem(message: "after the event \(first) only a number of minutes may stand"))
            }
            return .success(.event(event, atMostEvery: minutes))
        }
        return CalendarPattern.parse(words).map(When.calendar)
    }

    /// Fields between ";", with `\;` and `\\` replaced. Like every other text of a list, a backslash before any
    /// other character stays.
    private static func splitFields(_ text: String) -> [String] {
        var fields: [String] = []
        var field: [UInt8] = []
        var escaped = false
        for byte in text.utf8 {
            if escaped {
                escaped = false
                if byte != UInt8(ascii: ";") && byte != UInt8(ascii: "\\") { field.append(UInt8(ascii: "\\")) }
                field.append(byte)
            } else if byte == UInt8(ascii: "\\") {
                escaped = true
            } else if byte == UInt8(ascii: ";") {
                fields.append(String(decoding: field, as: UTF8.self))
                field = []
            } else {
                field.append(byte)
            }
        }
        if escaped { field.append(UInt8(ascii: "\\")) }
        return fields + [String(decoding: field, as: UTF8.self)]
    }
}
