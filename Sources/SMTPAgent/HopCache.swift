import EventLoop

/// Connections to the next hop whose sessions are over, kept for the next sessions on the same reactor: many clients
/// make a connection for each message, and connecting costs more than relaying.
///
/// A kept connection that died is found out by the first command on it, before anything of a message was sent, and
/// that command is repeated on a new connection. A next hop whose kept connections die again and again gets
/// a new one for each session for a while.
///
/// `@unchecked Sendable`: confined to the reactor's thread.
final class HopCache: @unchecked Sendable {
    private struct Entry {
        let hop: NextHop
        let target: Target
        let settings: AgentSettings
        let expiry: Deadline
    }

    private let reactor: Reactor
    private let forget: @Sendable (Stream) -> Void
    /// The newest last.
    private var idle: [Entry] = []
    private var isSweeping = false
    /// Kept connections that were found dead, since one was found alive.
    private var deaths = 0
    private var pausedUntil = Deadline(nanoseconds: 0)

    /// Idle connections at a time: each of them occupies a process of many mail servers.
    private static let most = 16
    private static let tolerated = 3
    /// Seconds.
    private static let pause = 300

    /// - Parameter forget: called with each connection that is closed here.
    init(_ reactor: Reactor, forget: @escaping @Sendable (Stream) -> Void) {
        self.reactor = reactor
        self.forget = forget
    }

    /// A connection for a new session, if there is one that seems to be alive.
    func take(_ target: Target, _ settings: AgentSettings) -> NextHop? {
        while let index = idle.lastIndex(where: { $0.target == target && $0.settings === settings }) {
            let hop = idle.remove(at: index).hop
            if hop.isReusable {
                hop.reuse()
                return hop
            }
            end(hop)
        }
        return nil
    }

    /// Keeps the connection of a session that is over.
    /// - Returns: false when it is not kept; it stays with the caller then.
    func keep(_ hop: NextHop, _ target: Target, _ settings: AgentSettings) -> Bool {
        guard settings.timeouts.keepHop > 0, hop.isReusable, idle.count < Self.most, !reactor.isStopping,
            pausedUntil.hasPassed
        else { return false }
        if hop.hasProvenReusable { deaths = 0 }
        idle.append(
            Entry(hop: hop, target: target, settings: settings, expiry: .seconds(settings.timeouts.keepHop)))
        if !isSweeping {
            isSweeping = true
            reactor.spawn("kept next hops") { await self.sweep() }
        }
        return true
    }

    /// A kept connection turned out to be dead.
    func foundDead() {
        deaths += 1
        if deaths >= Self.tolerated { pausedUntil = .seconds(Self.pause) }
    }

    /// Closes what nobody wanted in time; everything when the reactor stops.
    private func sweep() async {
        defer { isSweeping = false }
        while let first = idle.first {
            do throws(StreamError) {
                try await reactor.sleep(until: first.expiry, interruptible: true)
            } catch {
                for entry in idle { end(entry.hop) }
                idle = []
                return
            }
            while let first = idle.first, first.expiry.hasPassed {
                idle.removeFirst()
                end(first.hop)
            }
        }
    }

    private func end(_ hop: NextHop) {
        forget(hop.stream)
        reactor.spawn("farewell") { await hop.quit() }
    }
}
