import AgentKit
import Bytes
import CMicrohttpd
import Configuration
import Platform
import Synchronization

/// The server as one configuration wants it. A reload makes another one, and this one finishes the answers that it has
/// begun.
///
/// `@unchecked Sendable`: see `servers`; everything else does not change, or guards itself.
final class Front: @unchecked Sendable {
    /// Slower clients than this, in bytes a second, are cut off in the end.
    static let slowest: UInt64 = 4_096
    /// Bytes of an answer from which it is asked how much arrived, if it breaks.
    private static let large: UInt64 = 65_536
    /// For the head of a request, and that of its answer.
    private static let memory: UInt32 = 16_384

    let settings: MirrorSettings
    private let statistics: Statistics
    private let clients: ClientTable
    private let log: AccessLog?
    private let events: MirrorEvents
    private let cache: FileCache
    private let reports: StatusReports
    private let connections = ConnectionList()
    private let fixed: FixedAnswers
    private let timeout: UInt64
    /// Of libmicrohttpd; only `MirrorServer` uses them, under its lock or when nobody else knows this object any more.
    private var servers: [OpaquePointer] = []
    private var turn = 0
    /// Connections that were given to a thread, and are not open yet.
    private let arriving = Atomic<Int>(0)
    /// How many there were, now and when `sweep` looked last.
    private var accepted = (now: 0, before: 0)

    init(
        _ settings: MirrorSettings, _ root: DocumentRoot, _ statistics: Statistics, _ clients: ClientTable,
        _ log: AccessLog?, _ reports: StatusReports, _ events: MirrorEvents
    ) throws(AgentError) {
        self.settings = settings
        self.statistics = statistics
        self.clients = clients
        self.log = log
        self.reports = reports
        self.events = events
        cache = FileCache(root, sharesFiles: !settings.isTLS)
        timeout = UInt64(settings.timeout) * 1_000_000_000
        guard let fixed = FixedAnswers() else { throw AgentError("there is no memory to start the mirror") }
        self.fixed = fixed
    }

    // MARK: - Life

    /// Starts the servers, one for each thread. The threads call this object: it must live until `stop`.
    func start() throws(AgentError) {
        for _ in 0..<max(1, settings.threads) {
            do throws(AgentError) { servers.append(try startOne()) } catch {
                stop()
                throw error
            }
        }
    }

    private func startOne() throws(AgentError) -> OpaquePointer {
        let certificate = settings.certificate ?? ""
        let key = settings.key ?? ""
        let server = certificate.withCString { certificate in
            key.withCString { key in
                var options = CMicrohttpd_settings()
                options.connections = UInt32(clamping: max(settings.maximumConnections, 1))
                options.idle_seconds = UInt32(clamping: settings.timeout)
                options.memory = Front.memory
                if settings.isTLS {
                    options.certificate = certificate
                    options.key = key
                }
                var calls = Front.calls(Unmanaged.passUnretained(self).toOpaque())
                return CMicrohttpd_start(&options, &calls)
            }
        }
        guard let server else {
            throw AgentError(
                settings.isTLS
                    ? "the HTTPS server cannot be started: see that tls_cert_file and tls_key_file belong together"
                    : "the HTTP server cannot be started: there are no threads, descriptors or memory left")
        }
        return server
    }

    /// Ends the connections that are left, and waits for the threads.
    func stop() {
        for server in servers { CMicrohttpd_stop(server) }
        servers = []
    }

    /// What came of accepting.
    enum Acceptance: Sendable {
        /// Nobody waits any more.
        case all
        /// As many as were asked for; more may wait.
        case many
        /// There are as many connections as may be.
        case full
        /// Descriptors or memory are short.
        case short
    }

    /// Takes connections from a listening socket, the threads in turn.
    func accept(from listening: Descriptor, atMost count: Int) -> Acceptance {
        for _ in 0..<count {
            guard self.count < settings.maximumConnections else { return .full }
            turn = (turn + 1) % servers.count
            // Before it can be opened.
            arriving.wrappingAdd(1, ordering: .relaxed)
            accepted.now &+= 1
            let result = CMicrohttpd_accept(servers[turn], listening.raw)
            if result != 1 { arriving.wrappingSubtract(1, ordering: .relaxed) }
            switch result {
            case 0: return .all
            case -1:
                statistics.failed.wrappingAdd(1, ordering: .relaxed)
                return .short
            default: break
            }
        }
        return .many
    }

    /// Open connections, and those that a thread is about to open.
    var count: Int { connections.count + max(0, arriving.load(ordering: .relaxed)) }

