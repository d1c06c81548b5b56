/// Dates as mail headers write them (RFC 5322 section 3.3), in UTC.
package enum MailDate {
    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// "Sun, 01 Jul 2018 12:00:00 +0000"
    /// - Parameter seconds: since 1970-01-01 00:00 UTC.
    /// - Returns: date and time with zone.
    package static func text(seconds: UInt64) -> String {
        let days = Int(seconds / 86_400)
        let (year, month, day) = civil(days)
        let rest = Int(seconds % 86_400)
        let time = "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))"
        return "\(weekdays[(days + 4) % 7]), \(two(day)) \(months[month - 1]) \(year) \(time) +0000"
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }

    /// Year, month 1…12 and day 1…31 of a count of days since 1970-01-01, in the Gregorian calendar: the year is
    /// taken to begin in March, so that the leap day is its last.
    private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}
