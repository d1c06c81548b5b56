import Bytes
import EventLoop
import Glibc
import Platform
import Synchronization
import TLS

/// A server of a few lines that notes everything it is told, independent of the library under test.
final class FakeHop: Sendable {
    struct Behaviour: Sendable {
        var greeting = "220 hop.example ESMTP"
        var keywords = ["PIPELINING", "SIZE 10000000", "8BITMIME", "DSN", "XFORWARD NAME ADDR HELO", "CHUNKING"]
        /// Replies to RCPT by address; 250 for others.
        var recipients: [String: String] = [:]
        /// Replies to MAIL by address; 250 for others. After a refusal RCPT gets 503.
        var senders: [String: String] = [:]
        /// Takes recipients of a refused sender, as no server should.
        var takesRecipientsOfNobody = false
        var data = "354 go"
        var final = "250 2.0.0 queued as X"
        /// Connections (counted from 1) that are closed instead of answering this verb.
        var hangUp: [Int: String] = [:]
        /// Closes without an answer to the final dot.
        var diesAtDot = false
        var knowsEHLO = true
        /// Takes STARTTLS with this; then AUTH is announced too.
        var tls: TLSServerContext?
        /// Answers STARTTLS with 220 and then with nonsense.
        var breaksTLS = false
        /// Hangs up after the reply to the first message.
        var closesAfterMessage = false
        /// Hangs up after the reply to any message.
        var closesAfterEachMessage = false
        /// Each connection is closed instead of answering this verb for the second time.
        var hangUpOnSecond: String?
        /// How long it thinks before its reply to the final dot.
        var finalTime = Duration.zero
        /// Sends this after the first line of the content, and the final reply all the same.
        var early: String?
    }

    struct Seen: Sendable {
        var connections = 0
        /// Of these, those that are still served.
        var open = 0
        /// Lines outside of content, "CONNECT" for each connection.
        var lines: [String] = []
        var messages: [String] = []
    }

    private let state: Mutex<(behaviour: Behaviour, seen: Seen, refused: [String: Int])>
    private let listening: Descriptor
    private let reactor: Reactor
    let port: UInt16

    init(_ reactor: Reactor, _ behaviour: Behaviour) throws {
        state = Mutex((behaviour, Seen(), [:]))
        self.reactor = reactor
        let address = SocketAddress(numeric: "127.0.0.1", port: 0)
        listening = try Listener.open(try require(address))
        let listener = try Listener(reactor, listening)
        port = listener.local.port
        reactor.spawn("hop") { [self] in
            while let stream = try? await listener.accept() {
                reactor.spawn("hop session") { [self] in
                    try? await serve(stream)
                    stream.close()
                    state.withLock { $0.seen.open -= 1 }
                }
            }
        }
    }

    /// Refuses a recipient from a connection on.
    func refuse(_ address: String, from connection: Int) { state.withLock { $0.refused[address] = connection } }

    var seen: Seen { state.withLock { $0.seen } }

    private func note(_ line: String) { state.withLock { $0.seen.lines.append(line) } }