    /// What is to be done each second.
    func sweep(isRetired: Bool) {
        statistics.late.wrappingAdd(
            connections.sweep(bandwidth: settings.clientBandwidth, endsIdle: isRetired), ordering: .relaxed)
        cache.expire()
        // One that failed on its way into its thread is never opened.
        if accepted.now == accepted.before { arriving.store(0, ordering: .relaxed) }
        accepted.before = accepted.now
    }

    // MARK: - Connections

    fileprivate func admit(_ peer: CMicrohttpd_peer) -> Bool {
        guard settings.clientConnections > 0, peer.is_local == 0,
            clients.connections(IPAddress(peer)) >= settings.clientConnections
        else { return true }
        statistics.turnedAway.wrappingAdd(1, ordering: .relaxed)
        return false
    }

    fileprivate func opened(_ descriptor: Int32, _ peer: CMicrohttpd_peer) -> Connection {
        let address = IPAddress(peer)
        let client = peer.is_local != 0 ? nil : clients.client(address, rate: Double(settings.clientRequests))
        let count = client?.connections.wrappingAdd(1, ordering: .relaxed).newValue ?? 0
        let connection = Connection(
            descriptor: descriptor, address: address, isLocal: peer.is_local != 0, client: client,
            deadline: Clock.now + timeout)
        connections.add(connection)
        arriving.wrappingSubtract(1, ordering: .relaxed)
        statistics.connections.wrappingAdd(1, ordering: .relaxed)
        // Many that came at once were admitted before any of them was counted.
        if settings.clientConnections > 0, count > settings.clientConnections {
            statistics.turnedAway.wrappingAdd(1, ordering: .relaxed)
            CMicrohttpd_cut(descriptor)
        }
        return connection
    }

    fileprivate func closed(_ connection: Connection) {
        connections.remove(connection)
        connection.client?.connections.wrappingSubtract(1, ordering: .relaxed)
        statistics.closed.wrappingAdd(1, ordering: .relaxed)
    }

    // MARK: - Requests

    fileprivate func answer(
        _ connection: Connection, _ handle: OpaquePointer, _ request: CMicrohttpd_request
    ) -> Bool {
        let now = Clock.now
        var answer = answer(connection, request, now) ?? Answer(fixed.failed)
        if ByteView(request.method).isMethod("HEAD") { answer = answer.withoutContent }
        let size = answer.size
        connection.pace(settings.clientBandwidth)
        connection.exchange = Connection.Exchange(
            status: answer.status, size: size, began: log == nil ? 0 : Int64(Clock.realtime / 1_000_000_000),
            acknowledged: size >= Front.large ? CMicrohttpd_acknowledged(connection.descriptor) : nil,
            logged: log == nil ? nil : AccessLog.head(logLine(connection, request)))
        connection.isAnswering.store(true, ordering: .releasing)
        connection.deadline.store(now + timeout + time(for: size, connection), ordering: .relaxed)
        statistics.count(status: answer.status)
        return answer.send(handle)
    }

    /// How long the slowest client that is put up with may take.
    private func time(for size: UInt64, _ connection: Connection) -> UInt64 {
        var rate = Front.slowest
        if settings.clientBandwidth > 0, connection.client != nil {
            // A connection gets its share of the client's bandwidth, and that may become smaller meanwhile.
            rate = min(rate, max(1, settings.clientBandwidth / UInt64(max(64, 4 * settings.clientConnections))))
        }
        return min(size / rate, 7 * 86_400) * 1_000_000_000
    }

    private func answer(_ connection: Connection, _ request: CMicrohttpd_request, _ now: UInt64) -> Answer? {
        if let client = connection.client, settings.clientRequests > 0,
            !client.mayAsk(rate: Double(settings.clientRequests), now: now)
        {
            return Answer(fixed.limited)
        }
        let target = ByteView(request.target)
        guard ByteView(request.method).isMethod("GET") || ByteView(request.method).isMethod("HEAD") else {
            return Answer(fixed.notAllowed)
        }
        if let report = StatusReports.Kind(target), maySeeStatus(connection) {
            return reports.response(report).map(Answer.init)
        }
        if let credentials = settings.credentials,
            !BasicCredentials.match(ByteView(request.authorization), credentials)
        {
            return Answer(fixed.unauthorized)
        }
        guard let file = cache.file(target) else { return Answer(fixed.notFound) }
        return answer(file, request)
    }

