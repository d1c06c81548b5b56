package import Configuration
import Glibc
import Platform
import Synchronization

/// The log of one process. Safe from every thread; never waits longer than a few milliseconds for a reader that
/// does not read, but counts what is lost and says so as soon as it can.
package final class Log: Sendable {
    private let program: String
    private let target: LogTarget
    private let facility: Int?
    private let classes: Set<LogClass>
    private let sink: LogSink

    /// - Parameters:
    ///   - program: name of the program, as it stands before the process id.
    ///   - target: where messages go.
    ///   - facility: name of a syslog facility; "none" writes nothing to syslog.
    ///   - classes: what is written; nothing else costs more than a look-up.
    ///   - syslogSocket: where the syslog daemon listens.
    package init(
        program: String, target: LogTarget, facility: String = "daemon",
        classes: Set<LogClass> = [.error, .warning, .summall], syslogSocket: String = "/dev/log"
    ) {
        self.program = program
        self.target = target
        self.facility = SyslogFacility.code(of: facility)
        self.classes = classes
        sink = LogSink(target: target, syslogSocket: syslogSocket)
    }

    /// The log that `log_target`, `syslog_facility` and `syslog_class` describe.
    package convenience init(program: String, settings: Settings, paths: Paths) {
        // Below a root a syslog socket is used only if somebody put one there.
        let relocated = paths.relocate("/dev/log")
        self.init(
            program: program, target: Log.target(settings.text("log_target"), paths),
            facility: settings.text("syslog_facility"),
            classes: Set(settings.list("syslog_class").compactMap(LogClass.init(rawValue:))),
            syslogSocket: Files.exists(relocated) ? relocated : "/dev/log")
    }

    private static func target(_ text: String, _ paths: Paths) -> LogTarget {
        switch text {
        case "syslog": .syslog
        case "stderr": .stderr
        default: .file(paths.resolve(String(text.dropFirst("file:".count))))
        }
    }

    /// Whether anything of the class is written: to save the making of a costly message.
    package func writes(_ kind: LogClass) -> Bool { classes.contains(kind) }

    /// Something failed; `id` is the session, nil for none.
    package func error(_ message: @autoclosure () -> String, id: UInt32? = nil) { write(.error, id, message) }

    /// Something is wrong but work goes on.
    package func warning(_ message: @autoclosure () -> String, id: UInt32? = nil) { write(.warning, id, message) }

    /// What happens in normal work.
    package func info(_ message: @autoclosure () -> String, id: UInt32? = nil) { write(.info, id, message) }

    /// What only a developer wants to know.
    package func debug(_ message: @autoclosure () -> String, id: UInt32? = nil) { write(.debug, id, message) }

    /// The result for a whole object: class summ if it is notable, else summall. A notable object is written when
    /// either of the two is on: "all" includes it.
    package func summary(_ record: ScanRecord) { write(record, .summ, .summall) }

    /// The result for one part of an object, in the same way with part and partall.
    package func part(_ record: ScanRecord) { write(record, .part, .partall) }

    /// Closes and opens the file or the socket again: after log rotation.
    package func reopen() { sink.reopen() }

    private func write(_ record: ScanRecord, _ notable: LogClass, _ all: LogClass) {
        guard classes.contains(all) || record.isNotable && classes.contains(notable) else { return }
        send(record.isNotable ? notable : all, record.id) { record.write(to: &$0) }
    }

    private func write(_ kind: LogClass, _ id: UInt32?, _ message: () -> String) {
        guard classes.contains(kind) else { return }
        send(kind, id ?? Log.threadID) { LogText.append(message(), to: &$0) }
    }

    /// Tells threads apart. A hash, because the thread's address is nobody's business.
    private static var threadID: UInt32 {
        var hasher = Hasher()
        hasher.combine(UInt(pthread_self()))
        return UInt32(truncatingIfNeeded: hasher.finalize())
    }

    private func send(_ kind: LogClass, _ id: UInt32, _ text: (inout [UInt8]) -> Void) {
        if target == .syslog && facility == nil { return }
        sink.write(line(kind, id, text)) {
            let notice = "\($0) messages were lost: the log did not take them"
            return self.line(.warning, id) { $0 += notice.utf8 }
        }
    }

    /// One message in the form that the target wants. Made of bytes: there is one for each message of the mail.
    private func line(_ kind: LogClass, _ id: UInt32, _ text: (inout [UInt8]) -> Void) -> LogLine {
        var body: [UInt8] = []
        body.reserveCapacity(512)
        body += program.utf8
        body.append(UInt8(ascii: "["))
        body += String(getpid()).utf8
        body += "]: ".utf8
        body += kind.rawValue.utf8
        body.append(UInt8(ascii: "["))
        for shift in stride(from: 28, through: 0, by: -4) { body.append(LogText.hexadecimalDigit(id >> shift)) }
        body += "]: ".utf8
        text(&body)
        LogText.cut(&body)
        return LogLine(priority: (facility ?? 3) << 3 | kind.severity, body: body)
    }
}
