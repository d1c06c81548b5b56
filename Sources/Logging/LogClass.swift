/// Classes of messages (user guide 7.9).
package enum LogClass: String, Sendable, CaseIterable {
    /// Something failed.
    case error
    /// Something is wrong but work goes on.
    case warning
    /// One line for every scanned object.
    case summall
    /// One line for every scanned object that is not clean.
    case summ
    /// One line for every part of every object.
    case partall
    /// One line for every part that is not clean.
    case part
    /// What happens in normal work.
    case info
    /// What only a developer wants to know.
    case debug

    /// Severity of syslog (RFC 5424 §6.2.1).
    var severity: Int {
        switch self {
        case .error: 3
        case .warning: 4
        case .summall, .summ: 5
        case .partall, .part, .info: 6
        case .debug: 7
        }
    }
}

/// Where messages go (`log_target`).
package enum LogTarget: Sendable, Equatable {
    case syslog
    case stderr
    /// A file that is appended to; one write for each message.
    case file(String)
    /// Nowhere: for tests and for programs that print what they have to say.
    case none
}

/// Facilities of syslog (RFC 5424 §6.2.1, and the names of syslog.conf).
enum SyslogFacility {
    private static let names = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    ]

    /// The code of a name; nil for "none" and unknown names.
    static func code(of name: String) -> Int? {
        if let index = names.firstIndex(of: name) { return index }
        guard name.utf8.count == 6, name.hasPrefix("local"), let number = Int(name.suffix(1)), number < 8 else {
            return nil
        }
        return 16 + number
    }
}
