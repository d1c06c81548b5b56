import Platform
package import ScanProtocol

/// Why there is no verdict, or why the manager did not do what it was asked.
package struct ScanClientError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// No manager or no scanning process can be reached, or not in time: a temporary failure. Defer.
        case unavailable
        /// The object cannot be read.
        case unreadable
        /// The manager refused; the message says why.
        case refused(Refusal)
        /// The other side does not follow the protocol.
        case conversation
    }
    package let code: Code
    /// What and where, and what to do next; for the log.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: SystemError, path: String) {
        self.init(.unavailable, "\(path): \(error.call): \(error.reason). Is esets_daemon running?")
    }

    init(_ error: WireError) {
        self.init(.conversation, error.description)
    }

    package var description: String { message }
}
