import Glibc
import Platform

/// Why an operation on a stream, a listener or the reactor ended without its result.
package enum StreamError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The deadline passed first.
    case timedOut
    /// The stream was closed on this side, or ended before the wanted bytes had come.
    case closed
    /// The peer reset the connection, or no longer takes what is sent.
    case reset
    /// The task was cancelled.
    case cancelled
    /// The reactor is stopping and the operation had been declared interruptible.
    case stopping
    /// More bytes wait to be consumed than the stream may hold.
    case overflow
    /// A name that cannot be resolved: the host, and the resolver's reason.
    case unresolved(host: String, reason: String)
    /// TLS failed; the reason as the TLS library tells it.
    case security(String)
    /// A system call failed: errno and the name of the call.
    case system(Int32, call: String)

    /// The error of a failed system call, given as a negative errno.
    package init(failure: Int, call: String) {
        let code = Int32(clamping: -failure)
        switch code {
        case ECONNRESET, EPIPE: self = .reset
        default: self = .system(code, call: call)
        }
    }

    package var description: String {
        switch self {
        case .timedOut: "timed out"
        case .closed: "connection closed"
        case .reset: "connection reset by peer"
        case .cancelled: "cancelled"
        case .stopping: "stopping"
        case .overflow: "too much unread input"
        case .unresolved(let host, let reason): "cannot resolve \(host): \(reason)"
        case .security(let reason): "TLS: \(reason)"
        case .system(let code, let call): SystemError(call, code: code).description
        }
    }
}
