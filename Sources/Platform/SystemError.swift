import Glibc

/// A system call that failed: which one, on what, and why.
package struct SystemError: Error, Sendable, CustomStringConvertible {
    /// The call, e.g. "open".
    package let call: String
    /// What it was about: a path, an address; empty if nothing.
    package let subject: String
    /// errno.
    package let code: Int32

    package init(_ call: String, _ subject: String = "", code: Int32 = errno) {
        self.call = call
        self.subject = subject
        self.code = code
    }

    /// "open /etc/x: No such file or directory"
    package var description: String {
        subject.isEmpty ? "\(call): \(reason)" : "\(call) \(subject): \(reason)"
    }

    /// The system's text for the code.
    package var reason: String { Self.text(of: code) }

    /// The system's text for an errno.
    package static func text(of code: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// Repeats a call that EINTR interrupted, and turns -1 into an error.
package func checked(
    _ call: String, _ subject: @autoclosure () -> String = "", _ body: () -> Int32
) throws(SystemError) -> Int32 {
    while true {
        let result = body()
        if result != -1 { return result }
        let code = errno
        if code != EINTR { throw SystemError(call, subject(), code: code) }
    }
}

/// The same for calls that count bytes.
package func checkedCount(
    _ call: String, _ subject: @autoclosure () -> String = "", _ body: () -> Int
) throws(SystemError) -> Int {
    while true {
        let result = body()
        if result != -1 { return result }
        let code = errno
        if code != EINTR { throw SystemError(call, subject(), code: code) }
    }
}
