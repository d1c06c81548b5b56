/// Dates of HTTP: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7). The obsolete shapes are not read.
package enum HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Seconds since 1970; nil for anything else.
    package static func seconds(_ text: String) -> Int64? {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 6, words[0].hasSuffix(","), days.contains(String(words[0].dropLast())), words[5] == "GMT",
            let day = number(words[1], 1...31), let month = months.firstIndex(of: words[2]),
            let year = number(words[3], 1970...9999)
        else { return nil }
        let clock = words[4].split(separator: ":").map(String.init)
        guard clock.count == 3, let hour = number(clock[0], 0...23), let minute = number(clock[1], 0...59),
            let second = number(clock[2], 0...60)
        else { return nil }
        return daysSinceEpoch(year, month + 1, day) * 86_400 + hour * 3600 + minute * 60 + second
    }

    /// A time as text.
    package static func text(_ seconds: Int64) -> String {
        let seconds = max(0, seconds)
        let day = seconds / 86_400
        let (year, month, date) = civil(day)
        let rest = seconds % 86_400
        return "\(days[Int(day % 7)]), \(two(date)) \(months[Int(month) - 1]) \(year) "
            + "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)) GMT"
    }

    private static func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }

    private static func number(_ text: String, _ range: ClosedRange<Int64>) -> Int64? {
        guard text.utf8.count <= 4, text.utf8.allSatisfy({ $0 &- 0x30 < 10 }), let value = Int64(text),
            range.contains(value)
        else { return nil }
        return value
    }

    /// Days of the proleptic Gregorian calendar: years begin in March, so that the leap day is the last one.
    private static func daysSinceEpoch(_ year: Int64, _ month: Int, _ day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let monthsSinceMarch = Int64(month > 2 ? month - 3 : month + 9)
        let dayOfYear = (153 * monthsSinceMarch + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
    }

    private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = shifted / 146_097
        let ofEra = shifted % 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthsSinceMarch = (5 * ofYear + 2) / 153
        let month = monthsSinceMarch < 10 ? monthsSinceMarch + 3 : monthsSinceMarch - 9
        return (
            era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, ofYear - (153 * monthsSinceMarch + 2) / 5 + 1
        )
    }
}
