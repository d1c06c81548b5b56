import Glibc
import Logging
import Platform
import ScanProtocol
import ScanTransport

/// The daemon's socket: clients that want to scan, to know or to command.
final class ControlServer {
    /// What the rest of the manager does for clients.
    struct Services {
        let connect: (WorkerPool.Asker, _ alone: Bool, @escaping WorkerPool.ConnectionReply) -> Void
        let fate: (UInt64, @escaping (WorkerFate) -> Void) -> Void
        let keep: (_ isTrusted: Bool, Descriptor, UInt64, String) -> Void
        let offer: (UInt64, @escaping GenerationSwap.Reply) -> Void
        let status: () -> [StatusLine]
        let reload: () -> Result<String, GenerationSwap.Refused>
        let stop: () -> Void
        let count: ([String: UInt64], String) -> Void
    }

    private final class Client {
        let link: PacketLink
        let uid: UInt32
        let isPrivileged: Bool
        let isTrusted: Bool
        var agent: String?
        var watch: PollLoop.Token?
        /// Requests that are not answered yet.
        var open = 0

        init(_ socket: Descriptor, uid: UInt32, isPrivileged: Bool, isTrusted: Bool) {
            link = PacketLink(socket, limit: 65_536)
            self.uid = uid
            self.isPrivileged = isPrivileged
            self.isTrusted = isTrusted
        }

        /// Whether its next request may be read.
        var takesInput: Bool {
            link.waitingBytes < ControlServer.outputLimit && link.waitingDescriptors < ControlServer.connectionLimit
                && (isTrusted || open < ControlServer.openLimit)
        }
    }

    private static let clientLimit = 4_096
    /// Connections of all users who are neither privileged nor run agents: the rest is for agents.
    private static let foreignLimit = 3_072
    /// Unanswered requests of one client of such a user.
    private static let openLimit = 8
    /// Connections of one user who is neither privileged nor runs agents.
    private static let perUser = 256
    /// Replies that may wait for a client that does not read.
    private static let outputLimit = 1 << 20
    /// Connections that may wait for it, likewise: each holds a descriptor of the manager.
    private static let connectionLimit = 8

    private let loop: PollLoop
    private let socket: Descriptor
    private let services: Services
    private let log: () -> Log
    private var clients: [ObjectIdentifier: Client] = [:]
    private var accepting: PollLoop.Token?
    private var lastRefusal: UInt64 = 0
    /// May offer, reload and stop.
    var privileged: Set<UInt32>
    /// Run our own agents: their unnamed files may be mapped.
    var trusted: Set<UInt32>

    init(
        loop: PollLoop, socket: Descriptor, privileged: Set<UInt32>, trusted: Set<UInt32>, services: Services,
        log: @escaping () -> Log
    ) {
        self.loop = loop
        self.socket = socket
        self.privileged = privileged
        self.trusted = trusted
        self.services = services
        self.log = log
        accepting = loop.watch(socket) { [unowned self] _ in accept() }
    }

    /// Takes no new clients.
    func close() {
        loop.remove(accepting)
        accepting = nil
    }

    var count: Int { clients.count }

    private func accept() {
        let raw = Glibc.accept(socket.raw, nil, nil)
        guard raw >= 0 else {
            let failure = SystemError("accept")
            guard ![EAGAIN, EINTR, ECONNABORTED].contains(failure.code) else { return }
            // No descriptors or no memory. The listening socket stays readable: look away for a moment.
            log().error("another client cannot be taken: \(failure)")
            loop.remove(accepting)
            accepting = loop.after(1_000_000_000) { [unowned self] in
                accepting = loop.watch(socket) { [unowned self] _ in accept() }
            }
            return
        }
        let connection = Descriptor(owning: raw)
        _ = fcntl(raw, F_SETFD, FD_CLOEXEC)
        guard let peer = try? UnixSocket.peer(connection) else { return }
        let isPrivileged = peer.uid == 0 || privileged.contains(peer.uid)
        let isTrusted = isPrivileged || trusted.contains(peer.uid)
        guard clients.count < ControlServer.clientLimit, isTrusted || mayConnect(peer.uid) else {
            refused(peer.uid)
            return
        }
        let client = Client(connection, uid: peer.uid, isPrivileged: isPrivileged, isTrusted: isTrusted)
        clients[ObjectIdentifier(client)] = client
        client.watch = loop.watch(
            connection,
            events: { [unowned client] in
                (client.takesInput ? POLLIN : 0) | (client.link.wantsToWrite ? POLLOUT : 0)
            }
        ) { [unowned self, unowned client] events in serve(client, events) }
    }

