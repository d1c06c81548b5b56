import Platform
import ScanProtocol
import ScanTransport

/// The connection to one scanning process, with one request at a time.
final class WorkerConnection {
    /// The manager's number of the process.
    let id: UInt64
    private let channel: PacketChannel
    private var nextRequest: UInt32 = 1

    init(id: UInt64, socket: Descriptor) {
        self.id = id
        channel = PacketChannel(socket)
    }

    /// Sends the object and answers questions until there is a verdict or a failure.
    func scan(
        _ order: ScanOrder, _ descriptor: Descriptor, _ resolver: Resolver, deadline: UInt64
    ) throws(PacketChannel.Failure) -> ScanReply {
        let request = nextRequest
        nextRequest &+= 1
        try channel.send(
            ScanRequest.scan(order).message(request: request), descriptor: descriptor, deadline: deadline)
        while true {
            let message = try channel.receive(deadline: deadline).message
            guard message.request == request else { continue }
            let reply: ScanReply
            do throws(WireError) { reply = try ScanReply(message) } catch { throw .link(.wire(error)) }
            guard case .ask(let questions) = reply else { return reply }
            let answers = ScanRequest.answers(resolver(questions))
            try channel.send(answers.message(request: request), deadline: deadline)
        }
    }
}
