/// Six cron-like fields: minute, hour, day of the month, month, year, day of the week (0 = Sunday).
package struct CalendarPattern: Sendable, Equatable {
    /// One field: ranges with a step, or anything.
    package struct Field: Sendable, Equatable {
        struct Part: Sendable, Equatable {
            let range: ClosedRange<Int>
            let step: Int
        }
        let parts: [Part]
        /// "*" alone.
        package let isAny: Bool

        package func contains(_ value: Int) -> Bool {
            parts.contains { $0.range.contains(value) && (value - $0.range.lowerBound).isMultiple(of: $0.step) }
        }
    }

    package let minute: Field
    package let hour: Field
    package let dayOfMonth: Field
    package let month: Field
    package let year: Field
    package let weekday: Field

    /// Whether a time in local civil time matches. As in cron, with both days given one of them is enough.
    package func matches(minute: Int, hour: Int, day: Int, month: Int, year: Int, weekday: Int) -> Bool {
        guard self.minute.contains(minute), self.hour.contains(hour), self.month.contains(month),
            self.year.contains(year)
        else { return false }
        let byDay = dayOfMonth.contains(day)
        let byWeekday = self.weekday.contains(weekday)
        return dayOfMonth.isAny || self.weekday.isAny ? byDay && byWeekday : byDay || byWeekday
    }

    static func parse(_ words: [String]) -> Result<CalendarPattern, ScheduledTask.Problem> {
        let ranges: [(name: String, range: ClosedRange<Int>)] = [
            ("minute", 0...59), ("hour", 0...23), ("day of the month", 1...31), ("month", 1...12),
            ("year", 1970...9999), ("day of the week", 0...7),
        ]
        guard words.count == ranges.count else {
            let events = Values.enumeration(ScheduledTask.Event.allCases.map(\.rawValue))
            return .failure(
                .init(
                    message: "the date must be six fields (minute hour day month year weekday), \"repeat MINUTES\", "
                        + "or an event: \(events)"))
        }
        var fields: [Field] = []
        for (word, limit) in zip(words, ranges) {
            guard let field = field(word, limit.range) else {
                return .failure(
                    .init(
                        message: "\"\(word)\" is no \(limit.name): \"*\", or numbers from \(limit.range.lowerBound) to "
                            + "\(limit.range.upperBound), also as 1-5, 1,3 and */2"))
            }
            fields.append(field)
        }
        return .success(
            CalendarPattern(
                minute: fields[0], hour: fields[1], dayOfMonth: fields[2], month: fields[3], year: fields[4],
                weekday: sundayIsZero(fields[5])))
    }

    private static func field(_ word: String, _ limit: ClosedRange<Int>) -> Field? {
        var parts: [Field.Part] = []
        for item in word.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = item.split(separator: "/", omittingEmptySubsequences: false)
            guard halves.count <= 2 else { return nil }
            var step = 1
            if halves.count == 2 {
                guard let value = Values.integer(String(halves[1]), .count), value > 0 else { return nil }
                step = value
            }
            guard let range = range(String(halves[0]), limit, open: halves.count == 2) else { return nil }
            parts.append(.init(range: range, step: step))
        }
        return parts.isEmpty ? nil : Field(parts: parts, isAny: word == "*")
    }

    /// "*", "5", "1-5"; "5" before a step means from 5 on.
    private static func range(_ text: String, _ limit: ClosedRange<Int>, open: Bool) -> ClosedRange<Int>? {
        if text == "*" { return limit }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map {
            Values.integer(String($0), .count)
        }
        guard let first = ends.first ?? nil, limit.contains(first) else { return nil }
        if ends.count == 1 { return first...(open ? limit.upperBound : first) }
        guard ends.count == 2, let last = ends[1], limit.contains(last), first <= last else { return nil }
        return first...last
    }

    /// 7 is Sunday too.
    private static func sundayIsZero(_ field: Field) -> Field {
        guard !field.isAny, field.contains(7) else { return field }
        return Field(parts: field.parts + [.init(range: 0...0, step: 1)], isAny: false)
    }
}
