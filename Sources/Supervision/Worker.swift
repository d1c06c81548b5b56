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
    /// The generation that it was told to load and has not answered about.
    var loading: UInt64?
    var isDraining = false
    var statistics = WorkerStatistics()

    init(id: UInt64, pid: pid_t, isIsolated: Bool, control: Descriptor) {
        self.id = id
        self.pid = pid
        self.isIsolated = isIsolated
        link = PacketLink(control, limit: WireLimits.request)
    }

    /// Whether clients can be given to it.
    var isReady: Bool { loaded != nil && !isDraining }

    func send(_ order: WorkerOrder, _ descriptor: Descriptor? = nil) {
        link.enqueue(order.message, descriptor: descriptor)
        // When it is gone, its end is on the way.
        _ = try? link.flush()
    }

    func load(_ generation: UInt64) {
        loading = generation
        send(.load(generation: generation))
    }

    /// Hands it a new client. The client's end of the connection, or nil when there are no descriptors left.
    func adopt(isTrusted: Bool) -> Descriptor? {
        guard let (near, far) = try? UnixSocket.pair() else { return nil }
        send(.adopt(isTrusted: isTrusted), far)
        return near
    }
}
