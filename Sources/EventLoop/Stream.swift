import CLinux

/// A connection: TCP or Unix, plain or, after `startTLS`, encrypted.
///
/// One task reads and one writes at a time (they may be two). Writing is buffered: any number of `write` calls
/// become one system call, made by the next `fill`, `flush` or `close`. Every await takes a deadline; after
/// an error other than `.timedOut`, `.stopping` and `.cancelled`, only `close` makes sense.
///
/// `@unchecked Sendable` because it is confined to the reactor's thread; every entry checks that.
package final class Stream: @unchecked Sendable {
    package let reactor: Reactor
    /// The other end.
    package let peer: SocketAddress
    /// Unread input that may pile up in `input`, in bytes; above it `fill` throws `.overflow`.
    package var inputLimit = 1 << 20
    /// Output that may pile up, in bytes, before `send` and `fill` wait for the peer to take it.
    package var outputLimit = 256 << 10

    /// Whether descriptors that the peer sends (SCM_RIGHTS) are kept for `takeDescriptors`. Set before the first read;
    /// for plain Unix sockets.
    package var takesDescriptors = false
    var received = ReceivedDescriptors()

    let watch: Watch
    let output = OutputQueue()
    let buffer = InputBuffer()
    /// Written, but not yet handed to the filter or the queue.
    var corked: [UInt8] = []
    var filter: (any StreamFilter)?
    /// The peer's side has ended.
    var isEnded = false
    /// This side has ended.
    var isFinished = false
    private var knownLocal: SocketAddress?
    /// Operations in a row that did not suspend; see `breathe`.
    var streak = 0

    /// Takes over a connected, non-blocking descriptor and closes it in the end, also when this throws.
    package init(_ reactor: Reactor, adopting descriptor: Int32, peer: SocketAddress? = nil) throws(StreamError) {
        self.reactor = reactor
        watch = Watch(reactor, descriptor: descriptor)
        watch.output = output
        if let peer {
            self.peer = peer
        } else {
            var raw = CLinux_address()
            _ = CLinux_peer_address(descriptor, &raw)
            self.peer = SocketAddress(raw)
        }
        if !self.peer.isLocal { _ = CLinux_set_no_delay(descriptor) }
        // Being registered reports what is there already; a read before that would mostly be in vain.
        watch.canRead = false
        try reactor.register(watch, events: Watch.input)
    }

    deinit {
        guard !watch.isClosed else { return }
        if reactor.isOnLoop {
            watch.dispose()
        } else if reactor.hasEnded {
            CLinux_close(watch.descriptor)
        } else {
            reactor.submit { [watch] in watch.dispose() }
        }
    }

    /// A pair of connected streams in this process.
    package static func pair(_ reactor: Reactor) throws(StreamError) -> (Stream, Stream) {
        var first: Int32 = -1
        var second: Int32 = -1
        let result = CLinux_socket_pair(&first, &second)
        guard result == 0 else { throw StreamError(failure: Int(result), call: "socketpair") }
        do throws(StreamError) {
            let one = try Stream(reactor, adopting: first)
            first = -1
            return (one, try Stream(reactor, adopting: second))
        } catch {
            if first >= 0 { CLinux_close(second) }
            throw error
        }
    }

    /// This end.
    package var local: SocketAddress {
        if let knownLocal { return knownLocal }
        let address = localNow
        // The kernel may choose it as late as at the end of connecting.
        if watch.canWrite && !watch.isClosed { knownLocal = address }
        return address
    }

    private var localNow: SocketAddress {
        var raw = CLinux_address()
        _ = CLinux_local_address(watch.descriptor, &raw)
        return SocketAddress(raw)
    }

    /// Where the client wanted to go before a REDIRECT rule of netfilter sent it here; nil when none did.
    package var originalDestination: SocketAddress? {
        var raw = CLinux_address()
        guard CLinux_original_destination(watch.descriptor, &raw) == 0 else { return nil }
        // Connection tracking knows connections that nobody redirected, too.
        let wanted = SocketAddress(raw)
        let here = local
        return wanted.octets == here.octets && wanted.port == here.port ? nil : wanted
    }

    /// The descriptor, for options and credentials; it belongs to the stream.
    package var descriptor: Int32 { watch.descriptor }

    package var isClosed: Bool { watch.isClosed }

    /// Nothing has come that was not read, nothing waits to be sent, and neither side has ended, as far as is known:
    /// for a connection that shall be used again later.
    package var isQuiet: Bool {
        !watch.isClosed && !watch.canRead && !watch.peerClosed && !isEnded && !isFinished && buffer.count == 0
            && pendingOutput == 0 && output.failure == nil
    }
    package var isEncrypted: Bool { filter != nil }

    /// The peer's side ended without the farewell that TLS demands: the last message may be cut short.
    package var endedAbruptly: Bool {
        guard isEnded, let filter else { return false }
        return !filter.isEnded
    }

    /// Lets other tasks run once in a while, for a peer that is always ready.
    func breathe() async {
        streak += 1
        if streak >= 64 {
            streak = 0
            await reactor.yield()
        }
    }

    // MARK: - End

    /// Ends this side: sends what is written, then the end of the stream. Reading goes on.
    package func finishWriting(deadline: Deadline) async throws(StreamError) {
        guard !isFinished else { return }
        try push()
        isFinished = true
        if let filter {
            var wire: [UInt8] = []
            filter.finish(wire: &wire)
            output.append(&wire)
        }
        try await flush(deadline: deadline)
        if watch.isClosed { throw .closed }
        let result = CLinux_shutdown_write(watch.descriptor)
        if result < 0 { throw StreamError(failure: Int(result), call: "shutdown") }
    }

    /// Closes at once. What is written is sent as far as the kernel takes it now. Waiting tasks get `.closed`.
    package func close() {
        guard !watch.isClosed else { return }
        try? push()
        if !isFinished, let filter, filter.isEstablished, output.isEmpty {
            var wire: [UInt8] = []
            filter.finish(wire: &wire)
            output.append(&wire)
            watch.drain()
        }
        watch.dispose()
    }

    /// Closes so that the peer gets every byte written, also when it is still sending: ends this side, then
    /// reads and drops until the peer ends too or the deadline passes.
    /// (Closing with unread input would reset the connection and destroy the last answer on its way.)
    package func close(deadline: Deadline) async {
        do throws(StreamError) {
            try await finishWriting(deadline: deadline)
            while try await fill(deadline: deadline) { buffer.consume(buffer.count) }
        } catch {}
        close()
    }

    /// Closes at once if nothing is lost by that: the kernel has taken everything written, and nothing is unread.
    ///
    /// What the peer still sends destroys what was written last. For a peer that has said that it sends no more.
    /// - Returns: false when the stream is still open.
    package func closeIfQuiet() -> Bool {
        if watch.isClosed { return true }
        guard filter == nil, !watch.canRead, buffer.count == 0 else { return false }
        do throws(StreamError) { try push() } catch { return false }
        guard output.isEmpty else { return false }
        watch.dispose()
        return true
    }

    /// Closes with a reset.
    package func abort() {
        guard !watch.isClosed else { return }
        _ = CLinux_set_reset_on_close(watch.descriptor)
        watch.dispose()
    }
}

extension Watch {
    /// Ends the registration and closes the descriptor.
    func dispose() {
        guard !isClosed else { return }
        retire(closing: true)
        CLinux_close(descriptor)
    }
}
