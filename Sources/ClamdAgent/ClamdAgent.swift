package import AgentKit
import EventLoop
package import Platform

/// The agent of one process: reactors in threads of their own, all of which accept from the same listening sockets.
package final class ClamdAgent: Sendable {
    private let shared: AgentShared
    private let reactors: [Reactor]

    /// - Parameters:
    ///   - settings: `threads` of the first settings counts for the life of the process.
    ///   - service: what gives the verdicts.
    ///   - events: where connections tell what happens.
    ///   - version: of the product.
    /// - Throws: when no reactor can be made.
    package init(
        _ settings: ClamdSettings, service: any ObjectScanning, events: ClamdEvents, version: String
    ) throws(AgentError) {
        shared = AgentShared(
            settings, service: service, events: events, counters: ClamdCounters(), productVersion: version)
        var reactors: [Reactor] = []
        do throws(StreamError) {
            for _ in 0..<settings.threads { reactors.append(try Reactor()) }
        } catch {
            throw AgentError(error.description)
        }
        self.reactors = reactors
    }

    /// What was done so far.
    package var counters: ClamdCounters { shared.counters }

    /// Takes another configuration: for new connections.
    package func reload(_ settings: ClamdSettings) { shared.settings = settings }

    /// Serves until `stop`, and returns when the last connection has ended.
    /// - Parameter listening: the listening sockets, inherited or from `bind`.
    /// - Throws: when threads cannot be started.
    package func run(_ listening: [Descriptor]) throws(AgentError) {
        for reactor in reactors { accept(listening, on: reactor) }
        do throws(StreamError) { try ReactorThread.run(reactors, "clamd") } catch {
            throw AgentError("cannot start a thread: \(error)")
        }
    }

    /// Ends: accepts no more, closes idle connections, lets scans under way end, and cuts off what is still there
    /// after the grace. From any thread.
    package func stop(grace: Duration) {
        for reactor in reactors { reactor.stop(deadline: .after(grace)) }
    }

    private func accept(_ listening: [Descriptor], on reactor: Reactor) {
        let isShared = reactors.count > 1
        reactor.spawn("accept") { [shared, reactor] in
            let lane = Lane(reactor, shared.settings)
            for descriptor in listening {
                reactor.spawn("accept") { await serve(descriptor, isShared, lane, shared) }
            }
        }
    }

    /// Opens the listening sockets of the settings, for an agent that nobody passed any.
    package static func bind(_ settings: ClamdSettings) throws(AgentError) -> [Descriptor] {
        var sockets: [Descriptor] = []
        if !settings.socketPath.isEmpty {
            guard let address = SocketAddress(path: settings.socketPath) else {
                throw AgentError("clamd_sock_path = \"\(settings.socketPath)\": too long for a socket")
            }
            do throws(StreamError) { sockets.append(try Listener.open(address)) } catch {
                throw AgentError("cannot listen on \(address): \(error)")
            }
        }
        guard !settings.listenHost.isEmpty else { return sockets }
        sockets += try ListeningSockets.open(host: settings.listenHost, port: settings.listenPort)
        return sockets
    }
}

/// Accepts connections of one socket while there is room; further ones wait in the socket.
private func serve(_ descriptor: Descriptor, _ isShared: Bool, _ lane: Lane, _ shared: AgentShared) async {
    do throws(StreamError) {
        var listener = try Listener(lane.reactor, descriptor, shared: isShared)
        while true {
            if lane.connections.isFull {
                // Another reactor may have room: this one must not be woken for new connections.
                listener.close()
                try await lane.connections.enter(deadline: .never, interruptible: true)
                listener = try Listener(lane.reactor, descriptor, shared: isShared)
            } else {
                try await lane.connections.enter(deadline: .never, interruptible: true)
            }
            guard let client = try await listener.accept() else {
                lane.connections.leave()
                return
            }
            lane.reactor.spawn("connection") {
                shared.counters.connections(1)
                await Session(client, lane, shared).run()
                shared.counters.connections(-1)
                lane.connections.leave()
            }
        }
    } catch .stopping {
    } catch {
        shared.events.text(.error, 0, "cannot accept connections: \(error)")
    }
}
