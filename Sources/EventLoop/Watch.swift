import CLinux

/// A descriptor in the reactor's epoll set: what it is ready for, who waits for it, what it still has to send.
///
/// Registered once, edge-triggered, for input. Whether there is room for output is only asked for once a write has found
/// none: a Unix socket wakes us each time that its peer has read something.
/// `@unchecked Sendable` because it is confined to the reactor's thread; every path into it comes through
/// `Stream`, `Listener` or the loop, which check that.
final class Watch: @unchecked Sendable {
    let descriptor: Int32
    /// False after the kernel said that there is nothing more, until it announces more.
    var canRead = true
    private(set) var canWrite = true
    /// The peer has closed its side: from here on no new edge may come, so `canRead` stays true.
    private(set) var peerClosed = false
    private(set) var isClosed = false
    let reading: Waiter
    let writing: Waiter
    /// What must be sent as soon as there is room; nil where only readiness is asked.
    var output: OutputQueue?
    /// epoll tells when there is room for output.
    private var watchesRoom = false
    /// Tells registrations of the same descriptor number apart.
    var generation: UInt32 = 0
    private unowned let reactor: Reactor

    init(_ reactor: Reactor, descriptor: Int32) {
        self.reactor = reactor
        self.descriptor = descriptor
        reading = Waiter(reactor)
        writing = Waiter(reactor)
    }

    /// What epoll reported.
    func ready(_ events: UInt32) {
        let broken = events & (CLinux_EVENT_HANGUP | CLinux_EVENT_ERROR) != 0
        if broken || events & (CLinux_EVENT_PEER_CLOSED) != 0 { peerClosed = true }
        if broken || events & (CLinux_EVENT_IN | CLinux_EVENT_PEER_CLOSED) != 0 {
            canRead = true
            reading.wake(.ready)
        }
        if broken || events & CLinux_EVENT_OUT != 0 {
            canWrite = true
            drain()
            if output?.isEmpty ?? true || output?.failure != nil { writing.wake(.ready) }
        }
    }

    /// Sends what the kernel takes at once.
    func drain() {
        guard canWrite, let output, !output.isEmpty else { return }
        if output.drain(descriptor) == .blocked { block() }
    }

    /// A write found no room: from now on the kernel announces it, also what has become free meanwhile.
    func block() {
        canWrite = false
        guard !watchesRoom, !isClosed else { return }
        watchesRoom = true
        reactor.modify(self, events: Self.input | CLinux_EVENT_OUT)
    }

    /// What a connection is registered for.
    static let input = CLinux_EVENT_IN | CLinux_EVENT_PEER_CLOSED

    /// Ends the registration and all waits; the descriptor itself stays open, unless the caller is closing it.
    func retire(closing: Bool = false) {
        guard !isClosed else { return }
        isClosed = true
        reactor.unregister(self, closing: closing)
        reading.wake(.closed)
        writing.wake(.closed)
        reactor.timers.remove(reading)
        reactor.timers.remove(writing)
    }
}
