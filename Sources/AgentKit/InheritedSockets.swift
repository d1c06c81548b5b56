import Glibc
package import Platform

/// Listening sockets that the manager opened and passed on, so that a restart of the agent refuses no connection.
///
/// The variable `ESETS_LISTEN` names them as "smtp:3 smtp:4": section of the agent and descriptor.
package enum InheritedSockets {
    package static let variable = "ESETS_LISTEN"

    /// Takes those of the agent over; nil when the process was started without any. They are closed in
    /// further children.
    package static func take(agent: String) throws(AgentError) -> [Descriptor]? {
        guard let value = getenv(variable).map({ String(cString: $0) }) else { return nil }
        unsetenv(variable)
        guard let numbers = descriptors(value, agent: agent) else {
            throw AgentError("\(variable)=\"\(value)\": must be like \"\(agent):3 \(agent):4\"")
        }
        var sockets: [Descriptor] = []
        for number in numbers {
            var isListening: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            guard getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &size) == 0, isListening == 1 else {
                throw AgentError("\(variable)=\"\(value)\": descriptor \(number) is no listening socket")
            }
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
            sockets.append(Descriptor(owning: number))
        }
        return sockets
    }

    /// The descriptors of one agent; nil when the value breaks the form, names one twice or none for the agent.
    static func descriptors(_ value: String, agent: String) -> [Int32]? {
        var numbers: [Int32] = []
        for word in value.split(separator: " ") {
            let parts = word.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let number = Int32(parts[1]), (3...1023).contains(number),
                !numbers.contains(number)
            else { return nil }
            if parts[0] == agent { numbers.append(number) }
        }
        return numbers.isEmpty ? nil : numbers
    }
}
