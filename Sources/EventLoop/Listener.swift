import CLinux
import Glibc
package import Platform

/// A listening socket, inherited or made here.
///
/// `@unchecked Sendable` because it is confined to the reactor's thread from the first `accept` on.
package final class Listener: @unchecked Sendable {
    package let reactor: Reactor
    /// The listening socket; it stays open as long as anybody holds it.
    package let descriptor: Descriptor
    private let isShared: Bool
    private var watch: Watch?
    private var streak = 0
    /// How often descriptors or memory were short and accepting paused.
    package private(set) var pauses = 0

    /// Takes a listening descriptor. Makes it non-blocking, for all who share it.
    ///
    /// - Parameters:
    ///   - reactor: whose tasks accept.
    ///   - descriptor: bound and listening.
    ///   - shared: several reactors accept from it: each connection wakes one of them (EPOLLEXCLUSIVE).
    /// - Throws: `.system`.
    package init(_ reactor: Reactor, _ descriptor: Descriptor, shared: Bool = false) throws(StreamError) {
        self.reactor = reactor
        self.descriptor = descriptor
        isShared = shared
        let result = CLinux_set_nonblocking(descriptor.raw)
        guard result >= 0 else { throw StreamError(failure: Int(result), call: "fcntl") }
    }

    deinit {
        guard let watch, !watch.isClosed else { return }
        // The descriptor may be open elsewhere too, so the kernel would not forget the registration by itself.
        if reactor.isOnLoop {
            watch.retire()
        } else if !reactor.hasEnded {
            reactor.submit { [descriptor] in
                watch.retire()
                _ = descriptor
            }
        }
    }

    /// Opens a listening socket; the port 0 lets the kernel choose.
    package static func open(_ address: SocketAddress, backlog: Int32 = 1024) throws(StreamError) -> Descriptor {
        let raw = CLinux_socket(address.raw.family)
        guard raw >= 0 else { throw StreamError(failure: Int(raw), call: "socket") }
        let descriptor = Descriptor(owning: raw)
        if !address.isLocal { _ = CLinux_reuse_address(raw) }
        var wanted = address.raw
        let bound = CLinux_bind(raw, &wanted)
        guard bound == 0 else { throw StreamError(failure: Int(bound), call: "bind") }
        let listening = CLinux_listen(raw, backlog)
        guard listening == 0 else { throw StreamError(failure: Int(listening), call: "listen") }
        return descriptor
    }

    /// Where it listens.
    package var local: SocketAddress {
        var raw = CLinux_address()
        _ = CLinux_local_address(descriptor.raw, &raw)
        return SocketAddress(raw)
    }

    /// The next connection; nil when the reactor is stopping or the listener was closed.
    ///
    /// Connections that broke before they were accepted are passed over. When descriptors or memory are short, it
    /// pauses for 100 ms, so that connections under way can end, and tries again.
    package func accept() async throws(StreamError) -> Stream? {
        while let (descriptor, peer) = try await acceptDescriptor() {
            // Fails when the kernel has no room for another epoll entry: the connection is closed.
            if let stream = try? Stream(reactor, adopting: descriptor, peer: peer) { return stream }
            guard try await pause() else { return nil }
        }
        return nil
    }

    /// The next connection as a non-blocking descriptor, which belongs to the caller: for another reactor's stream.
    package func acceptDescriptor() async throws(StreamError) -> (descriptor: Int32, peer: SocketAddress)? {
        let watch = try registered()
        streak += 1
        if streak >= 32 {
            streak = 0
            await reactor.yield()
        }
        while true {
            if reactor.isStopping || watch.isClosed { return nil }
            if !watch.canRead {
                streak = 0
                switch await watch.reading.wait(until: .never, interruptible: true) {
                case .stopping, .closed: return nil
                case let wake: try wake.check()
                }
            }
            var peer = CLinux_address()
            let result = CLinux_accept(descriptor.raw, &peer)
            if result >= 0 { return (result, SocketAddress(peer)) }
            switch -result {
            case EAGAIN: watch.canRead = false
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: guard try await pause() else { return nil }
            // accept(2): errors of the new connection, not of the listener.
            case ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH,
                EPERM, ETIMEDOUT:
                continue
            default: throw StreamError(failure: Int(result), call: "accept")
            }
        }
    }

    /// Lets connections under way end; false when the reactor is stopping.
    private func pause() async throws(StreamError) -> Bool {
        pauses += 1
        do throws(StreamError) {
            try await reactor.sleep(until: .milliseconds(100), interruptible: true)
            return true
        } catch .stopping {
            return false
        }
    }

    /// Accepts no more; a waiting `accept` returns nil.
    package func close() {
        watch?.retire()
    }

    private func registered() throws(StreamError) -> Watch {
        reactor.preconditionOnLoop()
        if let watch { return watch }
        let watch = Watch(reactor, descriptor: descriptor.raw)
        try reactor.register(watch, events: CLinux_EVENT_IN | (isShared ? CLinux_EVENT_EXCLUSIVE : 0))
        self.watch = watch
        return watch
    }
}