    private func serve(_ stream: Stream) async throws {
        let number = state.withLock { state in
            state.seen.connections += 1
            state.seen.open += 1
            return state.seen.connections
        }
        let behaviour = state.withLock { $0.behaviour }
        note("CONNECT")
        var verbs: [String: Int] = [:]
        var hasSender = false
        func address(in text: String) -> String {
            text.split(separator: "<").last?.split(separator: ">").first.map(String.init) ?? ""
        }
        let deadline = Deadline.seconds(60)
        stream.write(behaviour.greeting + "\r\n")
        while let bytes = try await stream.readLine(limit: 10_000, deadline: deadline) {
            let line = String(decoding: bytes, as: UTF8.self)
            let text = line.hasSuffix("\r\n") ? String(line.dropLast(1)) : "BARE LF: \(line)"
            note(text)
            let verb = text.split(separator: " ").first.map { $0.uppercased() } ?? ""
            if behaviour.hangUp[number] == verb { return }
            verbs[verb, default: 0] += 1
            if behaviour.hangUpOnSecond == verb, verbs[verb] == 2 { return }
            switch verb {
            case "EHLO":
                guard behaviour.knowsEHLO else {
                    stream.write("502 what\r\n")
                    continue
                }
                var lines = ["hop.example greets you"] + behaviour.keywords
                if behaviour.tls != nil || behaviour.breaksTLS, !stream.isEncrypted { lines.append("STARTTLS") }
                for (index, keyword) in lines.enumerated() {
                    stream.write("250\(index == lines.count - 1 ? " " : "-")\(keyword)\r\n")
                }
            case "MAIL":
                let reply = behaviour.senders[address(in: text)] ?? "250 2.1.0 ok"
                hasSender = reply.hasPrefix("250")
                stream.write(reply + "\r\n")
            case "RCPT":
                guard hasSender || behaviour.takesRecipientsOfNobody else {
                    stream.write("503 5.5.1 MAIL first\r\n")
                    continue
                }
                let address = address(in: text)
                let isRefused = state.withLock { $0.refused[address].map { number >= $0 } ?? false }
                let reply = isRefused ? "550 5.1.1 gone" : behaviour.recipients[address] ?? "250 2.1.5 ok"
                stream.write(reply + "\r\n")
            case "DATA":
                stream.write(behaviour.data + "\r\n")
                guard behaviour.data.hasPrefix("354") else { continue }
                guard let content = try await content(stream, deadline, early: behaviour.early) else { return }
                if content.isEmpty { note("LONE DOT") }
                state.withLock { $0.seen.messages.append(content) }
                if behaviour.diesAtDot { return }
                if behaviour.finalTime > .zero { try await reactor.sleep(until: .after(behaviour.finalTime)) }
                stream.write(behaviour.final + "\r\n")
                if behaviour.closesAfterMessage && number == 1 || behaviour.closesAfterEachMessage {
                    try await stream.flush(deadline: deadline)
                    return
                }
            case "STARTTLS":
                stream.write("220 go\r\n")
                if behaviour.breaksTLS {
                    _ = try await stream.fill(deadline: deadline)
                    stream.write("this is no TLS\r\n")
                    try await stream.flush(deadline: deadline)
                    return
                }
                try await stream.startTLS(try require(behaviour.tls).engine(), deadline: deadline)
                note("ENCRYPTED")
            case "AUTH":
                stream.write("334 dXNlcg==\r\n")
                guard let bytes = try await stream.readLine(limit: 10_000, deadline: deadline) else { return }
                note("RESPONSE " + String(decoding: bytes.dropLast(2), as: UTF8.self))
                stream.write(bytes == Array("*\r\n".utf8) ? "501 cancelled\r\n" : "235 2.7.0 welcome\r\n")
            case "QUIT":
                stream.write("221 bye\r\n")
                try await stream.flush(deadline: deadline)
                return
            default: stream.write("250 2.0.0 ok\r\n")
            }
        }
    }

    /// The raw content up to the final dot, as on the wire; nil when the connection ended before.
    /// This server reads line ends as tolerantly as the worst ones do.
    private func content(_ stream: Stream, _ deadline: Deadline, early: String?) async throws -> String? {
        var all: [UInt8] = []
        var early = early
        while let line = try await stream.readLine(limit: 1 << 20, deadline: deadline) {
            if line == Array(".\n".utf8) || line == Array(".\r\n".utf8) { return String(decoding: all, as: UTF8.self) }
            all += line
            if let reply = early {
                early = nil
                stream.write(reply + "\r\n")
                try await stream.flush(deadline: deadline)
            }
        }
        note("CUT OFF")
        return nil
    }
}

struct Missing: Error {}

func require<T>(_ value: T?) throws -> T {
    guard let value else { throw Missing() }
    return value
}
