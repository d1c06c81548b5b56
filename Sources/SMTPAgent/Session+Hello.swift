import Bytes
import EventLoop
import SMTP

// Connecting, greeting, TLS and authentication.
extension Session {
    /// A new connection to the next hop, up to its greeting.
    func connect() async throws(HopError) -> NextHop {
        let timeouts = settings.timeouts
        let stream: Stream
        do throws(StreamError) {
            let deadline = Deadline.seconds(timeouts.connect)
            switch target {
            case .host(let name, let port):
                stream = try await Stream.connect(client.reactor, host: name, port: port, deadline: deadline)
            case .address(let address):
                stream = try await Stream.connect(client.reactor, to: address, deadline: deadline)
            }
        } catch {
            throw .unreachable(error.description)
        }
        guard shared.noteOutgoing(stream, listenedOn: client.local) else {
            stream.abort()
            throw .unreachable("the next hop is this agent itself; see server_addr and the redirecting rule")
        }
        let hop = NextHop(stream, timeouts)
        do throws(HopError) {
            _ = try await hop.awaitGreeting()
        } catch {
            shared.forgetOutgoing(stream)
            stream.abort()
            throw error
        }
        return hop
    }

    /// Says hello to the next hop, with TLS where it is configured.
    func sayHello(_ hop: NextHop, _ name: [UInt8]) async throws(HopError) -> Reply {
        let reply = try await hop.hello(name)
        guard reply.isPositive, settings.hopTLS != .no, !tlsFailed, !hop.stream.isEncrypted else { return reply }
        guard hop.extensions.has("STARTTLS") else {
            if settings.hopTLS == .encrypt { throw .insecure("the server does not offer STARTTLS") }
            return reply
        }
        let answer = try await hop.command(Array("STARTTLS\r\n".utf8), within: settings.timeouts.hopCommand)
        guard answer.code == 220 else {
            if settings.hopTLS == .encrypt { throw .insecure("STARTTLS: \(answer.code) \(answer.text)") }
            return reply
        }
        try hop.forgetClearText()
        do throws(StreamError) {
            try await tls.connect(hop.stream, to: target, deadline: .seconds(settings.timeouts.tls))
        } catch {
            throw .insecure(error.description)
        }
        return try await hop.hello(name)
    }

    /// EHLO or HELO.
    func hello(_ name: [UInt8]) async throws(SessionEnd) {
        try await flushBatch()
        endTransaction()
        let reply: Reply
        let hop: NextHop
        do throws(HopError) { (hop, reply) = try await greetHop(name) } catch { throw hopFailed(error) }
        guard reply.isPositive else {
            batch.add(.answer(reply))
            return
        }
        // A kept connection is as likely to have died as one between two messages.
        hop.isUsed = hop.isReused
        announced = hop.extensions
        server.offer = offer(for: hop)
        let greeting = reply.lines[0]
        batch.add(
            .answer(
                server.isExtended
                    ? server.offer.reply(greeting: greeting, nextHop: hop.extensions)
                    : Reply(code: 250, lines: [greeting])))
    }

    private func offer(for hop: NextHop) -> Offer {
        var offer = Offer()
        offer.maximumSize = settings.maximumSize
        offer.startTLS = tls.hasCertificate && !client.isEncrypted
        switch settings.role {
        case .filter:
            // The mail server has authenticated its clients itself. Only this machine may say who a client is.
            offer.xforward = client.peer.isThisMachine || client.peer.host == client.local.host
        case .transparent:
            // Relayed where both connections are equally protected: credentials must not come to lie in clear text
            // on one of them because of us.
            if client.isEncrypted == hop.stream.isEncrypted { offer.mechanisms = hop.extensions.relayableMechanisms }
        }
        return offer
    }

