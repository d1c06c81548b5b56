import Platform
import ScanProtocol
import ScanTransport

/// A conversation with the manager: one question at a time, each with an answer. One thread at a time.
final class ManagerConnection {
    private let channel: PacketChannel
    private let path: String
    private var nextRequest: UInt32 = 1
    /// Whether OFFER, RELOAD and STOP are allowed.
    let isPrivileged: Bool

    /// Connects and introduces the client.
    init(path: String, agent: String, deadline: UInt64) throws(ScanClientError) {
        self.path = path
        do throws(SystemError) {
            channel = PacketChannel(try UnixSocket.connect(path: path))
        } catch {
            throw ScanClientError(error, path: path)
        }
        let hello = ControlRequest.hello(version: scanProtocolVersion, agent: agent)
        isPrivileged = try Self.ask(hello, nil, channel, path, 0, deadline).reply.welcome(path).isPrivileged
    }

    /// Sends a request and waits for its answer.
    func ask(
        _ request: ControlRequest, descriptor: Descriptor? = nil, deadline: UInt64
    ) throws(ScanClientError) -> (reply: ControlReply, descriptor: Descriptor?) {
        defer { nextRequest &+= 1 }
        return try Self.ask(request, descriptor, channel, path, nextRequest, deadline)
    }

    private static func ask(
        _ request: ControlRequest, _ descriptor: Descriptor?, _ channel: PacketChannel, _ path: String,
        _ id: UInt32, _ deadline: UInt64
    ) throws(ScanClientError) -> (reply: ControlReply, descriptor: Descriptor?) {
        let answer: PacketLink.Incoming
        do throws(PacketChannel.Failure) {
            try channel.send(request.message(request: id), descriptor: descriptor, deadline: deadline)
            var incoming = try channel.receive(deadline: deadline)
            // The late answer to a request that was given up.
            while incoming.message.request != id { incoming = try channel.receive(deadline: deadline) }
            answer = incoming
        } catch {
            throw error.clientError(path)
        }
        do throws(WireError) {
            return (try ControlReply(answer.message), answer.descriptor)
        } catch {
            throw ScanClientError(error)
        }
    }
}
