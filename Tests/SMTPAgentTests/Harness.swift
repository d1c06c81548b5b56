import AgentKit
import Bytes
import CLinux
import Configuration
import EventLoop
import Glibc
import Mail
import Platform
import SMTP
import ScanProtocol
import Synchronization
import TLS
import Testing

@testable import SMTPAgent

/// A scanner that answers as told, and notes what it was asked.
final class FakeScanner: MessageScanner {
    struct Call: Sendable {
        var envelope: ScanEnvelope
        var content: [UInt8]
        var isSealed: Bool
    }
    private let state = Mutex<[Call]>([])
    private let answer: @Sendable (ByteView) -> Result<ScanVerdict, ScanUnavailable>
    /// No answer before that.
    private let gate: Harness.Completed?

    init(
        gate: Harness.Completed? = nil,
        _ answer: @escaping @Sendable (ByteView) -> Result<ScanVerdict, ScanUnavailable>
    ) {
        self.gate = gate
        self.answer = answer
    }

    var calls: [Call] { state.withLock { $0 } }

    func scan(
        _ message: SpooledMessage, options: ScanOptions, envelope: ScanEnvelope, on reactor: Reactor, deadline: Deadline
    ) async throws(ScanUnavailable) -> ScanVerdict {
        state.withLock {
            $0.append(Call(envelope: envelope, content: message.view.array, isSealed: message.isSealed))
        }
        await gate?.wait()
        return try answer(message.view).get()
    }

    /// Whatever holds "VIRUS" is infected.
    static func findsVirus() -> FakeScanner {
        FakeScanner { view in
            var verdict = ScanVerdict()
            if view.firstIndex(of: ByteView("VIRUS")) != nil {
                verdict.findings = [Finding(kind: .infected, name: "Test-Virus")]
            }
            return .success(verdict)
        }
    }
}

/// The agent, a next hop and clients, all in this process.
final class Harness: Sendable {
    let reactor: Reactor
    let hop: FakeHop
    let agent: SMTPAgent
    let scanner: FakeScanner
    let port: UInt16
    let root: String
    let log: Log
    private let done: Completed

    final class Log: Sendable {
        private let state = Mutex<(texts: [String], messages: [MessageSummary])>(([], []))
        func add(_ text: String) { state.withLock { $0.texts.append(text) } }
        func add(_ message: MessageSummary) { state.withLock { $0.messages.append(message) } }
        var texts: [String] { state.withLock { $0.texts } }
        var messages: [MessageSummary] { state.withLock { $0.messages } }
    }

