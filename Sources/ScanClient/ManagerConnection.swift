import Platform
import ScanProtocol
import ScanTransport

/// A conversation with the manager: one question at a time, each with an answer. One thread at a time.
final class ManagerConnection {
    private let channel: PacketChannel
    private let path: String
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
        switch try Self.ask(hello, nil, channel, path, deadline).reply {
        case .welcome(_, let isPrivileged): self.isPrivileged = isPrivileged
        case .refused(let reason, let text): throw ScanClientError(.refused(reason), "\(path): \(text)")
        default: throw ScanClientError(.conversation, "\(path): HELLO was not answered by WELCOME")
        }
    }

    /// Sends a request and waits for its answer.
    func ask(
        _ request: ControlRequest, descriptor: Descriptor? = nil, deadline: UInt64
    ) throws(ScanClientError) -> (reply: ControlReply, descriptor: Descriptor?) {
        try Self.ask(request, descriptor, channel, path, deadline)
    }

    private static func ask(
        _ request: ControlRequest, _ descriptor: Descriptor?, _ channel: PacketChannel, _ path: String,
        _ deadline: UInt64
    ) throws(ScanClientError) -> (reply: ControlReply, descriptor: Descriptor?) {
        let answer: PacketLink.Incoming
        do throws(PacketChannel.Failure) {
            try channel.send(request.message, descriptor: descriptor, deadline: deadline)
            answer = try channel.receive(deadline: deadline)
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
