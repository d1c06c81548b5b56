import FakeEngine
import Glibc
import Platform
import ScanProtocol
import ScanService
import ScanTransport
import Synchronization
import Testing

@Suite("Scanning process") struct ScanServiceTests {
    @Test("scans what a client sends and tells what was found")
    func verdicts() throws {
        let harness = try Harness()
        let client = try harness.connect()
        try client.scan("hello", request: 1)
        let clean = try client.verdict()
        #expect(!clean.isInfected)
        #expect(clean.generation == 1)
        try client.scan("EICAR", request: 2)
        #expect(try client.verdict().isInfected)
        harness.end()
    }

    @Test("several requests are under way at once and replies carry their ids")
    func concurrency() throws {
        let harness = try Harness()
        let client = try harness.connect()
        try client.scan("ask", request: 10)
        try client.scan("EICAR", request: 11)
        var seen: [UInt32: ScanReply] = [:]
        for _ in 0..<2 {
            let (request, reply) = try client.reply()
            seen[request] = reply
        }
        #expect(seen[10] == .ask([Question(kind: .dnsA, key: Array("ask".utf8))]))
        guard case .verdict(let verdict) = seen[11] else { throw NotAVerdict() }
        #expect(verdict.isInfected)
        let answer = Answer(question: Question(kind: .dnsA, key: Array("ask".utf8)), result: .found)
        client.send(ScanRequest.answers([answer]).message(request: 10))
        #expect(try client.verdict().findings.first?.name == "found")
        harness.end()
    }

    @Test("1,000 suspended scans hold neither of two threads")
    func suspendedScansHoldNoThread() throws {
        var settings = ScanServerSettings()
        settings.threads = 2
        let harness = try Harness(settings: settings)
        let client = try harness.connect(isTrusted: true)
        var asked: Set<UInt32> = []
        for request in 1...1_000 {
            try client.scan("ask \(request)", request: UInt32(request))
            let (id, reply) = try client.reply()
            if case .ask = reply { asked.insert(id) }
        }
        #expect(asked.count == 1_000)
        #expect(try harness.statistics { $0.suspended == 1_000 }.running == 0)

        // An ordinary scan passes by them all.
        try client.scan("EICAR", request: 2_000)
        let (id, reply) = try client.reply()
        #expect(id == 2_000)
        guard case .verdict = reply else { throw NotAVerdict() }

        for request in 1...1_000 {
            let question = Question(kind: .dnsA, key: Array("ask \(request)".utf8))
            client.send(
                ScanRequest.answers([Answer(question: question, result: .found)]).message(request: UInt32(request)))
        }
        var done: Set<UInt32> = []
        for _ in 1...1_000 {
            let (id, reply) = try client.reply()
            if case .verdict(let verdict) = reply, verdict.findings.first?.name == "found" { done.insert(id) }
        }
        #expect(done.count == 1_000)
        #expect(harness.engine.inside.withLock { $0.peak } <= 2)
        harness.end()
    }

    @Test("answers that were not asked for are dropped, missing ones count as failed")
    func foreignAnswers() throws {
        let harness = try Harness()
        let client = try harness.connect()
        try client.scan("ask", request: 1)
        _ = try client.reply()
        let foreign = Answer(question: Question(kind: .dnsTXT, key: [1]), result: .found)
        client.send(ScanRequest.answers([foreign]).message(request: 1))
        #expect(try client.verdict().findings.first?.name == "failed")
        harness.end()
    }

    @Test("questions that nobody answers end as failed")
    func suspensionLimit() throws {
        var settings = ScanServerSettings()
        settings.suspension = 0
        let harness = try Harness(settings: settings)
        let client = try harness.connect()
        try client.scan("ask", request: 1)
        _ = try client.reply()
        #expect(try client.verdict().findings.first?.name == "failed")
        harness.end()
    }

    @Test("a new generation serves new requests; the old one goes when its last scan ends")
    func swap() throws {
        let harness = try Harness()
        let client = try harness.connect()
        try client.scan("ask", request: 1)
        _ = try client.reply()
        harness.manager.send(WorkerOrder.load(generation: 2).message)
        #expect(try harness.report() == .loaded(LoadedGeneration(number: 2)))
        #expect(harness.engine.alive.withLock { $0 } == [1, 2])
        try client.scan("hello", request: 2)
        #expect(try client.verdict().generation == 2)
        client.send(ScanRequest.answers([]).message(request: 1))
        #expect(try client.verdict().generation == 1)
        #expect(try harness.report() == .released(generation: 1))
        #expect(harness.engine.alive.withLock { $0 } == [2])
        harness.end()
    }

