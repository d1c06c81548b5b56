import Glibc
import Synchronization

/// One message, ready but for its time stamp.
struct LogLine: Sendable {
    let priority: Int
    /// `program[pid]: class[id]: text`
    let body: [UInt8]

    /// `<PRI>Mmm dd hh:mm:ss body`: what the local socket of every syslog daemon understands (RFC 3164 §4.1, as
    /// syslog(3) writes it: local time, no host name).
    var syslog: [UInt8] { Array("<\(priority)>".utf8) + LogLine.local.bytes(LogLine.localStamp) + body }

    /// `YYYY-MM-DDThh:mm:ssZ body` and a line end, in UTC.
    var file: [UInt8] {
        var bytes = LogLine.universal.bytes(LogLine.universalStamp)
        bytes.reserveCapacity(bytes.count + body.count + 1)
        bytes += body
        bytes.append(0x0A)
        return bytes
    }

    /// The stamp of the present second: under load many lines have the same.
    private final class Stamp: Sendable {
        private let newest = Mutex<(second: time_t, bytes: [UInt8])>((-1, []))

        func bytes(_ make: (time_t) -> String) -> [UInt8] {
            let second = Glibc.time(nil)
            return newest.withLock { newest in
                if newest.second != second { newest = (second, Array(make(second).utf8)) }
                return newest.bytes
            }
        }
    }

    private static let local = Stamp()
    private static let universal = Stamp()

    private static func localStamp(_ second: time_t) -> String {
        let now = time(second, localtime_r)
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let month = months[max(0, min(11, Int(now.tm_mon)))]
        let day = now.tm_mday < 10 ? " \(now.tm_mday)" : "\(now.tm_mday)"
        return "\(month) \(day) \(clock(now)) "
    }

    private static func universalStamp(_ second: time_t) -> String {
        let now = time(second, gmtime_r)
        return "\(now.tm_year + 1900)-\(two(now.tm_mon + 1))-\(two(now.tm_mday))T\(clock(now))Z "
    }

    private static func time(
        _ second: time_t, _ convert: (UnsafePointer<time_t>, UnsafeMutablePointer<tm>) -> UnsafeMutablePointer<tm>?
    ) -> tm {
        var seconds = second
        var parts = tm()
        _ = convert(&seconds, &parts)
        return parts
    }

    private static func clock(_ time: tm) -> String { "\(two(time.tm_hour)):\(two(time.tm_min)):\(two(time.tm_sec))" }

    private static func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
