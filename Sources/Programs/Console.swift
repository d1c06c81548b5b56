import Glibc

/// Standard output and standard error, unbuffered: what was written is out, also when the process dies.
package enum Console {
    /// Writes to standard output as it is. A reader that has gone ends the process with 74, like any other
    /// failed write.
    package static func write(_ text: String) { write(Array(text.utf8)) }

    /// Writes bytes to standard output as they are.
    package static func write(_ bytes: [UInt8]) {
        if !put(bytes, STDOUT_FILENO) { exit(ExitCode.inputOutput) }
    }

    /// Writes a line to standard output.
    package static func print(_ line: String) { write(line + "\n") }

    /// Writes a line to standard error; whether that works does not matter.
    package static func error(_ line: String) { _ = put(Array((line + "\n").utf8), STDERR_FILENO) }

    /// Whether standard output goes to a person.
    package static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    private static func put(_ bytes: [UInt8], _ descriptor: Int32) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                done += count
            } else if errno == EAGAIN {
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&entry, 1, -1)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
