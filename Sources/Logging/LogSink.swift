import Glibc
import Platform
import Synchronization

/// The open end of a log.
///
/// syslog(3) is not used: it takes one lock for the whole process and blocks while the daemon's queue is full,
/// which would hold mail up. Here a message waits at most `patience`, and once one was lost no other waits until
/// the reader reads again.
final class LogSink: Sendable {
    private struct State {
        var descriptor: Descriptor?
        /// Messages lost since the last one that was written.
        var lost = 0
    }

    /// Milliseconds.
    private static let patience: Int32 = 20

    private let target: LogTarget
    private let syslogSocket: String
    private let state = Mutex(State())

    init(target: LogTarget, syslogSocket: String) {
        self.target = target
        self.syslogSocket = syslogSocket
    }

    /// The next message opens the target again.
    func reopen() { state.withLock { $0.descriptor = nil } }

    /// Writes a message; before it, if some were lost, the line that `notice` makes of their number.
    func write(_ line: LogLine, notice: (Int) -> LogLine) {
        if target == .none { return }
        let lost = state.withLock { $0.lost }
        if lost > 0 {
            guard put(notice(lost), patience: 0) else {
                state.withLock { $0.lost += 1 }
                return
            }
            state.withLock { $0.lost -= lost }
        }
        if !put(line, patience: LogSink.patience) { state.withLock { $0.lost += 1 } }
    }

    private func put(_ line: LogLine, patience: Int32) -> Bool {
        switch target {
        case .syslog: putSyslog(line, patience)
        case .stderr: putStandardError(line, patience)
        case .file(let path): putFile(line, path)
        case .none: true
        }
    }

    private func current(_ open: () -> Descriptor?) -> Descriptor? {
        state.withLock { state in
            if state.descriptor == nil { state.descriptor = open() }
            return state.descriptor
        }
    }

    // MARK: syslog

    private func putSyslog(_ line: LogLine, _ patience: Int32) -> Bool {
        let bytes = line.syslog
        // A daemon that was restarted made a new socket: connect again, once.
        for _ in 0..<2 {
            guard let socket = current({ LogSink.connect(syslogSocket) }) else { break }
            switch LogSink.send(socket, bytes, patience) {
            case 0: return true
            case EAGAIN, ENOBUFS: return false
            default: reopen()
            }
        }
        // Nobody listens (a container without syslog): standard error is better than silence.
        return putStandardError(line, patience)
    }

    /// 0, or errno.
    private static func send(_ socket: Descriptor, _ bytes: [UInt8], _ patience: Int32) -> Int32 {
        var waited = false
        while true {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    socket.raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count >= 0 { return 0 }
            let code = errno
            if code == EINTR { continue }
            guard code == EAGAIN || code == ENOBUFS, !waited, patience > 0 else { return code }
            waited = true
            var entry = pollfd(fd: socket.raw, events: Int16(POLLOUT), revents: 0)
            _ = poll(&entry, 1, patience)
        }
    }

    private static func connect(_ path: String) -> Descriptor? {
        let raw = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { return nil }
        let socket = Descriptor(owning: raw)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(raw, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return result == 0 ? socket : nil
    }

    // MARK: Standard error and files

    private func putStandardError(_ line: LogLine, _ patience: Int32) -> Bool {
        var entry = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        guard poll(&entry, 1, patience) > 0 else { return false }
        return LogSink.append(STDERR_FILENO, line.file)
    }

    private func putFile(_ line: LogLine, _ path: String) -> Bool {
        let file = current {
            try? Descriptor.open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY, mode: 0o640)
        }
        guard let file else { return false }
        return LogSink.append(file.raw, line.file)
    }

    /// One write, so that lines of several processes do not mix.
    private static func append(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
        while true {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 { return true }
            if errno != EINTR { return false }
        }
    }
}