    @Test("a generation that does not load leaves the old one in use")
    func brokenGeneration() throws {
        let harness = try Harness(engine: FakeEngine(broken: [2]))
        harness.manager.send(WorkerOrder.load(generation: 2).message)
        #expect(try harness.report() == .refused(generation: 2, "em001: signature: does not verify"))
        let client = try harness.connect()
        try client.scan("hello", request: 1)
        #expect(try client.verdict().generation == 1)
        harness.end()
    }

    @Test("without modules there is a failure, never a verdict")
    func noModules() throws {
        let harness = try Harness(load: nil)
        let client = try harness.connect()
        try client.scan("hello", request: 1)
        #expect(try client.reply().reply == .failed(ScanFailure(.noModules, "no modules are loaded")))
        harness.end()
    }

    @Test("a cancelled scan ends and is not answered")
    func cancellation() throws {
        let harness = try Harness()
        let client = try harness.connect()
        try client.scan("spin", request: 1)
        client.send(ScanRequest.cancel.message(request: 1))
        try client.scan("hello", request: 2)
        #expect(try client.reply().request == 2)
        // Without the cancellation the scanning thread could not be joined.
        harness.end()
    }

    @Test("when a client goes, its scans end and others go on")
    func vanishedClient() throws {
        let harness = try Harness()
        do {
            let client = try harness.connect(isTrusted: true)
            try client.scan("spin", request: 1)
            try client.scan("ask", request: 2)
            _ = try client.reply()
        }
        let other = try harness.connect()
        try other.scan("EICAR", request: 1)
        #expect(try other.verdict().isInfected)
        harness.end()
    }

    @Test("a full queue stops reading, and loses nothing")
    func backPressure() throws {
        var settings = ScanServerSettings()
        settings.queue = 2
        settings.threads = 1
        let harness = try Harness(settings: settings)
        let client = try harness.connect()
        let count: UInt32 = 300
        let handle = client.link
        for request in 1...count {
            let order = ScanOrder(
                options: ScanOptions(), envelope: ScanEnvelope(agent: "test"), name: "", size: 5)
            handle.enqueue(ScanRequest.scan(order).message(request: request), descriptor: try sealed("hello"))
        }
        var seen: Set<UInt32> = []
        while seen.count < Int(count) {
            try handle.flush()
            if let incoming = try handle.receive() { seen.insert(incoming.message.request) } else { usleep(500) }
        }
        #expect(seen == Set(1...count))
        harness.end()
    }

    @Test("too many requests of one client are answered busy")
    func perClientLimit() throws {
        var settings = ScanServerSettings()
        settings.perClient = 3
        let harness = try Harness(settings: settings)
        let client = try harness.connect()
        for request in 1...3 {
            try client.scan("ask", request: UInt32(request))
            _ = try client.reply()
        }
        try client.scan("hello", request: 4)
        guard case .failed(let failure) = try client.reply().reply else { throw NotAVerdict() }
        #expect(failure.reason == .busy)
        for request: UInt32 in 1...3 { client.send(ScanRequest.cancel.message(request: request)) }
        harness.end()
    }

    @Test("a sealed memfd is mapped, a named file copied, an unnamed one by trust")
    func mapping() throws {
        let harness = try Harness()
        let stranger = try harness.connect()
        let agent = try harness.connect(isTrusted: true)
        func note(_ client: TestLink, _ file: Descriptor) throws -> String? {
            let order = ScanOrder(options: ScanOptions(), envelope: ScanEnvelope(agent: "t"), name: "", size: 5)
            client.send(ScanRequest.scan(order).message(request: 1), file)
            return try client.verdict().findings.last?.name
        }
        #expect(try note(stranger, try sealed("hello")) == "mapped")
        let unnamed = try Descriptor.temporary(in: "/tmp")
        try unnamed.writeAll(Array("hello".utf8))
        #expect(try note(stranger, unnamed) == "copied")
        #expect(try note(agent, unnamed) == "mapped")
        let path = "/tmp/esets-mapping-\(getpid())"
        try Files.replace(path, with: Array("hello".utf8))
        defer { unlink(path) }
        #expect(try note(agent, try Descriptor.open(path, O_RDONLY)) == "copied")
        harness.end()
    }

