import Glibc

/// One message, ready but for its time stamp.
struct LogLine: Sendable {
    let priority: Int
    /// `program[pid]: class[id]: text`
    let body: [UInt8]

    /// `<PRI>Mmm dd hh:mm:ss body`: what the local socket of every syslog daemon understands (RFC 3164 §4.1, as
    /// syslog(3) writes it: local time, no host name).
    var syslog: [UInt8] {
        let now = LogLine.time(localtime_r)
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let month = months[max(0, min(11, Int(now.tm_mon)))]
        let day = now.tm_mday < 10 ? " \(now.tm_mday)" : "\(now.tm_mday)"
        let stamp = "<\(priority)>\(month) \(day) \(LogLine.clock(now)) "
        return Array(stamp.utf8) + body
    }

    /// `YYYY-MM-DDThh:mm:ssZ body` and a line end, in UTC.
    var file: [UInt8] {
        let now = LogLine.time(gmtime_r)
        let date = "\(now.tm_year + 1900)-\(LogLine.two(now.tm_mon + 1))-\(LogLine.two(now.tm_mday))"
        return Array("\(date)T\(LogLine.clock(now))Z ".utf8) + body + [0x0A]
    }

    private static func time(
        _ convert: (UnsafePointer<time_t>, UnsafeMutablePointer<tm>) -> UnsafeMutablePointer<tm>?
    ) -> tm {
        var seconds = Glibc.time(nil)
        var parts = tm()
        _ = convert(&seconds, &parts)
        return parts
    }

    private static func clock(_ time: tm) -> String { "\(two(time.tm_hour)):\(two(time.tm_min)):\(two(time.tm_sec))" }

    private static func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
