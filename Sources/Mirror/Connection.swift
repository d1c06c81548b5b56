import CMicrohttpd
import Configuration
import Platform
import Synchronization

/// One connection of a client.
///
/// `@unchecked Sendable`: `exchange` and `addressText` belong to the one thread that serves the connection; everything
/// else does not change, or is atomic.
final class Connection: @unchecked Sendable {
    /// Open until the connection leaves its `ConnectionList`.
    let descriptor: Int32
    let address: IPAddress
    /// A program of this machine.
    let isLocal: Bool
    /// Whom it counts for; nil for this machine.
    let client: Client?
    /// When it is cut, by the monotonic clock: until then the next request must be there, or the answer taken.
    let deadline: Atomic<UInt64>
    let isAnswering = Atomic<Bool>(false)
    /// The client's number of connections when its speed was set; 0 = not set.
    let pacedFor = Atomic<Int>(0)
    /// The request that is being answered.
    var exchange: Exchange?
    /// The address as text, for the access log.
    lazy var addressText: String = AddressText.of(address)

    struct Exchange {
        let status: UInt32
        /// Bytes of content of the answer.
        let size: UInt64
        /// Seconds since 1970.
        let began: Int64
        /// Bytes that the client had acknowledged before a large answer; nil for a small one.
        let acknowledged: UInt64?
        let logged: (address: String, request: [UInt8], rest: [UInt8])?
    }

    init(descriptor: Int32, address: IPAddress, isLocal: Bool, client: Client?, deadline: UInt64) {
        self.descriptor = descriptor
        self.address = address
        self.isLocal = isLocal
        self.client = client
        self.deadline = Atomic(deadline)
    }

    /// Keeps the client's connections together below its bandwidth. The kernel does the work.
    func pace(_ bandwidth: UInt64) {
        guard bandwidth > 0, let client else { return }
        let count = max(1, client.connections.load(ordering: .relaxed))
        guard pacedFor.exchange(count, ordering: .relaxed) != count else { return }
        CMicrohttpd_pace(descriptor, max(1, bandwidth / UInt64(count)))
    }
}

/// The open connections of a server, for everything that is done to them from outside.
final class ConnectionList: Sendable {
    private let open = Mutex<[ObjectIdentifier: Connection]>([:])

    func add(_ connection: Connection) {
        open.withLock { $0[ObjectIdentifier(connection)] = connection }
    }

    func remove(_ connection: Connection) {
        _ = open.withLock { $0.removeValue(forKey: ObjectIdentifier(connection)) }
    }

    var count: Int { open.withLock { $0.count } }

    /// Cuts those whose time is over, and sets the speed of the others. How many were cut.
    ///
    /// - Parameter endsIdle: cut those, too, that wait for a request.
    func sweep(bandwidth: UInt64, endsIdle: Bool) -> UInt64 {
        let now = Clock.now
        // Under the lock: a descriptor is closed only after its connection has left the list.
        return open.withLock { open in
            var late: UInt64 = 0
            for connection in open.values {
                let isIdle = !connection.isAnswering.load(ordering: .acquiring)
                if connection.deadline.load(ordering: .relaxed) < now {
                    connection.deadline.store(.max, ordering: .relaxed)
                    late += 1
                    CMicrohttpd_cut(connection.descriptor)
                } else if endsIdle && isIdle {
                    CMicrohttpd_cut(connection.descriptor)
                } else {
                    connection.pace(bandwidth)
                }
            }
            return late
        }
    }
}
