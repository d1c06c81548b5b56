package import Bytes

/// Dates of HTTP (RFC 9110 §5.6.7), to the second.
package enum HTTPDate {
    private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    /// 31 December 9999, 23:59:59: years have four digits.
    private static let last: Int64 = 253_402_300_799

    /// "Sun, 06 Nov 1994 08:49:37 GMT" for seconds since 1970; what lies outside the years 1970 to 9999 becomes the
    /// nearest moment inside.
    package static func text(_ seconds: Int64) -> String {
        let seconds = min(max(0, seconds), last)
        let (year, month, day) = civil(days: seconds / 86_400)
        let weekday = days[Int((seconds / 86_400 + 4) % 7)]
        return "\(weekday), \(two(day)) \(months[month - 1]) \(year) \(time(seconds)) GMT"
    }

    /// "08:49:37" of a moment.
    static func time(_ seconds: Int64) -> String {
        let second = Int(seconds % 86_400)
        return "\(two(second / 3_600)):\(two(second / 60 % 60)):\(two(second % 60))"
    }

    static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }

    /// Reads an IMF-fixdate, an RFC 850 date or an asctime date as seconds since 1970; nil for anything else. The name of
    /// the weekday is not looked at.
    ///
    /// - Parameter now: seconds since 1970: the two digits of an RFC 850 year mean a year at most 50 ahead of it.
    package static func seconds(_ text: ByteView, now: Int64) -> Int64? {
        let text = trimmed(text)
        guard text.count <= 40 else { return nil }
        var words = text.buffer.split(whereSeparator: { $0 == 0x20 || $0 == 0x2C || $0 == 0x2D }).map(Array.init)
        guard words.count >= 5 else { return nil }
        words.removeFirst()
        if words.count == 4, let month = month(words[0]) {
            // asctime: Nov  6 08:49:37 1994
            guard words[3].count == 4 else { return nil }
            return moment(words[3], month, words[1], words[2])
        }
        guard words.count == 5, words[4] == Array("GMT".utf8), let month = month(words[1]) else { return nil }
        if words[2].count == 4 { return moment(words[2], month, words[0], words[3]) }
        guard words[2].count == 2, let short = number(words[2], 2) else { return nil }
        let (current, _, _) = civil(days: min(max(0, now), last) / 86_400)
        var year = current / 100 * 100 + short
        if year > current + 50 { year -= 100 }
        return moment(year, month, words[0], words[3])
    }

    /// Reads "2026-11-21T16:00:00Z", as TUF metadata has it.
    package static func seconds(iso text: ByteView) -> Int64? {
        guard text.count == 20, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"), text[10] | 0x20 == 0x74,
            text[19] | 0x20 == 0x7A, let month = number(text.slice(5, 7).array, 2), (1...12).contains(month)
        else { return nil }
        return moment(text.slice(0, 4).array, month, text.slice(8, 10).array, text.slice(11, 19).array)
    }

    private static func month(_ word: [UInt8]) -> Int? {
        months.firstIndex { $0.utf8.elementsEqual(word) }.map { $0 + 1 }
    }

    private static func number(_ digits: [UInt8], _ atMost: Int) -> Int? {
        guard !digits.isEmpty, digits.count <= atMost, digits.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 &- 0x30) }
    }

    private static func moment(_ year: [UInt8], _ month: Int, _ day: [UInt8], _ time: [UInt8]) -> Int64? {
        number(year, 4).flatMap { moment($0, month, day, time) }
    }

    private static func moment(_ year: Int, _ month: Int, _ day: [UInt8], _ time: [UInt8]) -> Int64? {
        let parts = time.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map(Array.init)
        guard parts.count == 3, let day = number(day, 2), (1...31).contains(day), (1970...9999).contains(year),
            let hour = number(parts[0], 2), hour < 24, let minute = number(parts[1], 2), minute < 60,
            let second = number(parts[2], 2), second <= 60
        else { return nil }
        let days = HTTPDate.days(year, month, day)
        // The 31st of a month that has none.
        guard civil(days: days).month == month else { return nil }
        return days * 86_400 + Int64(hour * 3_600 + minute * 60 + min(second, 59))
    }

    /// Days since 1970 of a date of the Gregorian calendar; years count from March, so that leap days come last.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let century = shifted / 400
        let inCentury = shifted % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return Int64(century * 146_097 + inCentury * 365 + inCentury / 4 - inCentury / 100 + dayOfYear - 719_468)
    }

    static func civil(days: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = Int(days) + 719_468
        let century = shifted / 146_097
        let inCentury = shifted % 146_097
        let year = (inCentury - inCentury / 1_460 + inCentury / 36_524 - inCentury / 146_096) / 365
        let dayOfYear = inCentury - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let isNextYear = month >= 10
        return (
            year + century * 400 + (isNextYear ? 1 : 0), isNextYear ? month - 9 : month + 3,
            dayOfYear - (153 * month + 2) / 5 + 1
        )
    }
}
