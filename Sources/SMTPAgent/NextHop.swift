import Bytes
import EventLoop
import SMTP

/// Why the next hop is of no use.
enum HopError: Error, Sendable, Equatable, CustomStringConvertible {
    case unreachable(String)
    /// The connection broke or a time-out passed.
    case lost(String)
    /// It sent what is no SMTP reply.
    case hostile(ReplyParser.Failure)
    /// TLS is demanded and cannot be had.
    case insecure(String)

    var description: String {
        switch self {
        case .unreachable(let reason): "cannot connect: \(reason)"
        case .lost(let reason): "connection lost: \(reason)"
        case .hostile(let failure): "no SMTP reply (\(failure))"
        case .insecure(let reason): "no TLS: \(reason)"
        }
    }
}

/// The connection to the server that messages are relayed to. It belongs to one session at a time.
///
/// `@unchecked Sendable`: confined to the reactor's thread.
final class NextHop: @unchecked Sendable {
    let stream: Stream
    private(set) var extensions = Extensions()
    /// Its first words.
    private(set) var greeting = Reply.ok
    private var parser = ReplyParser()
    private var replies: [Reply] = []
    /// Whether MAIL was sent since the last end of a transaction.
    var isInTransaction = false
    /// Whether anything was exchanged after EHLO: an older connection may have been closed meanwhile.
    var isUsed = false
    /// Taken over from an earlier session, and not heard of since.
    private(set) var isReused = false
    /// XFORWARD was sent since the last EHLO.
    var hasForwarded = false
    /// How often it has served a session.
    private var sessions = 1
    /// It has refused something: then it serves no other session.
    private var hasRefused = false
    private var lastHello: (name: [UInt8], reply: Reply)?
    private let lastUse: Deadline
    private let timeouts: Timeouts

    /// Sessions that one connection may serve, and for how many seconds it is handed on.
    private static let mostSessions = 100
    private static let longestUse = 300

    init(_ stream: Stream, _ timeouts: Timeouts) {
        self.stream = stream
        self.timeouts = timeouts
        lastUse = .seconds(Self.longestUse)
    }

    /// Whether it announced PIPELINING.
    var pipelines: Bool { extensions.pipelining }

    /// Queues commands; the next `reply` sends them.
    func write(_ bytes: [UInt8]) { stream.write(bytes) }

    /// The next reply.
    func reply(within seconds: Int) async throws(HopError) -> Reply {
        let deadline = Deadline.seconds(seconds)
        while replies.isEmpty {
            var more = true
            do throws(StreamError) {
                // The end of a TLS handshake may have brought input already.
                if stream.input.isEmpty {
                    more = try await stream.fill(deadline: deadline)
                } else {
                    try await stream.flush(deadline: deadline)
                }
            } catch {
                throw .lost(error.description)
            }
            do throws(ReplyParser.Failure) { try parser.receive(stream.input, into: &replies) } catch {
                throw .hostile(error)
            }
            stream.consume(stream.input.count)
            guard more || !replies.isEmpty else { throw .lost("closed by the server") }
        }
        isReused = false
        let reply = replies.removeFirst()
        if reply.code >= 400 { hasRefused = true }
        return reply
    }

    // MARK: - Serving another session

    /// Whether another session may go on with it: between two messages, nothing refused, nothing unexpected.
    var isReusable: Bool {
        lastHello != nil && !isInTransaction && !hasRefused && isSilent && stream.isQuiet
            && sessions < Self.mostSessions && !lastUse.hasPassed
    }

    /// Whether another session than the first has heard of it.
    var hasProvenReusable: Bool { sessions > 1 && !isReused }

    /// Goes over to another session.
    func reuse() {
        isReused = true
        isUsed = true
        sessions += 1
    }

    /// What it said to the same hello, when nothing of the session before can show in another.
    func knownHello(_ name: [UInt8]) -> Reply? {
        guard isReused, !hasForwarded, let lastHello, lastHello.name == name else { return nil }
        return lastHello.reply
    }

    /// A reply that came before the message was ended; nil when there is none. Looks, and does not wait.
    func earlyReply() async -> Reply? {
        do throws(StreamError) {
            guard try await stream.fill(deadline: .milliseconds(1)) else { return .nextHopLost }
        } catch {
            // None, or the connection is lost: then the end cannot be sent either.
            return replies.first
        }
        do throws(ReplyParser.Failure) { try parser.receive(stream.input, into: &replies) } catch {
            return .nextHopLost
        }
        stream.consume(stream.input.count)
        return replies.first
    }

    /// Whether every reply that came was asked for.
    var isSilent: Bool { replies.isEmpty && !parser.isInsideReply }

    /// Sends one command and waits for its reply.
    func command(_ bytes: [UInt8], within seconds: Int) async throws(HopError) -> Reply {
        // A reply that nobody asked for would be taken for the reply to this command.
        guard isSilent else { throw .lost("unexpected reply") }
        write(bytes)
        return try await reply(within: seconds)
    }

    /// Waits for the server's first words.
    func awaitGreeting() async throws(HopError) -> Reply {
        greeting = try await reply(within: timeouts.greeting)
        return greeting
    }

    /// Says hello and learns the extensions; a server that does not know EHLO gets HELO.
    func hello(_ name: [UInt8]) async throws(HopError) -> Reply {
        extensions = Extensions()
        isInTransaction = false
        hasForwarded = false
        lastHello = nil
        let reply = try await command(Array("EHLO ".utf8) + name + [0x0D, 0x0A], within: timeouts.hopCommand)
        if reply.isPositive {
            extensions = Extensions(reply: reply)
            lastHello = (name, reply)
            return reply
        }
        guard reply.isPermanent else { return reply }
        return try await command(Array("HELO ".utf8) + name + [0x0D, 0x0A], within: timeouts.hopCommand)
    }

    /// After STARTTLS: nothing said in clear text counts any more.
    func forgetClearText() throws(HopError) {
        guard replies.isEmpty, !parser.isInsideReply else { throw .lost("replies before TLS") }
        extensions = Extensions()
        lastHello = nil
    }

    /// Ends a transaction that is not to be delivered. A failure shows at the next use.
    func reset() async {
        guard isInTransaction else { return }
        isInTransaction = false
        _ = try? await command(Array("RSET\r\n".utf8), within: timeouts.hopCommand)
    }

    /// Says goodbye and closes. Never with a message half sent: use `abort` there.
    func quit() async {
        _ = try? await command(Array("QUIT\r\n".utf8), within: timeouts.quit)
        stream.close()
    }

    /// Closes at once, so that the server drops what it has of a message.
    func abort() { stream.abort() }
}
