import Glibc
package import Platform

/// Listening sockets that the manager opened and passed on, so that a restart of the agent refuses no connection.
///
/// The variable `ESETS_LISTEN_FDS` holds their number; they are the descriptors from 3 on.
package enum InheritedSockets {
    package static let variable = "ESETS_LISTEN_FDS"
    private static let first: Int32 = 3

    /// Takes them over; nil when the process was started without any. Closed in further children.
    package static func take() throws(AgentError) -> [Descriptor]? {
        guard let value = getenv(variable).map({ String(cString: $0) }) else { return nil }
        unsetenv(variable)
        guard let count = Int32(value), (1...64).contains(count) else {
            throw AgentError("\(variable)=\(value): must be a number from 1 to 64")
        }
        var sockets: [Descriptor] = []
        for raw in first..<(first + count) {
            var isListening: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            guard getsockopt(raw, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size) == 0, isListening == 1 else {
                throw AgentError("\(variable)=\(value): descriptor \(raw) is no listening socket")
            }
            _ = fcntl(raw, F_SETFD, FD_CLOEXEC)
            sockets.append(Descriptor(owning: raw))
        }
        return sockets
    }
}
