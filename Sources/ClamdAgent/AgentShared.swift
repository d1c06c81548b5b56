import EventLoop
import Glibc
import Platform
import ScanProtocol
import Synchronization

/// What all connections of one agent process share.
final class AgentShared: Sendable {
    let service: any ObjectScanning
    let events: ClamdEvents
    let counters: ClamdCounters
    let productVersion: String
    private let current: Mutex<ClamdSettings>
    private let lastConnection = Atomic<UInt32>(0)
    private let facts = Mutex<(at: Deadline, lines: [StatusLine])?>(nil)

    init(
        _ settings: ClamdSettings, service: any ObjectScanning, events: ClamdEvents, counters: ClamdCounters,
        productVersion: String
    ) {
        current = Mutex(settings)
        self.service = service
        self.events = events
        self.counters = counters
        self.productVersion = productVersion
    }

    var settings: ClamdSettings {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }

    /// Another number for the log.
    func nextConnection() -> UInt32 {
        lastConnection.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// Number of the modules in use; 0 when it is not known.
    func generation(on reactor: Reactor) async -> UInt64 {
        let status = await status(on: reactor)
        return status.first { $0.name == "Generation" }.flatMap { UInt64($0.value) } ?? 0
    }

    /// Facts about the daemon, at most a second old; empty when it cannot be asked.
    func status(on reactor: Reactor) async -> [StatusLine] {
        let now = Deadline.now
        let known = facts.withLock { $0 }
        if let known, now < known.at.advanced(by: .seconds(1)) { return known.lines }
        guard let lines = try? await service.status(on: reactor) else { return known?.lines ?? [] }
        facts.withLock { $0 = (now, lines) }
        return lines
    }
}

/// What the connections of one reactor share.
///
/// `@unchecked Sendable`: nothing of it changes; the gates are confined to the reactor's thread.
final class Lane: @unchecked Sendable {
    let reactor: Reactor
    let connections: Gate
    let scans: Gate
    /// Objects of sessions that are scanned or complete and wait for it: what they hold of memory is bounded by that.
    let objects: Gate
    private static let waiting = 3

    init(_ reactor: Reactor, _ settings: ClamdSettings) {
        self.reactor = reactor
        objects = Gate(reactor, limit: Lane.waiting * Lane.share(settings.maximumScans, settings))
        connections = Gate(reactor, limit: Lane.share(settings.maximumConnections, settings))
        scans = Gate(reactor, limit: Lane.share(settings.maximumScans, settings))
    }

    private static func share(_ number: Int, _ settings: ClamdSettings) -> Int {
        max(1, (number + settings.threads - 1) / settings.threads)
    }

    /// Takes new limits; what is inside stays.
    func adopt(_ settings: ClamdSettings) {
        connections.limit = Lane.share(settings.maximumConnections, settings)
        scans.limit = Lane.share(settings.maximumScans, settings)
        objects.limit = Lane.waiting * scans.limit
    }
}
