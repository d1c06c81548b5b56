package import AgentKit
import EventLoop
import Glibc
package import Platform
import SMTP
import Synchronization

/// The SMTP proxy of one process: reactors in threads of their own. The first accepts all connections, and gives away
/// what the others shall serve.
package final class SMTPAgent: Sendable {
    private let shared: AgentShared
    private let reactors: [Reactor]

    /// - Parameters:
    ///   - settings: `threads` of the first settings counts for the life of the process.
    ///   - scanner: what gives the verdicts.
    ///   - events: where sessions tell what happens.
    ///   - hostName: of this machine, for the marks in messages.
    ///   - version: of the product.
    /// - Throws: when certificates cannot be read or no reactor can be made.
    package convenience init(
        _ settings: AgentSettings, scanner: any MessageScanner, events: AgentEvents, hostName: String, version: String
    ) throws(AgentError) {
        try self.init(settings, scanner: scanner, events: events, hostName: hostName, version: version) {
            $0.originalDestination
        }
    }

    init(
        _ settings: AgentSettings, scanner: any MessageScanner, events: AgentEvents, hostName: String, version: String,
        destination: @escaping AgentShared.Destination
    ) throws(AgentError) {
        shared = AgentShared(
            AgentShared.Current(settings: settings, tls: try AgentTLS(settings)), scanner: scanner, events: events,
            hostName: hostName, version: version, destination: destination)
        var reactors: [Reactor] = []
        do throws(StreamError) {
            for _ in 0..<settings.threads { reactors.append(try Reactor()) }
        } catch {
            throw AgentError(error.description)
        }
        self.reactors = reactors
    }

    /// What was done so far.
    package var counters: Counters { shared.counters }

    /// Sessions under way.
    package var sessionCount: Int { shared.sessionCount }

    /// Takes another configuration: for new sessions at once, while those under way end with the old one.
    package func reload(_ settings: AgentSettings) throws(AgentError) {
        shared.current = AgentShared.Current(settings: settings, tls: try AgentTLS(settings))
    }

    /// Serves until `stop`, and returns when the last session has ended.
    /// - Parameter listening: the listening sockets, inherited or from `bind`.
    /// - Throws: when threads cannot be started.
    package func run(_ listening: [Descriptor]) throws(AgentError) {
        if let first = reactors.first { accept(listening, on: first) }
        do throws(StreamError) { try ReactorThread.run(reactors, "smtp") } catch {
            throw AgentError("cannot start a thread: \(error)")
        }
    }

    /// Ends: accepts no more, closes idle sessions with 421, lets messages under way end, and cuts off
    /// what is still there after the grace. From any thread.
    ///
    /// - Parameter finalReply: how long, in place of the grace, the next hop may take to answer for a message that it has
    ///   already: whoever cut it off would have the client send it again.
    package func stop(grace: Duration, finalReply: Duration? = nil) {
        for reactor in reactors { reactor.stop(deadline: .after(max(grace, finalReply ?? grace))) }
        guard let finalReply, finalReply > grace else { return }
        let thread = try? NativeThread { [shared] in
            let end = Clock.now &+ UInt64(grace.components.seconds) * 1_000_000_000
            while Clock.now < end { usleep(100_000) }
            shared.roll.cutOff()
        }
        thread?.detach()
    }

    private func accept(_ listening: [Descriptor], on reactor: Reactor) {
        let placement = Placement(reactors)
        for descriptor in listening {
            reactor.spawn("accept") { [shared, reactor] in
                do throws(StreamError) {
                    // Other processes of the agent may accept from it, too.
                    let listener = try Listener(reactor, descriptor, shared: true)
                    while let (client, peer) = try await listener.acceptDescriptor() {
                        placement.place(client, from: peer) { serve($0, shared) }
                    }
                } catch {
                    shared.events.text(.error, 0, "cannot accept connections: \(error)")
                }
            }
        }
    }

    /// Opens the listening sockets of the settings: every address of `listen_addr`.
    package static func bind(_ settings: AgentSettings) throws(AgentError) -> [Descriptor] {
        try ListeningSockets.open(host: settings.listenHost, port: settings.listenPort)
    }
}

/// Starts the session of one client.
private func serve(_ client: Stream, _ shared: AgentShared) {
    let peer = client.peer
    switch shared.admit(peer, wanted: { shared.destination(client) ?? client.local }) {
    case .tooMany:
        shared.events.text(.warning, 0, "too many sessions, turned away \(peer)")
        refuse(client, .tooBusy)
    case .loop:
        shared.events.text(.error, 0, "the agent is connected to itself; exempt its connections from the redirection")
        refuse(client, .nextHopUnavailable)
    case .admitted(let number, let current):
        shared.counters.count(.sessions)
        guard let target = Target(current.settings, client, shared.destination) else {
            shared.dismiss(peer)
            shared.events.text(
                .error, number,
                "\(peer) connected directly, and no server_addr is set: only redirected connections can be served")
            refuse(client, .nextHopUnavailable)
            return
        }
        shared.roll.enter(number)
        let task = client.reactor.spawn("session") {
            let session = Session(number, shared, current, client, target)
            await session.run()
            shared.roll.leave(number)
            shared.dismiss(peer)
        }
        shared.roll.note(task, of: number)
    }
}

private func refuse(_ client: Stream, _ reply: Reply) {
    client.reactor.spawn("refusal") {
        client.write(reply.bytes)
        await client.close(deadline: .seconds(5))
    }
}
