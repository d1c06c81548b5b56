import Glibc
package import Platform
package import ScanProtocol

/// Whole messages over one SOCK_SEQPACKET connection, without ever waiting: what cannot be sent now is
/// queued, what has not come yet is nil. One thread at a time.
package final class PacketLink {
    /// Why a connection is over.
    package enum Failure: Error, Sendable, CustomStringConvertible {
        /// The other side went away.
        case ended
        case wire(WireError)
        case system(SystemError)

        package var description: String {
            switch self {
            case .ended: "the other side closed the connection"
            case .wire(let error): error.description
            case .system(let error): error.description
            }
        }
    }

    /// A message and the descriptor that came with it.
    package struct Incoming: Sendable {
        package let message: WireMessage
        package let descriptor: Descriptor?
    }

    package let socket: Descriptor
    private let buffer: PacketBuffer
    private var assembler: PacketAssembler
    private var descriptors: [Descriptor] = []
    private var outgoing: [(packet: [UInt8], descriptor: Descriptor?)] = []
    private var sent = 0
    /// Bytes that wait to be sent.
    package private(set) var waitingBytes = 0
    /// Descriptors that wait to be sent, and are held open until then.
    package private(set) var waitingDescriptors = 0

    /// - Parameters:
    ///   - limit: the longest message that is accepted, in bytes.
    ///   - buffer: where packets are received; links of the same thread may share one.
    package init(_ socket: Descriptor, limit: Int, buffer: PacketBuffer = PacketBuffer()) {
        self.socket = socket
        self.buffer = buffer
        assembler = PacketAssembler(limit: limit)
    }

    /// Whether something waits until the socket is writable.
    package var wantsToWrite: Bool { sent < outgoing.count }

    /// Queues a message behind those that wait; `flush` sends.
    package func enqueue(_ message: WireMessage, descriptor: Descriptor? = nil) {
        var passed = descriptor
        if descriptor != nil { waitingDescriptors += 1 }
        for packet in message.packets {
            outgoing.append((packet, passed))
            waitingBytes += packet.count
            passed = nil
        }
    }

    /// Sends as much as the socket takes.
    /// - Returns: whether everything was sent.
    @discardableResult
    package func flush() throws(Failure) -> Bool {
        while sent < outgoing.count {
            let (packet, descriptor) = outgoing[sent]
            do throws(SystemError) {
                try UnixSocket.send(
                    socket, packet, descriptors: descriptor.map { [$0] } ?? [],
                    flags: Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
            } catch {
                switch error.code {
                case EAGAIN, ENOBUFS: return false
                case ETOOMANYREFS:
                    // Too many descriptors of this user are under way: they drain, but nothing tells when.
                    usleep(1_000)
                    return false
                case EPIPE, ECONNRESET, ENOTCONN: throw .ended
                default: throw .system(error)
                }
            }
            waitingBytes -= packet.count
            if descriptor != nil { waitingDescriptors -= 1 }
            outgoing[sent] = ([], nil)
            sent += 1
        }
        outgoing.removeAll(keepingCapacity: outgoing.capacity <= 64)
        sent = 0
        return true
    }

    /// The next whole message, or nil when it has not come yet.
    package func receive() throws(Failure) -> Incoming? {
        while let packet = try receivePacket() {
            guard !packet.isTruncated else { throw .wire(WireError(.tooLong, "packet")) }
            descriptors += packet.descriptors
            guard descriptors.count <= 1 else { throw .wire(WireError(.badValue, "number of descriptors")) }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer.memory[..<packet.count])
            let message: WireMessage?
            do throws(WireError) { message = try assembler.add(bytes) } catch { throw .wire(error) }
            if let message {
                defer { descriptors = [] }
                return Incoming(message: message, descriptor: descriptors.first)
            }
        }
        return nil
    }

    private func receivePacket() throws(Failure) -> (count: Int, descriptors: [Descriptor], isTruncated: Bool)? {
        do throws(SystemError) {
            guard let packet = try UnixSocket.receive(socket, into: buffer.memory, flags: Int32(MSG_DONTWAIT)) else {
                throw SystemError("recvmsg", code: ECONNRESET)
            }
            return packet
        } catch {
            switch error.code {
            case EAGAIN: return nil
            case ECONNRESET, ENOTCONN, EPIPE: throw .ended
            default: throw .system(error)
            }
        }
    }
}
