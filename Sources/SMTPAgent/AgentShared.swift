import EventLoop
import SMTP
import Synchronization

/// What all sessions of one agent process share.
final class AgentShared: Sendable {
    /// One load of the configuration.
    struct Current: Sendable {
        let settings: AgentSettings
        let tls: AgentTLS
    }

    private struct State {
        var current: Current
        var sessions = 0
        var perClient: [String: Int] = [:]
        var outgoing = OutgoingConnections()
        var lastSession: UInt32 = 0
    }

    let scanner: any MessageScanner
    let events: AgentEvents
    let counters = Counters()
    let roll = SessionRoll()
    /// For the marks in messages.
    let hostName: String
    let version: String
    /// Where a redirected client wanted to go; what the kernel says, except in tests.
    let destination: Destination
    private let state: Mutex<State>
    private let kept = Mutex<[ObjectIdentifier: HopCache]>([:])

    typealias Destination = @Sendable (Stream) -> SocketAddress?

    init(
        _ current: Current, scanner: any MessageScanner, events: AgentEvents, hostName: String, version: String,
        destination: @escaping Destination
    ) {
        self.destination = destination
        self.scanner = scanner
        self.events = events
        self.hostName = hostName
        self.version = version
        state = Mutex(State(current: current))
    }

    var current: Current {
        get { state.withLock { $0.current } }
        set { state.withLock { $0.current = newValue } }
    }

    /// What became of a new connection.
    enum Admission {
        case admitted(UInt32, Current)
        case tooMany
        /// It comes from one of our own connections to a next hop.
        case loop
    }

    /// Counts a new session in, if there is room.
    /// - Parameter wanted: where the client wanted to go before it was redirected; otherwise our own address.
    func admit(_ peer: SocketAddress, wanted: () -> SocketAddress) -> Admission {
        state.withLock { state in
            if state.outgoing.isLoop(from: peer, wanted: wanted) { return .loop }
            let settings = state.current.settings
            guard state.sessions < settings.maximumSessions else { return .tooMany }
            if !peer.isThisMachine {
                guard state.perClient[peer.host, default: 0] < settings.maximumSessionsPerClient else {
                    return .tooMany
                }
                state.perClient[peer.host, default: 0] += 1
            }
            state.sessions += 1
            state.lastSession &+= 1
            return .admitted(state.lastSession, state.current)
        }
    }

    /// Counts a session out.
    func dismiss(_ peer: SocketAddress) {
        state.withLock { state in
            state.sessions -= 1
            guard !peer.isThisMachine, let count = state.perClient[peer.host] else { return }
            state.perClient[peer.host] = count > 1 ? count - 1 : nil
        }
    }

    /// Number of sessions under way.
    var sessionCount: Int { state.withLock { $0.sessions } }

    /// Remembers a connection to a next hop.
    /// - Returns: false when that next hop is our own listening socket.
    func noteOutgoing(_ stream: Stream, listenedOn: SocketAddress) -> Bool {
        guard stream.peer != listenedOn else { return false }
        let local = stream.local
        state.withLock { $0.outgoing.add(from: local, to: stream.peer) }
        return true
    }

    /// The connections that were kept on this reactor.
    func keptHops(on reactor: Reactor) -> HopCache {
        kept.withLock { known in
            if let cache = known[ObjectIdentifier(reactor)] { return cache }
            let cache = HopCache(reactor) { [unowned self] in forgetOutgoing($0) }
            known[ObjectIdentifier(reactor)] = cache
            return cache
        }
    }

    func forgetOutgoing(_ stream: Stream) {
        let local = stream.local
        state.withLock { $0.outgoing.remove(from: local, to: stream.peer) }
    }
}

extension SocketAddress {
    /// A loopback address or a Unix socket.
    var isThisMachine: Bool {
        if isLocal { return true }
        let octets = octets
        return octets.count == 4 ? octets[0] == 127 : octets == [UInt8](repeating: 0, count: 15) + [1]
    }
}