    @Test("a short object may come within the request, but not with a descriptor too")
    func content() throws {
        let harness = try Harness()
        let client = try harness.connect()
        let text = "EICAR"
        let order = ScanOrder(
            options: ScanOptions(), envelope: ScanEnvelope(agent: "t"), name: "", size: 5,
            content: Array(text.utf8)[...])
        client.send(ScanRequest.scan(order).message(request: 1))
        let verdict = try client.verdict()
        #expect(verdict.isInfected)
        #expect(verdict.findings.last?.name == "sent")
        client.send(ScanRequest.scan(order).message(request: 2), try sealed(text))
        #expect(throws: PacketLink.Failure.self) { try client.receive() }
        harness.end()
    }

    @Test("an object that is shorter than announced, and one that is no file, are unreadable")
    func unreadable() throws {
        let harness = try Harness()
        let client = try harness.connect()
        try client.scan("hello", request: 1, size: 6)
        guard case .failed(let short) = try client.reply().reply else { throw NotAVerdict() }
        #expect(short.reason == .unreadable)
        let (socket, _) = try UnixSocket.pair()
        let order = ScanOrder(options: ScanOptions(), envelope: ScanEnvelope(agent: "t"), name: "", size: 0)
        client.send(ScanRequest.scan(order).message(request: 2), socket)
        guard case .failed(let odd) = try client.reply().reply else { throw NotAVerdict() }
        #expect(odd.reason == .unreadable)
        harness.end()
    }

    @Test("a client that breaks the protocol is dropped, others stay")
    func hostileClient() throws {
        let harness = try Harness()
        let good = try harness.connect()
        for attack in [
            WireMessage(type: 99, request: 1), WireMessage(type: 1, request: 1, body: [1, 2, 3]),
            ScanRequest.scan(
                ScanOrder(options: ScanOptions(), envelope: ScanEnvelope(agent: ""), name: "", size: 0)
            ).message(request: 1),
        ] {
            let bad = try harness.connect()
            bad.send(attack)
            #expect(throws: PacketLink.Failure.self) { try bad.receive() }
        }
        try good.scan("EICAR", request: 1)
        #expect(try good.verdict().isInfected)
        harness.end()
    }

    @Test("an isolated process serves one client, one request at a time, and ends")
    func isolation() throws {
        var settings = ScanServerSettings()
        settings.isIsolated = true
        let harness = try Harness(settings: settings)
        do {
            let client = try harness.connect()
            let second = try harness.connect()
            #expect(throws: PacketLink.Failure.self) { try second.receive() }
            try client.scan("ask", request: 1)
            _ = try client.reply()
            try client.scan("hello", request: 2)
            guard case .failed(let failure) = try client.reply().reply else { throw NotAVerdict() }
            #expect(failure.reason == .busy)
        }
        harness.join()
    }

    @Test("draining finishes what is under way and takes nothing new")
    func draining() throws {
        let harness = try Harness()
        let client = try harness.connect()
        try client.scan("ask", request: 1)
        _ = try client.reply()
        harness.manager.send(WorkerOrder.drain.message)
        var isBusy = false
        var request: UInt32 = 2
        while !isBusy {
            try client.scan("hello", request: request)
            if case .failed(let failure) = try client.reply().reply { isBusy = failure.reason == .busy }
            request += 1
        }
        client.send(ScanRequest.answers([]).message(request: 1))
        #expect(try client.verdict().findings.first?.name == "failed")
        harness.join()
    }

    @Test("an object that cannot be read to its end is noticed like a scan that hangs")
    func hangingRead() throws {
        var settings = ScanServerSettings()
        settings.stall = 0
        let engine = FakeEngine()
        let noticed = Mutex<[String]>([])
        let harness = try Harness(engine: engine, settings: settings) { text in
            noticed.withLock { $0.append(text) }
            engine.released.store(true, ordering: .relaxed)
        }
        let client = try harness.connect()
        try client.scan("stuck", request: 1)
        _ = try client.verdict()
        #expect(noticed.withLock { $0.first?.contains("stuck") } == true)
        harness.end()
    }

