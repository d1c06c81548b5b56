import CLinux
import Glibc

extension Stream {
    /// Connects to one address.
    ///
    /// - Parameters:
    ///   - reactor: whose tasks use the stream.
    ///   - address: TCP or Unix.
    ///   - source: the local address to connect from, its port 0 for any.
    ///   - deadline: by which the connection must stand.
    /// - Returns: the connected stream.
    /// - Throws: `.timedOut`, `.cancelled`, `.system` (ECONNREFUSED, ENETUNREACH, ENOENT …).
    package static func connect(
        _ reactor: Reactor, to address: SocketAddress, from source: SocketAddress? = nil, deadline: Deadline
    ) async throws(StreamError) -> Stream {
        let descriptor = CLinux_socket(address.raw.family)
        guard descriptor >= 0 else { throw StreamError(failure: Int(descriptor), call: "socket") }
        var owned = true
        defer { if owned { CLinux_close(descriptor) } }
        if var local = source?.raw {
            let bound = CLinux_bind(descriptor, &local)
            guard bound == 0 else { throw StreamError(failure: Int(bound), call: "bind") }
        }
        var raw = address.raw
        var result = CLinux_connect(descriptor, &raw)
        // A Unix listener whose queue is full says so at once instead of letting us wait.
        while result == -EAGAIN && address.isLocal {
            let now = Deadline.now
            guard now < deadline else { throw .timedOut }
            try await reactor.sleep(until: min(deadline, now.advanced(by: .milliseconds(10))))
            result = CLinux_connect(descriptor, &raw)
        }
        guard result == 0 || result == -EINPROGRESS else { throw StreamError(failure: Int(result), call: "connect") }
        owned = false
        let stream = try Stream(reactor, adopting: descriptor, peer: address)
        if result == -EINPROGRESS {
            stream.watch.block()
            try await stream.watch.writing.wait(until: deadline).check()
            let outcome = CLinux_socket_error(descriptor)
            guard outcome == 0 else { throw StreamError(failure: Int(outcome), call: "connect") }
        }
        return stream
    }

    /// Connects to the first address that answers. Each of several gets an equal share of the time that is left,
    /// so that a silent one does not use it up.
    ///
    /// - Throws: the error of the last address tried.
    package static func connect(
        _ reactor: Reactor, to addresses: [SocketAddress], from source: SocketAddress? = nil, deadline: Deadline
    ) async throws(StreamError) -> Stream {
        var last = StreamError.system(EADDRNOTAVAIL, call: "connect")
        for (index, address) in addresses.enumerated() {
            let usable = source.map { $0.raw.family == address.raw.family } ?? true
            guard usable else { continue }
            do throws(StreamError) {
                return try await connect(
                    reactor, to: address, from: source, deadline: share(deadline, among: addresses.count - index))
            } catch .cancelled {
                throw .cancelled
            } catch {
                last = error
                if deadline.hasPassed { break }
            }
        }
        throw last
    }

    /// Connects to a host given by name or number.
    package static func connect(
        _ reactor: Reactor, host: String, port: UInt16, from source: SocketAddress? = nil, deadline: Deadline
    ) async throws(StreamError) -> Stream {
        let addresses = try await reactor.resolve(host, port: port, deadline: deadline)
        return try await connect(reactor, to: addresses, from: source, deadline: deadline)
    }

    /// Without a deadline, an address that is not the last one still gets no more than 30 s.
    private static func share(_ deadline: Deadline, among count: Int) -> Deadline {
        guard count > 1 else { return deadline }
        let now = Deadline.now
        guard deadline != .never else { return now.advanced(by: .seconds(30)) }
        guard now < deadline else { return deadline }
        return Deadline(nanoseconds: now.nanoseconds + (deadline.nanoseconds - now.nanoseconds) / UInt64(count))
    }
}

extension Reactor {
    /// The addresses of a host, given by number (at once) or by name (getaddrinfo on a helper thread), in the
    /// order in which they should be tried; at most 16.
    package func resolve(_ host: String, port: UInt16, deadline: Deadline) async throws(StreamError) -> [SocketAddress]
    {
        if let address = SocketAddress(numeric: host, port: port) { return [address] }
        guard !host.isEmpty, host.utf8.count <= 255, !host.utf8.contains(0) else {
            throw .unresolved(host: host, reason: "not a host name")
        }
        let result = try await offload(deadline: deadline) { lookUp(host, port) }
        return try result.get()
    }
}

private func lookUp(_ host: String, _ port: UInt16) -> Result<[SocketAddress], StreamError> {
    var found = [CLinux_address](repeating: CLinux_address(), count: 16)
    let count = host.withCString { CLinux_resolve($0, port, &found, 16) }
    if count > 0 { return .success(found.prefix(Int(count)).map(SocketAddress.init)) }
    let reason = count == 0 ? "it has no address" : CLinux_resolve_message(count).map { String(cString: $0) }
    return .failure(.unresolved(host: host, reason: reason ?? "unknown error"))
}
