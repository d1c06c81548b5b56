import Bytes
import EventLoop
import SMTP

/// Why a session ends.
enum SessionEnd: Error {
    /// The connection is gone: nothing can be said any more.
    case gone
    /// Say this and hang up.
    case close(Reply)
}

/// One client's session: the server's side towards the client, the client's side towards the next hop, and between
/// them the messages. Runs as one task on one reactor.
///
/// The next hop is connected before the client is greeted, so that its greeting and extensions can be shown; an
/// unreachable one gives 421. It is connected again when it hung up between two messages or during a long scan.
final class Session {
    let number: UInt32
    let shared: AgentShared
    let settings: AgentSettings
    let tls: AgentTLS
    let client: Stream
    let target: Target
    var server: ServerSession
    var hop: NextHop?
    var transaction = Transaction()
    var batch = Batch()
    /// What the client told about the original client, until the transaction ends.
    var xforward = XForward()
    /// Extensions that the client was told of.
    var announced = Extensions()
    var commandDeadline = Deadline.never
    /// When the message under way must have been sent on.
    var latestEnd = Deadline.never
    /// TLS towards the next hop was tried in vain.
    var tlsFailed = false

    init(_ number: UInt32, _ shared: AgentShared, _ current: AgentShared.Current, _ client: Stream, _ target: Target) {
        self.number = number
        self.shared = shared
        settings = current.settings
        tls = current.tls
        self.client = client
        self.target = target
        server = ServerSession(limits: settings.limits, bareNewline: settings.bareNewline)
    }

    /// Serves until the client leaves, an error ends it or the agent stops.
    func run() async {
        var isFarewell = false
        do throws(SessionEnd) {
            try await greet()
            try await serve()
        } catch {
            if case .close(let reply) = error {
                log(.debug, "closing with \(reply.code) \(reply.text)")
                client.write(reply.bytes)
                // After QUIT the client sends nothing (RFC 5321 section 4.1.1.10): its end need not be awaited.
                isFarewell = reply == .bye
            }
        }
        if !(isFarewell && client.closeIfQuiet()) { await client.close(deadline: .seconds(settings.timeouts.quit)) }
        if let hop {
            self.hop = nil
            if mayHandOn, keptHops.keep(hop, target, settings) { return }
            shared.forgetOutgoing(hop.stream)
            await hop.quit()
        }
    }

    /// The connections of earlier sessions.
    var keptHops: HopCache { shared.keptHops(on: client.reactor) }

    /// Whether another session may have the connection to the next hop. Not where each client has a server of its own,
    /// which may know it by its connection.
    private var mayHandOn: Bool {
        guard case .filter = settings.role else { return false }
        return !server.isAuthenticated && !tlsFailed && shared.current.settings === settings
    }

    private func greet() async throws(SessionEnd) {
        let hop: NextHop
        if let kept = keptHops.take(target, settings) {
            hop = kept
        } else {
            do throws(HopError) { hop = try await connect() } catch {
                log(.warning, "\(target.description): \(error)")
                throw .close(.nextHopUnavailable)
            }
        }
        self.hop = hop
        guard hop.greeting.code == 220 else {
            log(.warning, "\(target.description) refuses: \(hop.greeting.code) \(hop.greeting.text)")
            throw .close(hop.greeting.code == 421 ? hop.greeting : .nextHopUnavailable)
        }
        client.write(hop.greeting.bytes)
    }

    private func serve() async throws(SessionEnd) {
        commandDeadline = .seconds(settings.timeouts.command)
        while true {
            guard let event = server.next() else {
                try await flushBatch()
                try await readMore(until: commandDeadline)
                continue
            }
            commandDeadline = .seconds(settings.timeouts.command)
            switch event {
            case .command(.quit):
                try await flushBatch()
                throw .close(.bye)
            case .command(let command): try await obey(command)
            case .rejected(let reply): batch.add(.answer(reply))
            case .close(let reply):
                try await flushBatch()
                throw .close(reply)
            case .response: throw .close(.badSequence)
            }
            if batch.isFull { try await flushBatch() }
        }
    }

    /// Waits for input of the client; an agent that stops ends sessions that are between messages.
    func readMore(until deadline: Deadline) async throws(SessionEnd) {
        // Half a command is no message: a client that stopped there must not hold up the end.
        let isIdle = !server.isInTransaction
        // The end of a TLS handshake may have brought input already.
        if client.input.isEmpty {
            try await withClient { () async throws(StreamError) in
                guard try await client.fill(deadline: deadline, interruptible: isIdle) else {
                    throw StreamError.closed
                }
            }
        }
        server.receive(client.input)
        client.consume(client.input.count)
    }

    /// Does I/O with the client and turns its errors into an end of the session.
    func withClient<T>(_ body: () async throws(StreamError) -> T) async throws(SessionEnd) -> T {
        do throws(StreamError) { return try await body() } catch {
            switch error {
            case .timedOut: throw .close(.timeout)
            case .stopping, .cancelled: throw .close(.shuttingDown)
            default: throw .gone
            }
        }
    }

    private func obey(_ command: Command) async throws(SessionEnd) {
        switch command {
        case .helo(let name), .ehlo(let name): try await hello(name)
        case .mail(let mail): try await begin(mail)
        case .recipient(let recipient): try await add(recipient)
        case .data: try await receiveMessage()
        case .reset: try await reset()
        case .xforward(let attributes):
            xforward.merge(attributes)
            batch.add(.answer(.ok))
        case .startTLS: try await startTLS()
        case .auth(let mechanism, let initial): try await authenticate(mechanism, initial)
        case .noop: batch.add(.answer(.ok))
        case .verify: batch.add(.answer(.cannotVerify))
        case .help: batch.add(.answer(.help))
        case .expand, .bdat, .unknown, .quit: batch.add(.answer(.notImplemented))
        }
    }

    /// The next hop's commands failed: the client hears of it and may come back.
    func hopFailed(_ error: HopError) -> SessionEnd {
        log(.warning, "\(target.description): \(error)")
        dropHop()
        return .close(Reply(421, "4.4.2 Connection to the next hop lost, try again later"))
    }

    /// Closes the connection to the next hop at once.
    func dropHop() {
        guard let hop else { return }
        shared.forgetOutgoing(hop.stream)
        hop.abort()
        self.hop = nil
    }

    func log(_ level: AgentEvents.Level, _ text: @autoclosure () -> String) {
        shared.events.text(level, number, text())
    }

    /// The address of the original client, if it is known.
    var clientAddress: String? {
        if !xforward.isEmpty { return xforward.clientAddress }
        if case .filter = settings.role, client.peer.isThisMachine { return nil }
        return client.peer.host
    }

    /// The name that the original client gave, if it is known.
    var clientHelo: String? {
        if !xforward.isEmpty { return xforward.text(.helo) }
        if case .filter = settings.role, client.peer.isThisMachine { return nil }
        return server.helo.map { String(decoding: $0, as: UTF8.self) }
    }
}
