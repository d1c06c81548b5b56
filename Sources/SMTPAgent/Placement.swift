import EventLoop

/// Which reactor serves a new connection: the first that has time for it.
///
/// As few threads as can do the work do it: a thread that finds several sockets ready at each turn spends less on
/// waking up than several threads that find one each.
struct Placement: Sendable {
    private let reactors: [Reactor]

    /// Percent of a processor above which a thread gets no further sessions while another has time.
    private static let busy = 60
    /// Sessions that a thread may have more than twice those of the idlest: idle ones may all become busy.
    private static let spread = 32

    init(_ reactors: [Reactor]) {
        self.reactors = reactors
    }

    /// Makes a stream of a new connection on the chosen reactor, and serves it there. Called on the first one's thread.
    func place(_ descriptor: Int32, from peer: SocketAddress, _ serve: @escaping @Sendable (Stream) -> Void) {
        guard let reactor = chosen else { return }
        let begin: @Sendable () -> Void = {
            // Fails when the kernel has no room for another epoll entry: the connection is closed.
            if let stream = try? Stream(reactor, adopting: descriptor, peer: peer) { serve(stream) }
        }
        if reactor.isOnLoop { begin() } else { reactor.submit(begin) }
    }

    private var chosen: Reactor? {
        guard reactors.count > 1 else { return reactors.first }
        let fewest = reactors.map(\.taskCount).min() ?? 0
        let free = reactors.first { $0.load < Self.busy && $0.taskCount <= 2 * fewest + Self.spread }
        return free ?? reactors.min { $0.load < $1.load }
    }
}