    private func mayConnect(_ user: UInt32) -> Bool {
        let foreign = clients.values.filter { !$0.isTrusted }
        return foreign.count < ControlServer.foreignLimit
            && foreign.count { $0.uid == user } < ControlServer.perUser
    }

    /// One line a second: whoever connects in a loop must not fill the log.
    private func refused(_ user: UInt32) {
        let now = Clock.now
        guard now &- lastRefusal >= 1_000_000_000 else { return }
        lastRefusal = now
        log().warning("user \(user) has too many connections; another one is refused")
    }

    private func drop(_ client: Client) {
        loop.remove(client.watch)
        clients[ObjectIdentifier(client)] = nil
    }

    private func serve(_ client: Client, _ events: Int32) {
        do throws(PacketLink.Failure) {
            try client.link.flush()
            if events & POLLIN != 0, client.takesInput, let incoming = try client.link.receive() {
                do throws(WireError) {
                    try handle(incoming, of: client)
                } catch {
                    throw PacketLink.Failure.wire(error)
                }
            } else if events & (POLLHUP | POLLERR) != 0 {
                throw .ended
            }
        } catch {
            if case .wire(let error) = error { log().warning("a client of user \(client.uid) was dropped: \(error)") }
            drop(client)
        }
    }

    private func reply(_ reply: ControlReply, to client: Client, _ id: UInt32, descriptor: Descriptor? = nil) {
        guard clients[ObjectIdentifier(client)] != nil else { return }
        client.link.enqueue(reply.message(request: id), descriptor: descriptor)
        do throws(PacketLink.Failure) { try client.link.flush() } catch { drop(client) }
    }

    // MARK: - Requests

    private func handle(_ incoming: PacketLink.Incoming, of client: Client) throws(WireError) {
        let id = incoming.message.request
        let request = try ControlRequest(incoming.message)
        guard let agent = client.agent else {
            guard case .hello(let version, let name) = request else { throw WireError(.outOfOrder, "a first message") }
            return greet(client, version, name, id)
        }
        // Replies may come later: they must not keep a client that is gone.
        client.open += 1
        let later: (ControlReply, Descriptor?) -> Void = { [weak self, weak client] answer, descriptor in
            guard let client else { return }
            client.open -= 1
            self?.reply(answer, to: client, id, descriptor: descriptor)
        }
        switch request {
        case .hello: throw WireError(.outOfOrder, "HELLO")
        case .connect, .connectAlone:
            let asker = WorkerPool.Asker(isTrusted: client.isTrusted, user: client.uid)
            services.connect(asker, request == .connectAlone) { result in
                switch result {
                case .success(let (worker, socket)): later(.channel(worker: worker), socket)
                case .failure(let failure): later(.refused(.unavailable, failure.text), nil)
                }
            }
        case .fate(let worker): services.fate(worker) { later(.fate($0), nil) }
        case .keep(let worker, let name):
            guard let descriptor = incoming.descriptor else { throw WireError(.badValue, "KEEP without a descriptor") }
            services.keep(client.isTrusted, descriptor, worker, name)
            later(.accepted(""), nil)
        case .status: later(.status(services.status()), nil)
        case .counters(let amounts):
            if client.isTrusted { services.count(amounts, agent) }
            later(.accepted(""), nil)
        // The agent that speaks clamd's protocol knows who may send it RELOAD.
        case .reload where client.isTrusted && agent == "clamd": command(request, later)
        case .offer, .reload, .stop:
            guard client.isPrivileged else {
                let text = "user \(client.uid) may not do this; see privileged_users in esets.cfg"
                return later(.refused(.notAllowed, text), nil)
            }
            command(request, later)
        }
    }

    private func greet(_ client: Client, _ version: UInt32, _ name: String, _ id: UInt32) {
        guard version >= 1 else {
            reply(.refused(.version, "version \(scanProtocolVersion) is spoken here"), to: client, id)
            return
        }
        client.agent = name
        let spoken = min(version, scanProtocolVersion)
        reply(.welcome(version: spoken, isPrivileged: client.isPrivileged), to: client, id)
    }

    private func command(_ request: ControlRequest, _ later: @escaping (ControlReply, Descriptor?) -> Void) {
        switch request {
        case .offer(let generation):
            services.offer(generation) { result in
                switch result {
                case .success(let text): later(.accepted(text), nil)
                case .failure(let refused): later(.refused(.failed, refused.text), nil)
                }
            }
        case .reload:
            switch services.reload() {
            case .success(let text): later(.accepted(text), nil)
            case .failure(let refused): later(.refused(.failed, refused.text), nil)
            }
        default:
            later(.accepted("the daemon is ending"), nil)
            services.stop()
        }
    }
}