    /// Something that a thread waits for.
    final class Completed: Sendable {
        private let continuations = Mutex<(isDone: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))
        func finish() {
            let waiting = continuations.withLock { state in
                state.isDone = true
                return state.waiting
            }
            for one in waiting { one.resume() }
        }
        func wait() async {
            await withCheckedContinuation { continuation in
                let isDone = continuations.withLock { state in
                    if !state.isDone { state.waiting.append(continuation) }
                    return state.isDone
                }
                if isDone { continuation.resume() }
            }
        }
    }

    /// Starts everything. `configuration` and `more` are lines for [smtp], with HOP for the next hop's port; `users`
    /// is the user file, `pem` the file @ETCDIR@/certs/smtp.pem. `redirected`: as if a rule of netfilter had
    /// redirected clients that wanted to reach the next hop.
    init(
        _ configuration: String = "server_addr = \"127.0.0.1\"\nserver_port = HOP\nav_eml_header_modification = no\n"
            + "av_eml_footnote_modification = no\nav_eml_subject_modification = no\n",
        more: String = "", users: String = "", hop behaviour: FakeHop.Behaviour = .init(),
        scanner: FakeScanner = .findsVirus(), timeouts: Timeouts = Timeouts(), makeSpool: Bool = true,
        pem: [UInt8] = [], redirected: Bool = false
    ) throws {
        root = "/tmp/esets-smtp-test.\(getpid()).\(UInt64.random(in: 0 ... .max))"
        let paths = Paths(root: root)
        if makeSpool { try Files.makeDirectory(paths.spoolDirectory) }
        try Files.makeDirectory(paths.certificatesDirectory)
        if !pem.isEmpty { try Files.replace(paths.certificatesDirectory + "/smtp.pem", with: pem, mode: 0o600) }
        let reactor = try Reactor()
        self.reactor = reactor
        hop = try FakeHop(reactor, behaviour)
        self.scanner = scanner
        let settings = try Self.settings(configuration + more, users, paths, hop.port, timeouts)
        let log = Log()
        self.log = log
        agent = try SMTPAgent(
            settings, scanner: scanner,
            events: AgentEvents(text: { _, _, text in log.add(text) }, message: { log.add($0) }),
            hostName: "test.example", version: "0"
        ) { [port = hop.port] client in
            redirected ? SocketAddress(numeric: "127.0.0.1", port: port) : client.originalDestination
        }
        let listening = try Listener.open(try require(SocketAddress(numeric: "127.0.0.1", port: 0)))
        port = try Listener(reactor, listening).local.port
        done = Completed()
        start { reactor.run() }
        start { [agent, done] in
            try? agent.run([listening])
            done.finish()
        }
    }

    static func settings(
        _ smtp: String, _ users: String, _ paths: Paths, _ hop: UInt16, _ timeouts: Timeouts = Timeouts()
    ) throws -> AgentSettings {
        let text =
            "[smtp]\nagent_enabled = yes\nnum_thrd = 2\n" + smtp.replacing("HOP", with: "\(hop)")
            + (users.isEmpty ? "" : "\nuser_config = \"users.cfg\"\n")
        let configuration = try Configuration(
            main: ConfigurationFile(parsing: Array(text.utf8)), path: "esets.cfg", paths: paths
        ) { _ in .success(ConfigurationFile(parsing: Array(users.utf8))) }
        return AgentSettings(configuration, timeouts: timeouts)
    }

    /// Runs a client's part on the reactor.
    func client<T: Sendable>(_ body: @escaping @Sendable (Client) async throws -> T) async throws -> T {
        let result: Result<T, any Error> = await withCheckedContinuation { continuation in
            reactor.spawn("client") { [reactor, port] in
                do {
                    let address = try require(SocketAddress(numeric: "127.0.0.1", port: port))
                    let stream = try await Stream.connect(reactor, to: address, deadline: .seconds(20))
                    let client = Client(stream)
                    defer { stream.close() }
                    continuation.resume(returning: .success(try await body(client)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    /// Ends everything and waits for it.
    func stop() async {
        agent.stop(grace: .seconds(20))
        await done.wait()
        // What the agent said last is still to be read.
        for _ in 0..<3_000 where hop.seen.open > 0 { try? await Task.sleep(for: .milliseconds(10)) }
        reactor.stop(deadline: .now)
        try? Files.remove(root)
    }

    /// Waits until the agent has returned from `run`.
    func agentEnded() async { await done.wait() }
}

/// What a client of the tests says and hears.
final class Client: @unchecked Sendable {
    let stream: Stream
    private var parser = ReplyParser()
    private var replies: [Reply] = []

    init(_ stream: Stream) { self.stream = stream }

    func send(_ text: String) { stream.write(text) }

    /// Encrypts after the 220 to STARTTLS.
    func startTLS() async throws {
        try await stream.startTLS(
            try TLSClientContext().engine(name: nil, policy: .encrypt), deadline: .seconds(20))
    }

    func reply() async throws -> Reply {
        while replies.isEmpty {
            guard try await stream.fill(deadline: .seconds(20)) else { throw StreamError.closed }
            try parser.receive(stream.input, into: &replies)
            stream.consume(stream.input.count)
        }
        return replies.removeFirst()
    }

    /// Codes of the next replies.
    func codes(_ count: Int) async throws -> [Int] {
        var codes: [Int] = []
        for _ in 0..<count { codes.append(try await reply().code) }
        return codes
    }

    /// Says something and gives the reply as "250 text".
    func ask(_ line: String) async throws -> String {
        send(line + "\r\n")
        let reply = try await reply()
        return "\(reply.code) \(reply.text)"
    }

    /// Greeting and EHLO.
    func hello() async throws {
        _ = try await reply()
        _ = try await ask("EHLO client.example")
    }

    /// A whole message from EHLO on; the reply to the final dot.
    func deliver(_ content: String, to recipient: String = "r@example.com") async throws -> String {
        let mail = try await ask("MAIL FROM:<s@example.com>")
        guard mail.hasPrefix("250") else { return mail }
        let rcpt = try await ask("RCPT TO:<\(recipient)>")
        guard rcpt.hasPrefix("250") else { return rcpt }
        let data = try await ask("DATA")
        guard data.hasPrefix("354") else { return data }
        return try await ask(content + ".")
    }

    /// Whether the server closes the connection.
    func isClosedByServer() async throws -> Bool {
        while try await stream.fill(deadline: .seconds(20)) { stream.consume(stream.input.count) }
        return true
    }
}

/// A thread for something that blocks.
func start(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread: UInt64 = 0
    _ = CLinux_start_thread(
        "test",
        { context in
            guard let context else { return }
            Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
        }, Unmanaged.passRetained(Box(body)).toOpaque(), 0, &thread)
}
