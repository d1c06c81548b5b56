// swift-format-ignore-file: NeverForceUnwrap

import FakeEngine
import Glibc
import Platform
import ScanProtocol
import ScanService
import ScanTransport
import Synchronization
import Testing

/// A scanning process in a thread of the test, with the manager's end of its control socket.
final class Harness {
    let engine: FakeEngine
    let manager: TestLink
    private let thread: ThreadHandle

    init(
        engine: FakeEngine = FakeEngine(), settings: ScanServerSettings = ScanServerSettings(),
        load generation: UInt64? = 1, stalled: @escaping @Sendable (String) -> Void = { _ in abort() }
    ) throws {
        self.engine = engine
        let (near, far) = try UnixSocket.pair()
        manager = TestLink(near)
        thread = ThreadHandle {
            // The server belongs to the thread that runs it.
            do {
                try ScanServer(control: far, engine: engine, settings: settings, stalled: stalled).run()
            } catch {
                Issue.record("the server failed: \(error)")
            }
        }
        if let generation {
            manager.send(WorkerOrder.load(generation: generation).message)
            #expect(try report() == .loaded(LoadedGeneration(number: generation)))
        }
    }

    /// The next report, statistics left out.
    func report() throws -> WorkerReport {
        while true {
            let report = try WorkerReport(try manager.receive())
            if case .statistics = report { continue }
            return report
        }
    }

    /// The next statistics that satisfy a condition.
    func statistics(_ condition: (WorkerStatistics) -> Bool) throws -> WorkerStatistics {
        while true {
            if case .statistics(let statistics) = try WorkerReport(try manager.receive()), condition(statistics) {
                return statistics
            }
        }
    }

    /// A new client.
    func connect(isTrusted: Bool = false, user: UInt32 = 1_000) throws -> TestLink {
        let (near, far) = try UnixSocket.pair()
        manager.send(WorkerOrder.adopt(isTrusted: isTrusted, user: user).message, far)
        return TestLink(near)
    }

    /// Waits until the server has ended.
    func end() {
        manager.send(WorkerOrder.drain.message)
        thread.join()
    }

    func join() { thread.join() }
}

/// One end of a connection, with calls that wait. Fails the test after 30 seconds instead of hanging.
final class TestLink {
    let link: PacketLink
    private var socket: Descriptor?

    init(_ socket: Descriptor) { link = PacketLink(socket, limit: WireLimits.reply) }

    func send(_ message: WireMessage, _ descriptor: Descriptor? = nil) {
        link.enqueue(message, descriptor: descriptor)
        while (try? link.flush()) == false { usleep(1_000) }
    }

    func receive() throws -> WireMessage {
        while true {
            if let incoming = try link.receive() { return incoming.message }
            var entry = pollfd(fd: link.socket.raw, events: Int16(POLLIN), revents: 0)
            try #require(poll(&entry, 1, 30_000) > 0, "nothing came")
        }
    }

    func scan(_ text: String, request: UInt32, size: UInt64? = nil) throws {
        let object = try sealed(text)
        let order = ScanOrder(
            options: ScanOptions(), envelope: ScanEnvelope(agent: "test"), name: text,
            size: size ?? UInt64(text.utf8.count))
        send(ScanRequest.scan(order).message(request: request), object)
    }

    func reply() throws -> (request: UInt32, reply: ScanReply) {
        let message = try receive()
        return (message.request, try ScanReply(message))
    }

    func verdict() throws -> ScanVerdict {
        guard case .verdict(let verdict) = try reply().reply else { throw NotAVerdict() }
        return verdict
    }
}

struct NotAVerdict: Error {}

func sealed(_ text: String) throws -> Descriptor {
    try Array(text.utf8).withUnsafeBytes { try Descriptor.sealed(name: "test", $0) }
}

/// A thread to join.
final class ThreadHandle {
    private var thread = pthread_t()

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    init(_ run: @escaping @Sendable () -> Void) {
        pthread_create(
            &thread, nil,
            { argument in
                Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
                return nil
            }, Unmanaged.passRetained(Body(run)).toOpaque())
    }

    func join() { pthread_join(thread, nil) }
}
