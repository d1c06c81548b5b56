import EventLoop

/// The server that one session is for.
enum Target: Sendable, Equatable, CustomStringConvertible {
    case host(String, UInt16)
    case address(SocketAddress)

    var description: String {
        switch self {
        case .host(let name, let port): "\(name):\(port)"
        case .address(let address): address.description
        }
    }

    /// The name or address for TLS.
    var host: String {
        switch self {
        case .host(let name, _): name
        case .address(let address): address.host
        }
    }
}

extension Target {
    /// The server for a client; nil when the agent is a transparent proxy and the client was not redirected, so
    /// that its destination is the agent itself.
    init?(_ settings: AgentSettings, _ client: Stream, _ destination: AgentShared.Destination) {
        switch settings.role {
        case .filter(let host, let port): self = .host(host, port)
        case .transparent:
            guard let destination = destination(client), destination != client.local else { return nil }
            self = .address(destination)
        }
    }
}
