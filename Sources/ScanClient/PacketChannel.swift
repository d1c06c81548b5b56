import Glibc
import Platform
import ScanProtocol

/// Whole messages over one SOCK_SEQPACKET connection, waiting with a deadline. One thread at a time.
final class PacketChannel {
    enum Failure: Error {
        /// The other side went away.
        case ended
        case timedOut
        case wire(WireError)
        case system(SystemError)
    }

    private let socket: Descriptor
    private var assembler = PacketAssembler(limit: WireLimits.reply)
    private var descriptors: [Descriptor] = []

    init(_ socket: Descriptor) {
        self.socket = socket
    }

    /// Sends a message, with a descriptor if there is one.
    func send(_ message: WireMessage, descriptor: Descriptor? = nil, deadline: UInt64) throws(Failure) {
        var passed = descriptor.map { [$0] } ?? []
        for packet in message.packets {
            try sendPacket(packet, passed, deadline: deadline)
            passed = []
        }
    }

    private func sendPacket(_ packet: [UInt8], _ passed: [Descriptor], deadline: UInt64) throws(Failure) {
        while true {
            do throws(SystemError) {
                return try UnixSocket.send(
                    socket, packet, descriptors: passed, flags: Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            } catch {
                switch error.code {
                case EAGAIN, ENOBUFS: try wait(for: POLLOUT, until: deadline)
                // Too many of our descriptors are under way in other sockets: they drain.
                case ETOOMANYREFS: usleep(1_000)
                case EPIPE, ECONNRESET, ENOTCONN: throw .ended
                default: throw .system(error)
                }
            }
        }
    }

    /// Receives the next message, with the descriptor that came with it.
    func receive(deadline: UInt64) throws(Failure) -> (message: WireMessage, descriptor: Descriptor?) {
        while true {
            let packet = try receivePacket(deadline: deadline)
            guard !packet.isTruncated else { throw Failure.wire(WireError(.tooLong, "packet")) }
            descriptors += packet.descriptors
            guard descriptors.count <= 1 else { throw Failure.wire(WireError(.badValue, "descriptors")) }
            if let message = try assemble(packet.bytes) {
                defer { descriptors = [] }
                return (message, descriptors.first)
            }
        }
    }

    private func receivePacket(deadline: UInt64) throws(Failure) -> SocketMessage {
        while true {
            do throws(SystemError) {
                if let packet = try UnixSocket.receive(socket, flags: Int32(MSG_DONTWAIT)) { return packet }
            } catch {
                switch error.code {
                case EAGAIN:
                    try wait(for: POLLIN, until: deadline)
                    continue
                case ECONNRESET, ENOTCONN: break
                default: throw .system(error)
                }
            }
            throw .ended
        }
    }

    private func assemble(_ bytes: [UInt8]) throws(Failure) -> WireMessage? {
        do throws(WireError) { return try assembler.add(bytes) } catch { throw .wire(error) }
    }

    private func wait(for event: Int32, until deadline: UInt64) throws(Failure) {
        let now = Clock.now
        guard now < deadline else { throw .timedOut }
        var entry = pollfd(fd: socket.raw, events: Int16(event), revents: 0)
        let milliseconds = Int32(min(60_000, (deadline - now) / 1_000_000 + 1))
        if poll(&entry, 1, milliseconds) < 0 && errno != EINTR { throw .system(SystemError("poll")) }
    }
}