    /// The next hop, connected anew when it was lost between two messages.
    /// - Parameter name: said to a new connection.
    /// - Returns: a connection that has said hello.
    /// - Throws: when there is none to be had that does what the client was told.
    func currentHop(saying name: [UInt8]) async throws(HopError) -> NextHop {
        if let hop { return hop }
        // A new connection knows nothing of the client's credentials.
        if server.isAuthenticated { throw .lost("authenticated connection") }
        let (fresh, reply) = try await greetHop(name)
        guard reply.isPositive else { throw .lost("\(reply.code) \(reply.text)") }
        // The client goes on using what it was told.
        for keyword in ["8BITMIME", "SMTPUTF8", "DSN"] where announced.has(keyword) && !fresh.extensions.has(keyword) {
            throw .lost("the server offers \(keyword) no more")
        }
        return fresh
    }

    /// Says hello on the present connection, or on a new one.
    private func greetHop(_ name: [UInt8]) async throws(HopError) -> (NextHop, Reply) {
        do throws(HopError) {
            if let hop, hop.isReused {
                if let known = hop.knownHello(name) { return (hop, known) }
                do throws(HopError) {
                    let reply = try await sayHello(hop, name)
                    if reply.code != 421 { return (hop, reply) }
                } catch .lost {
                    // It died while it was kept.
                }
                dropHop()
                keptHops.foundDead()
            }
            let hop = try await connectedHop()
            return (hop, try await sayHello(hop, name))
        } catch .insecure(let reason) where settings.hopTLS == .may {
            // Better unencrypted than not at all (RFC 7435), and never again in this session.
            log(.warning, "\(target.description): no TLS: \(reason)")
            tlsFailed = true
            dropHop()
            let hop = try await connectedHop()
            return (hop, try await sayHello(hop, name))
        }
    }

    private func connectedHop() async throws(HopError) -> NextHop {
        if let hop { return hop }
        let fresh = try await connect()
        hop = fresh
        guard fresh.greeting.code == 220 else { throw .lost("\(fresh.greeting.code) \(fresh.greeting.text)") }
        return fresh
    }

    func startTLS() async throws(SessionEnd) {
        try await flushBatch()
        guard server.beginTLS() else { throw .close(.injection) }
        client.write(Reply.readyForTLS.bytes)
        let deadline = Deadline.seconds(settings.timeouts.tls)
        try await withClient { () async throws(StreamError) in try await tls.accept(client, deadline: deadline) }
        endTransaction()
    }

    /// Relays the exchange as it is, line by line.
    func authenticate(_ mechanism: [UInt8], _ initial: [UInt8]?) async throws(SessionEnd) {
        try await flushBatch()
        var line = Array("AUTH ".utf8) + mechanism
        if let initial { line += [0x20] + initial }
        while true {
            let reply: Reply
            do throws(HopError) {
                let hop = try await currentHop(saying: server.helo ?? [])
                reply = try await hop.command(line + [0x0D, 0x0A], within: settings.timeouts.hopCommand)
            } catch {
                throw hopFailed(error)
            }
            client.write(reply.bytes)
            if reply.code == 235 { server.authenticated() }
            guard reply.code == 334 else {
                if reply.isPermanent { server.countError() }
                return
            }
            server.expectResponse()
            guard let response = try await nextResponse() else { return }
            line = response
        }
    }

    /// The client's next line of the exchange; nil when it was refused, which ends the exchange at the next hop.
    private func nextResponse() async throws(SessionEnd) -> [UInt8]? {
        let deadline = Deadline.seconds(settings.timeouts.command)
        while true {
            switch server.next() {
            case .response(let line): return line
            case .close(let reply): throw .close(reply)
            case .rejected(let reply):
                do throws(HopError) {
                    _ = try await hop?.command(Array("*\r\n".utf8), within: settings.timeouts.hopCommand)
                } catch {
                    throw hopFailed(error)
                }
                client.write(reply.bytes)
                return nil
            case .command: throw .close(.badSequence)
            case nil: try await readMore(until: deadline)
            }
        }
    }
}
