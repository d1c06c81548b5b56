import Bytes
import EventLoop
import Platform
import Programs
import SMTP
import Synchronization

/// One run: the sink, and messages through the agent into it.
struct Demo: Sendable {
    let smtp: UInt16
    let sink: UInt16

    private final class Outcome: Sendable {
        let good = Atomic<Bool>(false)
    }

    /// Starts the sink, runs `body` on the loop, and returns what it says.
    func run(_ body: @escaping @Sendable (Sink) async -> Bool) -> Bool {
        let outcome = Outcome()
        do throws(StreamError) {
            let reactor = try Reactor()
            guard let address = SocketAddress(numeric: "127.0.0.1", port: sink) else { return false }
            let listener = try Listener(reactor, Listener.open(address))
            let sink = Sink()
            reactor.spawn("sink") { await sink.serve(listener) }
            reactor.spawn("sender") {
                outcome.good.store(await body(sink), ordering: .relaxed)
                reactor.stop(deadline: .milliseconds(200))
            }
            reactor.run()
        } catch {
            Main.program.fail("\(error)")
        }
        return outcome.good.load(ordering: .relaxed)
    }

    /// A clean message, EICAR in a zip in a nested part, GTUBE. True when each met its fate.
    func sendExamples(_ sink: Sink) async -> Bool {
        var good = true
        for example in Example.all {
            let before = sink.messages.count
            let reply = await send(example.message(from: "alice@example.org"), reactor: sink.reactor)
            let delivered = sink.messages.count > before ? sink.messages.last : nil
            let fate = describe(reply, delivered)
            Console.print("  \(example.title)\n    \(fate)")
            good = good && (delivered == nil) == example.isBlocked
        }
        return good
    }

    /// Sends a message every 20 ms until it is refused; tells when.
    func sendUntilBlocked(_ text: String, seconds: Int, _ sink: Sink) async -> Bool {
        let began = Clock.now
        let end = Deadline.seconds(seconds)
        var delivered = 0
        while !end.hasPassed {
            let reply = await send(Example.plain(text).message(from: "alice@example.org"), reactor: sink.reactor)
            if reply.isPermanent {
                let time = Double((Clock.now - began) / 1_000_000) / 1_000
                Console.print("  after \(delivered) deliveries and \(time) s: \(reply.code) \(reply.text)")
                return true
            }
            if reply.isPositive { delivered += 1 } else { Console.print("  \(reply.code) \(reply.text)") }
            try? await sink.reactor.sleep(until: .milliseconds(20))
        }
        Console.print("  not blocked after \(delivered) deliveries")
        return false
    }

    private func describe(_ reply: Reply, _ delivered: [UInt8]?) -> String {
        guard let delivered else { return "stopped: \(reply.code) \(reply.text)" }
        var line = "delivered: \(reply.code) \(reply.text)"
        for header in Example.shownHeaders {
            if let value = Example.header(header, in: delivered) { line += "\n    \(header): \(value)" }
        }
        return line
    }

    /// One SMTP transaction; a failure of the connection is a made-up 451.
    private func send(_ message: [UInt8], reactor: Reactor) async -> Reply {
        do throws(StreamError) {
            guard let address = SocketAddress(numeric: "127.0.0.1", port: smtp) else { return Reply(451, "no address") }
            let stream = try await Stream.connect(reactor, to: address, deadline: .seconds(10))
            defer { stream.close() }
            var parser = ReplyParser()
            let greeting = try await reply(stream, &parser)
            guard greeting.isPositive else { return greeting }
            stream.write("EHLO demo.example.org\r\n")
            let extensions = Extensions(reply: try await reply(stream, &parser))
            guard let sender = Path(inside: ByteView("alice@example.org")),
                let recipient = Path(inside: ByteView("bob@example.org"))
            else { return Reply(451, "no path") }
            var transaction = ClientTransaction(
                mail: MailCommand(path: sender, parameters: []),
                recipients: [RecipientCommand(path: recipient, parameters: [])],
                size: extensions.maximumSize == nil ? nil : UInt64(message.count),
                pipelining: extensions.has("PIPELINING"))
            stream.write(transaction.start())
            while true {
                switch transaction.receive(try await reply(stream, &parser)) {
                case .write(let bytes): stream.write(bytes)
                case .wait: break
                case .content:
                    var encoder = DataEncoder()
                    var out: [UInt8] = []
                    message.withUnsafeBufferPointer { encoder.encode(ByteView($0), into: &out) }
                    encoder.finish(into: &out)
                    stream.write(out)
                    transaction.contentSent()
                case .done:
                    stream.write("QUIT\r\n")
                    try await stream.flush(deadline: .seconds(10))
                    return transaction.result ?? Reply(451, "no reply")
                }
            }
        } catch {
            return Reply(451, "esets_smtp on port \(smtp): \(error)")
        }
    }

    private func reply(_ stream: Stream, _ parser: inout ReplyParser) async throws(StreamError) -> Reply {
        var replies: [Reply] = []
        while replies.isEmpty {
            guard let line = try await stream.readLine(limit: 4_096, deadline: .seconds(60)) else { throw .closed }
            do throws(ReplyParser.Failure) {
                var failure: ReplyParser.Failure?
                line.withUnsafeBufferPointer {
                    do throws(ReplyParser.Failure) {
                        try parser.receive(ByteView($0), into: &replies)
                    } catch { failure = error }
                }
                if let failure { throw failure }
            } catch {
                return Reply(451, "not an SMTP reply")
            }
        }
        return replies[0]
    }
}
