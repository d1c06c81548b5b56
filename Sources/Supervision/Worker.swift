import Glibc
import Platform
import ScanProtocol
import ScanTransport

/// One scanning process, as the manager sees it.
final class Worker {
    let id: UInt64
    let pid: pid_t
    let isIsolated: Bool
    let link: PacketLink
    let startedAt = Clock.now
    var watch: PollLoop.Token?
    /// What it serves new requests with; nil before the first was loaded.
    var loaded: LoadedGeneration?
    /// The generations that it was told to load and has not answered about, in order.
    private(set) var loading: [UInt64] = []
    /// It was given a client: from then on it may have been taken over.
    private(set) var hasServed = false
    var isDraining = false
    /// The generation that it serves with to be compared; nil = the one in use.
    var trial: UInt64?
    /// Isolated, for this user; nil = for one of our own agents.
    var isolatedFor: UInt32?
    var statistics = WorkerStatistics()
    /// Log lines since `logSecond` began.
    private var logLines = 0
    private var logSecond: UInt64 = 0

    /// Log lines of one process that are written in a second; the rest is dropped, so that a process that was taken
    /// over cannot fill the disk.
    private static let logLimit = 100

    init(id: UInt64, pid: pid_t, isIsolated: Bool, control: Descriptor) {
        self.id = id
        self.pid = pid
        self.isIsolated = isIsolated
        link = PacketLink(control, limit: WireLimits.request)
    }

    /// Whether another line of it may go to the log; counts it.
    func mayLog() -> Bool {
        let now = Clock.now
        if now &- logSecond >= 1_000_000_000 {
            logSecond = now
            logLines = 0
        }
        logLines += 1
        return logLines <= Worker.logLimit
    }

    /// Whether clients can be given to it.
    var isReady: Bool { loaded != nil && !isDraining }

    func send(_ order: WorkerOrder, _ descriptor: Descriptor? = nil) {
        link.enqueue(order.message, descriptor: descriptor)
        // When it is gone, its end is on the way.
        _ = try? link.flush()
    }

    func load(_ generation: UInt64) {
        loading.append(generation)
        send(.load(generation: generation))
    }

    /// It answers about a generation; false when it was not asked, which none of ours does.
    func answered(_ generation: UInt64) -> Bool {
        guard loading.first == generation else { return false }
        loading.removeFirst()
        return true
    }

    /// Hands it a new client. The client's end of the connection, or nil when there are no descriptors left.
    func adopt(isTrusted: Bool, user: UInt32) -> Descriptor? {
        guard let (near, far) = try? UnixSocket.pair() else { return nil }
        hasServed = true
        send(.adopt(isTrusted: isTrusted, user: user), far)
        return near
    }
}