    /// The answer for a file, as the conditional fields and those of negotiation want it.
    private func answer(_ file: StoredFile, _ request: CMicrohttpd_request) -> Answer? {
        var conditions = Preconditions()
        conditions.ifMatch = ByteView(request.if_match)
        conditions.ifNoneMatch = ByteView(request.if_none_match)
        conditions.ifModifiedSince = ByteView(request.if_modified_since)
        conditions.ifUnmodifiedSince = ByteView(request.if_unmodified_since)
        conditions.ifRange = ByteView(request.if_range)
        conditions.range = ByteView(request.range)
        // Ranges are those of the file itself.
        let compressed =
            file.kind.isCompressible && conditions.range.isEmpty
                && ContentCoding.acceptsGzip(ByteView(request.accept_encoding)) ? file.gzip() : nil
        let outcome =
            conditions.areAbsent
            ? .whole
            : conditions.outcome(
                tag: compressed == nil ? file.tag : file.gzipTag, modified: file.modified, size: file.size,
                now: Int64(Clock.realtime / 1_000_000_000))
        switch outcome {
        case .whole:
            if compressed != nil { statistics.compressed.wrappingAdd(1, ordering: .relaxed) }
            return (compressed ?? file.whole()).map(Answer.init)
        case .part(let first, let count): return file.part(first: first, count: count).map(Answer.init)
        case .notModified: return (compressed ?? file.whole()).map(Answer.notModified)
        case .failed: return Answer(fixed.preconditionFailed)
        case .unsatisfiable: return file.unsatisfiable().map(Answer.init)
        }
    }

    private func maySeeStatus(_ connection: Connection) -> Bool {
        connection.isLocal || settings.statusClients.contains { $0.contains(connection.address) }
    }

    private func logLine(_ connection: Connection, _ request: CMicrohttpd_request) -> AccessLog.Line {
        AccessLog.Line(
            address: connection.addressText, method: ByteView(request.method), target: ByteView(request.target),
            version: ByteView(request.version), referer: ByteView(request.referer), agent: ByteView(request.user_agent))
    }

    fileprivate func completed(_ connection: Connection, sent: Bool) {
        connection.isAnswering.store(false, ordering: .releasing)
        connection.deadline.store(Clock.now + timeout, ordering: .relaxed)
        guard let exchange = connection.exchange else { return }
        connection.exchange = nil
        var bytes = exchange.size
        if !sent {
            statistics.aborted.wrappingAdd(1, ordering: .relaxed)
            // Roughly: the head, and what TLS adds, counts as well.
            bytes =
                exchange.acknowledged.map { before in
                    min(exchange.size, CMicrohttpd_acknowledged(connection.descriptor) &- before)
                } ?? 0
        }
        statistics.bytes.wrappingAdd(bytes, ordering: .relaxed)
        if let logged = exchange.logged {
            log?.write(logged, began: exchange.began, status: exchange.status, bytes: bytes)
        }
    }

    fileprivate func message(_ text: String) { events.debug("http: \(text)") }
}

// MARK: - From the library's threads

extension Front {
    /// The context is this object, which outlives its servers; the client is a retained `Connection`.
    private static func calls(_ context: UnsafeMutableRawPointer) -> CMicrohttpd_calls {
        CMicrohttpd_calls(
            context: context,
            admit: { context, peer in
                guard let front = Front.from(context), let peer else { return 0 }
                return front.admit(peer.pointee) ? 1 : 0
            },
            opened: { context, descriptor, peer in
                guard let front = Front.from(context), let peer else { return nil }
                return Unmanaged.passRetained(front.opened(descriptor, peer.pointee)).toOpaque()
            },
            closed: { context, client in
                guard let front = Front.from(context), let client else { return }
                front.closed(Unmanaged<Connection>.fromOpaque(client).takeRetainedValue())
            },
            answer: { context, client, connection, request in
                guard let front = Front.from(context), let client, let connection, let request else { return 0 }
                let own = Unmanaged<Connection>.fromOpaque(client).takeUnretainedValue()
                return front.answer(own, connection, request.pointee) ? 1 : 0
            },
            completed: { context, client, sent in
                guard let front = Front.from(context), let client else { return }
                front.completed(Unmanaged<Connection>.fromOpaque(client).takeUnretainedValue(), sent: sent == 1)
            },
            log: { context, text in
                guard let front = Front.from(context), let text else { return }
                front.message(String(cString: text))
            })
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> Front? {
        context.map { Unmanaged<Front>.fromOpaque($0).takeUnretainedValue() }
    }
}

extension ByteView {
    fileprivate init(_ text: CMicrohttpd_text) {
        self.init(base: text.bytes, count: Int(text.count))
    }

    fileprivate func isMethod(_ name: StaticString) -> Bool {
        count == name.utf8CodeUnitCount && buffer.elementsEqual(ByteView(name).buffer)
    }
}

extension IPAddress {
    fileprivate init(_ peer: CMicrohttpd_peer) {
        let words = withUnsafeBytes(of: peer.octets) { octets in
            (
                octets.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                octets.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        }
        self.init(high: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1))
    }
}
