import Configuration
import Platform
import Synchronization

/// What one client address does: an IPv4 address, or the /64 network of an IPv6 address.
final class Client: Sendable {
    /// At the moment.
    let connections = Atomic<Int>(0)
    private let bucket: Mutex<(tokens: Double, at: UInt64)>

    /// - Parameter tokens: requests that it may make at once.
    init(tokens: Double, now: UInt64) {
        bucket = Mutex((tokens, now))
    }

    /// Whether it may make another request now; counts it.
    ///
    /// - Parameter rate: requests a second; twice as many may come at once after a pause.
    func mayAsk(rate: Double, now: UInt64) -> Bool {
        bucket.withLock { bucket in
            let passed = Double(now &- bucket.at) / 1_000_000_000
            bucket = (min(2 * rate, bucket.tokens + passed * rate), now)
            guard bucket.tokens >= 1 else { return false }
            bucket.tokens -= 1
            return true
        }
    }

    /// When it asked last.
    var lastAsked: UInt64 { bucket.withLock { $0.at } }
}

/// All clients that are connected, or were within the last minute.
final class ClientTable: Sendable {
    private static let shards = 16
    private static let memory: UInt64 = 60 * 1_000_000_000
    private let tables: [Shard] = (0..<ClientTable.shards).map { _ in Shard() }

    private final class Shard: Sendable {
        let clients = Mutex<[IPAddress: Client]>([:])
    }

    /// The client of an address; a new one when it is not known.
    func client(_ address: IPAddress, rate: Double) -> Client {
        let key = ClientTable.network(address)
        return shard(key).clients.withLock { clients in
            if let known = clients[key] { return known }
            let client = Client(tokens: max(1, 2 * rate), now: Clock.now)
            clients[key] = client
            return client
        }
    }

    /// Connections of an address at the moment.
    func connections(_ address: IPAddress) -> Int {
        let key = ClientTable.network(address)
        return shard(key).clients.withLock { $0[key]?.connections.load(ordering: .relaxed) ?? 0 }
    }

    /// Forgets those that have no connection and asked nothing for a minute.
    func expire() {
        let now = Clock.now
        for table in tables {
            table.clients.withLock { clients in
                clients = clients.filter { _, client in
                    client.connections.load(ordering: .relaxed) > 0 || now &- client.lastAsked < ClientTable.memory
                }
            }
        }
    }

    /// Clients at the moment.
    var count: Int { tables.reduce(0) { sum, table in sum + table.clients.withLock { $0.count } } }

    private func shard(_ key: IPAddress) -> Shard {
        var hash = key.high ^ key.low
        hash ^= hash >> 32
        hash ^= hash >> 16
        hash ^= hash >> 8
        return tables[Int(hash % UInt64(ClientTable.shards))]
    }

    /// One customer gets a /64 of IPv6 addresses.
    private static func network(_ address: IPAddress) -> IPAddress {
        address.isIPv4 ? address : IPAddress(high: address.high, low: 0)
    }
}