    @Test("foreign clients cannot take all connections")
    func foreignClients() throws {
        var settings = ScanServerSettings()
        settings.foreign = 1
        let harness = try Harness(settings: settings)
        let first = try harness.connect()
        let second = try harness.connect()
        let own = try harness.connect(isTrusted: true)
        #expect(throws: PacketLink.Failure.self) { _ = try second.receive() }
        for client in [first, own] {
            try client.scan("EICAR", request: 1)
            #expect(try client.verdict().isInfected)
        }
        harness.end()
    }

    @Test("users cannot take all threads, nor the places of agents or of other users")
    func fairness() throws {
        let engine = FakeEngine()
        var settings = ScanServerSettings()
        settings.threads = 3
        let harness = try Harness(engine: engine, settings: settings)
        let user = try harness.connect(user: 1_000)
        for request: UInt32 in 1...40 { try user.scan("hang", request: request) }
        // Two threads hang, and the user's further requests wait; agents have the third thread.
        _ = try harness.statistics { $0.running == 2 && $0.queued == 8 }
        let agent = try harness.connect(isTrusted: true)
        for request: UInt32 in 1...100 { try agent.scan("EICAR", request: request) }
        for _ in 1...100 { #expect(try agent.verdict().isInfected) }
        #expect(engine.inside.withLock { $0.peak } == 3)
        // Another user is read from, and comes before the rest of the first one's.
        let other = try harness.connect(user: 1_001)
        try other.scan("EICAR", request: 1)
        engine.released.store(true, ordering: .relaxed)
        #expect(try other.verdict().isInfected)
        for _ in 1...40 { _ = try user.verdict() }
        harness.end()
    }

    @Test("requests and suspended scans of one user are bounded over all connections")
    func perUserLimit() throws {
        var settings = ScanServerSettings()
        settings.foreignRequestsPerUser = 3
        let harness = try Harness(settings: settings)
        let clients = try (0..<4).map { _ in try harness.connect(user: 1_000) }
        for client in clients[..<3] {
            try client.scan("ask", request: 1)
            _ = try client.reply()
        }
        try clients[3].scan("hello", request: 1)
        guard case .failed(let failure) = try clients[3].reply().reply else { throw NotAVerdict() }
        #expect(failure.reason == .busy)
        for client in [try harness.connect(user: 1_001), try harness.connect(isTrusted: true, user: 1_000)] {
            try client.scan("EICAR", request: 1)
            #expect(try client.verdict().isInfected)
        }
        for client in clients[..<3] { client.send(ScanRequest.cancel.message(request: 1)) }
        harness.end()

        settings.foreignSuspended = 1
        let strict = try Harness(settings: settings)
        let first = try strict.connect()
        try first.scan("ask", request: 1)
        _ = try first.reply()
        // Nobody is asked any more: it goes on without an answer.
        let second = try strict.connect()
        try second.scan("ask", request: 1)
        #expect(try second.verdict().findings.contains { $0.name == "failed" })
        first.send(ScanRequest.cancel.message(request: 1))
        strict.end()
    }

    @Test("connections of one user are bounded")
    func perUserConnections() throws {
        var settings = ScanServerSettings()
        settings.foreignPerUser = 1
        let harness = try Harness(settings: settings)
        let first = try harness.connect(user: 1_000)
        let second = try harness.connect(user: 1_000)
        let other = try harness.connect(user: 1_001)
        #expect(throws: PacketLink.Failure.self) { _ = try second.receive() }
        for client in [first, other] {
            try client.scan("EICAR", request: 1)
            #expect(try client.verdict().isInfected)
        }
        harness.end()
    }

    @Test("a scan without a sign of life is noticed")
    func hanging() throws {
        var settings = ScanServerSettings()
        settings.stall = 0
        let engine = FakeEngine()
        let noticed = Mutex<[String]>([])
        let harness = try Harness(engine: engine, settings: settings) { text in
            noticed.withLock { $0.append(text) }
            engine.released.store(true, ordering: .relaxed)
        }
        let client = try harness.connect()
        try client.scan("hang", request: 1)
        _ = try client.verdict()
        #expect(noticed.withLock { $0.first?.contains("hang") } == true)
        harness.end()
    }
}
