package import EventLoop
import Platform
package import ScanProtocol
import ScanTransport

/// Answers the questions of a suspended scan, on the reactor: for each question one answer.
package typealias AsyncResolver = @Sendable ([Question]) async -> [Answer]

/// The asynchronous client, for agents: any number of scans at the same time over a few connections, so that several
/// scanning processes share the work.
///
/// `@unchecked Sendable`: confined to the reactor's thread; call it from tasks of that reactor only.
package final class AsyncScanner: @unchecked Sendable {
    private let reactor: Reactor
    private let path: String
    private let agent: String
    private let patience: UInt64
    private let resolver: AsyncResolver
    private var manager: AsyncLink?
    /// Connections to ordinary scanning processes; the manager chooses another process for each.
    private var shared: [(id: UInt64, link: AsyncLink)] = []
    private var isConnecting = false
    /// What the manager and its scanning processes speak.
    private var version: UInt32 = 1
    private static let connections = 4

    /// - Parameters:
    ///   - reactor: on whose thread everything runs.
    ///   - path: the socket of the daemon, `daemon_sock_path`.
    ///   - agent: section name of this agent, e.g. "smtp".
    ///   - patience: how long an unavailable scanner is tried again.
    ///   - resolver: answers questions that need the network; without one they are answered "failed".
    package init(
        reactor: Reactor, path: String, agent: String, patience: Duration = .seconds(30),
        resolver: @escaping AsyncResolver = { Answer.failed($0) }
    ) {
        self.reactor = reactor
        self.path = path
        self.agent = agent
        self.patience = UInt64(max(0, patience / .nanoseconds(1)))
        self.resolver = resolver
    }

    /// Scans one object.
    ///
    /// - Parameter deadline: when the caller stops waiting; the scan is cancelled then.
    /// - Throws: `ScanClientError`; `.unavailable` is a temporary failure. An error is never a verdict.
    package func scan(
        _ object: ScanObject, options: ScanOptions, envelope: ScanEnvelope, deadline: Deadline = .seconds(900)
    ) async throws(ScanClientError) -> ScanVerdict {
        try await scan(.object(object), options, envelope, deadline)
    }

    /// Scans a short object in memory, at most `WireLimits.content` bytes: it travels within the request.
    package func scan(
        content: [UInt8], name: String, options: ScanOptions, envelope: ScanEnvelope, deadline: Deadline = .seconds(900)
    ) async throws(ScanClientError) -> ScanVerdict {
        try await scan(.content(content, name: name), options, envelope, deadline)
    }

    private func scan(
        _ object: Payload, _ options: ScanOptions, _ envelope: ScanEnvelope, _ deadline: Deadline
    ) async throws(ScanClientError) -> ScanVerdict {
        let order = ScanOrder(options: options, envelope: envelope, name: object.name, size: object.size)
        var plan = RetryPlan(now: Clock.now, patience: patience)
        var step = plan.start
        var last = ScanClientError(.unavailable, "\(path): no scanning process is available")
        while true {
            switch step {
            case .attempt(let isAlone, let delay):
                if delay > 0 { try await pause(delay, deadline) }
                switch await attempt(order, object, isAlone: isAlone, deadline) {
                case .verdict(let verdict): return verdict
                case .lost(let worker): step = plan.lost(worker: worker)
                case .unavailable(let error):
                    last = error
                    step = plan.unavailable(now: Clock.now)
                case .error(let error): throw error
                }
            case .askFate(let worker):
                step = plan.learned(await fate(of: worker), worker: worker, now: Clock.now)
            case .crashed(let worker, let signal):
                if let descriptor = try? object.descriptor() {
                    _ = try? await ask(.keep(worker: worker, name: object.name), descriptor)
                }
                return .crash(signal: signal)
            case .giveUp:
                throw last
            }
        }
    }

    /// Adds to the counters of this agent. That the daemon is away is no error: counters are not worth a failure.
    package func count(_ counters: [String: UInt64]) async {
        _ = try? await ask(.counters(counters))
    }

    /// Ends the connections; scans under way end as unavailable.
    package func close() {
        manager?.close()
        for worker in shared { worker.link.close() }
        manager = nil
        shared = []
    }

    // MARK: - One attempt

    private func attempt(
        _ order: ScanOrder, _ object: Payload, isAlone: Bool, _ deadline: Deadline
    ) async -> ScanOutcome {
        let worker: (id: UInt64, link: AsyncLink)
        do throws(ScanClientError) {
            worker = try await workerLink(isAlone: isAlone)
        } catch {
            return ScanOutcome(connecting: error)
        }
        defer { if isAlone { worker.link.close() } }
        var order = order
        var descriptor: Descriptor?
        if version >= 2, case .content(let bytes, _) = object {
            order.content = bytes[...]
        } else {
            do throws(SystemError) { descriptor = try object.descriptor() } catch {
                return .error(ScanClientError(.unavailable, "cannot hand over the object: \(error)"))
            }
        }
        do throws(StreamError) {
            let (_, event) = try await worker.link.request(
                { [order] in ScanRequest.scan(order).message(request: $0) }, descriptor: descriptor, isScan: true,
                deadline: deadline)
            guard case .message(let incoming) = event else {
                return .lost(worker: worker.id)
            }
            return ScanOutcome(incoming.message)
        } catch {
            return .error(ScanClientError(.unavailable, "the scan was given up: \(error)"))
        }
    }

    private func workerLink(isAlone: Bool) async throws(ScanClientError) -> (id: UInt64, link: AsyncLink) {
        if !isAlone {
            shared.removeAll { !$0.link.isOpen }
            let least = shared.min { $0.link.load < $1.link.load }
            if let least, least.link.load == 0 || shared.count >= AsyncScanner.connections || isConnecting {
                return least
            }
            isConnecting = true
        }
        defer { if !isAlone { isConnecting = false } }
        let (reply, socket) = try await ask(isAlone ? .connectAlone : .connect)
        let id = try reply.worker(path)
        guard let socket else {
            throw ScanClientError(.conversation, "\(path): a connection came without its descriptor")
        }
        let link = try open(socket) { [resolver, reactor] message, link in
            guard case .ask(let questions) = try? ScanReply(message) else { return false }
            reactor.spawn("scan questions") {
                let answers = await resolver(questions)
                link.send(ScanRequest.answers(answers).message(request: message.request))
            }
            return true
        }
        guard !isAlone else { return (id, link) }
        // At the start many tasks come here at the same time: the later ones share what the first ones got.
        shared.removeAll { !$0.link.isOpen }
        if shared.count >= AsyncScanner.connections, let least = shared.min(by: { $0.link.load < $1.link.load }) {
            link.close()
            return least
        }
        shared.append((id, link))
        return (id, link)
    }

    private func fate(of worker: UInt64) async -> WorkerFate {
        guard case .fate(let fate)? = try? await ask(.fate(worker: worker)).reply else { return .unknown }
        return fate
    }

    private func pause(_ nanoseconds: UInt64, _ deadline: Deadline) async throws(ScanClientError) {
        let end = Deadline.after(.nanoseconds(Int64(clamping: nanoseconds)))
        guard end < deadline else { throw ScanClientError(.unavailable, "\(path): not in time") }
        do throws(StreamError) { try await reactor.sleep(until: end) } catch {
            throw ScanClientError(.unavailable, "the scan was given up: \(error)")
        }
    }

    // MARK: - The manager

    private func ask(
        _ request: ControlRequest, _ passed: Descriptor? = nil
    ) async throws(ScanClientError) -> (reply: ControlReply, descriptor: Descriptor?) {
        if let manager, manager.isOpen, let answer = try await ask(manager, request, passed) { return answer }
        let fresh = try await connect()
        guard let answer = try await ask(fresh, request, passed) else {
            throw ScanClientError(.unavailable, "\(path): the daemon closed the connection")
        }
        return answer
    }

    /// nil when the connection ended.
    private func ask(
        _ link: AsyncLink, _ request: ControlRequest, _ passed: Descriptor?
    ) async throws(ScanClientError) -> (reply: ControlReply, descriptor: Descriptor?)? {
        let event: AsyncLink.Event
        do throws(StreamError) {
            event = try await link.request(
                { request.message(request: $0) }, descriptor: passed, deadline: .seconds(30)
            ).event
        } catch {
            throw ScanClientError(.unavailable, "\(path): the daemon did not answer: \(error)")
        }
        guard case .message(let incoming) = event else { return nil }
        do throws(WireError) {
            return (try ControlReply(incoming.message), incoming.descriptor)
        } catch {
            throw ScanClientError(error)
        }
    }

    private func connect() async throws(ScanClientError) -> AsyncLink {
        let path = path
        let result: Result<Descriptor, SystemError>
        do throws(StreamError) {
            // Connecting waits while the daemon's backlog is full.
            result = try await reactor.offload(deadline: .seconds(10)) {
                do throws(SystemError) { return .success(try UnixSocket.connect(path: path)) } catch {
                    return .failure(error)
                }
            }
        } catch {
            throw ScanClientError(.unavailable, "\(path): the daemon takes no connection: \(error)")
        }
        let socket: Descriptor
        do throws(SystemError) { socket = try result.get() } catch { throw ScanClientError(error, path: path) }
        let link = try open(socket)
        let hello = ControlRequest.hello(version: scanProtocolVersion, agent: agent)
        guard let answer = try await ask(link, hello, nil) else {
            throw ScanClientError(.unavailable, "\(path): the daemon closed the connection")
        }
        version = try answer.reply.welcome(path).version
        if let manager, manager.isOpen {
            link.close()
            return manager
        }
        manager = link
        return link
    }

    private func open(
        _ socket: Descriptor, intermediate: @escaping @Sendable (WireMessage, AsyncLink) -> Bool = { _, _ in false }
    ) throws(ScanClientError) -> AsyncLink {
        do throws(SystemError) {
            return try AsyncLink(reactor, socket, intermediate: intermediate)
        } catch {
            throw ScanClientError(error, path: path)
        }
    }
}
