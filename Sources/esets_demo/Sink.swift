import Bytes
import EventLoop
import SMTP

/// An SMTP server that takes every message and keeps it. Lives on one reactor.
final class Sink: @unchecked Sendable {
    /// The contents, in the order of arrival.
    private(set) var messages: [[UInt8]] = []
    private var loop: Reactor?

    /// Where it runs; known once it serves, which is before anything is sent.
    var reactor: Reactor {
        guard let loop else { fatalError("the sink does not serve yet") }
        return loop
    }

    func serve(_ listener: Listener) async {
        loop = listener.reactor
        while let stream = try? await listener.accept() {
            listener.reactor.spawn("sink session") { [self] in try? await session(stream) }
        }
    }

    private func session(_ stream: Stream) async throws(StreamError) {
        defer { stream.close() }
        stream.write("220 sink.example.org ESMTP\r\n")
        var server = ServerSession(bareNewline: .reject)
        var inContent = false
        var content: [UInt8] = []
        while try await stream.fill(deadline: .seconds(60), interruptible: true) {
            var input = stream.input
            if !inContent {
                server.receive(input)
                stream.consume(input.count)
                input = ByteView()
            }
            repeat {
                if inContent {
                    let end = server.content(input, into: &content)
                    stream.consume(input.count)
                    input = ByteView()
                    guard end != nil else { break }
                    messages.append(content)
                    content = []
                    inContent = false
                    server.endTransaction()
                    stream.write("250 2.0.0 taken\r\n")
                }
                while !inContent, let event = server.next() {
                    switch event {
                    case .rejected(let reply): stream.write(reply.bytes)
                    case .close(let reply):
                        stream.write(reply.bytes)
                        return try await stream.flush(deadline: .seconds(5))
                    case .response: stream.write(Reply.syntax.bytes)
                    case .command(let command):
                        if try await obey(command, &server, stream) { inContent = true }
                        if command == .quit { return try await stream.flush(deadline: .seconds(5)) }
                    }
                }
            } while inContent && server.hasPending
        }
    }

    /// Answers one command; true when the content follows.
    private func obey(_ command: Command, _ server: inout ServerSession, _ stream: Stream) async throws(StreamError)
        -> Bool
    {
        switch command {
        case .ehlo:
            stream.write("250-sink.example.org\r\n250-PIPELINING\r\n250-SIZE 0\r\n250-SMTPUTF8\r\n250 8BITMIME\r\n")
        case .quit: stream.write(Reply.bye.bytes)
        case .data:
            server.beginContent()
            stream.write(Reply.startContent.bytes)
            return true
        default: stream.write(Reply.ok.bytes)
        }
        return false
    }
}
