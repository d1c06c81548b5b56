import CLinux
package import Glibc

/// One message of a Unix socket, with the descriptors that came with it.
package struct SocketMessage: Sendable {
    package var bytes: [UInt8]
    package var descriptors: [Descriptor]
    /// Bytes or descriptors did not fit and were lost: the message cannot be trusted.
    package var isTruncated: Bool
}

/// Unix sockets that carry messages and descriptors.
package enum UnixSocket {
    /// A connected pair of SOCK_SEQPACKET sockets.
    package static func pair() throws(SystemError) -> (Descriptor, Descriptor) {
        var fds: [Int32] = [-1, -1]
        _ = try checked("socketpair") {
            socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &fds)
        }
        return (Descriptor(owning: fds[0]), Descriptor(owning: fds[1]))
    }

    /// Listens for SOCK_SEQPACKET connections at a path; a stale socket there is replaced.
    package static func listen(path: String, mode: mode_t, backlog: Int32 = 256) throws(SystemError) -> Descriptor {
        let socket = try open()
        unlink(path)
        try withAddress(path) { address, length throws(SystemError) in
            _ = try checked("bind", path) { bind(socket.raw, address, length) }
        }
        _ = try checked("chmod", path) { chmod(path, mode) }
        _ = try checked("listen", path) { Glibc.listen(socket.raw, backlog) }
        return socket
    }

    /// Connects to a listening path.
    package static func connect(path: String) throws(SystemError) -> Descriptor {
        let socket = try open()
        try withAddress(path) { address, length throws(SystemError) in
            _ = try checked("connect", path) { Glibc.connect(socket.raw, address, length) }
        }
        return socket
    }

    /// Sends one message; waits unless `flags` has MSG_DONTWAIT.
    package static func send(
        _ socket: Descriptor, _ bytes: [UInt8], descriptors: [Descriptor] = [], flags: Int32 = 0
    ) throws(SystemError) {
        let raws = descriptors.map(\.raw)
        _ = try checkedCount("sendmsg") {
            bytes.withUnsafeBytes { buffer in
                CLinux_send_descriptors(socket.raw, buffer.baseAddress, buffer.count, raws, Int32(raws.count), flags)
            }
        }
    }

    /// Receives one message of at most `limit` bytes; nil at the end of the connection.
    package static func receive(
        _ socket: Descriptor, limit: Int = 65_536, flags: Int32 = 0
    ) throws(SystemError) -> SocketMessage? {
        var truncated: Int32 = 0
        var count: Int32 = 8
        var fds = [Int32](repeating: -1, count: 8)
        var received = 0
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, length in
            do throws(SystemError) {
                received = try checkedCount("recvmsg") {
                    count = 8
                    return CLinux_receive_descriptors(
                        socket.raw, buffer.baseAddress, limit, &fds, &count, &truncated, flags)
                }
            } catch {
                failure = error
            }
            length = max(0, received)
        }
        if let failure { throw failure }
        let descriptors = fds[..<Int(count)].map { Descriptor(owning: $0) }
        if received == 0 && descriptors.isEmpty { return nil }
        return SocketMessage(bytes: bytes, descriptors: descriptors, isTruncated: truncated != 0)
    }

    /// Receives one message into memory of the caller, whose size is the limit; nil at the end of the connection.
    package static func receive(
        _ socket: Descriptor, into buffer: UnsafeMutableRawBufferPointer, flags: Int32 = 0
    ) throws(SystemError) -> (count: Int, descriptors: [Descriptor], isTruncated: Bool)? {
        var truncated: Int32 = 0
        var count: Int32 = 0
        var fds: (Int32, Int32, Int32, Int32, Int32, Int32, Int32, Int32) = (-1, -1, -1, -1, -1, -1, -1, -1)
        let received = try checkedCount("recvmsg") {
            count = 8
            return withUnsafeMutablePointer(to: &fds) { place in
                place.withMemoryRebound(to: Int32.self, capacity: 8) {
                    CLinux_receive_descriptors(
                        socket.raw, buffer.baseAddress, buffer.count, $0, &count, &truncated, flags)
                }
            }
        }
        var descriptors: [Descriptor] = []
        if count > 0 {
            withUnsafeBytes(of: &fds) { raw in
                for raw in raw.bindMemory(to: Int32.self).prefix(Int(count)) {
                    descriptors.append(Descriptor(owning: raw))
                }
            }
        }
        if received == 0 && descriptors.isEmpty { return nil }
        return (received, descriptors, truncated != 0)
    }

    /// Who is at the other end.
    package static func peer(_ socket: Descriptor) throws(SystemError) -> (pid: UInt32, uid: UInt32, gid: UInt32) {
        var pid: UInt32 = 0
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        _ = try checked("getsockopt") { CLinux_peer_credentials(socket.raw, &pid, &uid, &gid) }
        return (pid, uid, gid)
    }

    private static func open() throws(SystemError) -> Descriptor {
        Descriptor(
            owning: try checked("socket") {
                socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0)
            })
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Void
    ) throws(SystemError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError("bind", path, code: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        var failure: SystemError?
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                do throws(SystemError) {
                    try body(generic, socklen_t(MemoryLayout<sockaddr_un>.size))
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
    }
}
