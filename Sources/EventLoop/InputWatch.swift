import CLinux

/// Tells again and again when a foreign descriptor has something to read or is at its end.
///
/// Read until the descriptor has nothing more before each `wait`: only what comes after that is reported.
/// `@unchecked Sendable`: confined to the reactor's thread.
package final class InputWatch: @unchecked Sendable {
    private let reactor: Reactor
    private let watch: Watch

    init(_ reactor: Reactor, _ descriptor: Int32) throws(StreamError) {
        self.reactor = reactor
        watch = Watch(reactor, descriptor: descriptor)
        watch.canRead = false
        try reactor.register(watch, events: CLinux_EVENT_IN | CLinux_EVENT_PEER_CLOSED)
    }

    deinit {
        guard !watch.isClosed else { return }
        precondition(reactor.isOnLoop || reactor.hasEnded, "an InputWatch was left open")
        if !reactor.hasEnded { watch.retire() }
    }

    /// Waits until something has come since the last wait. Throws `.timedOut`, `.cancelled`, `.closed`, and `.stopping`
    /// when interruptible.
    package func wait(deadline: Deadline, interruptible: Bool = false) async throws(StreamError) {
        if watch.isClosed { throw .closed }
        if !watch.canRead {
            try await watch.reading.wait(until: deadline, interruptible: interruptible).check()
        }
        watch.canRead = false
    }

    /// Ends the watch; a waiting task gets `.closed`. The descriptor stays open.
    package func close() { watch.retire() }
}
