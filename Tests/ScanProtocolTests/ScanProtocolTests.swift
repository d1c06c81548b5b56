import ScanProtocol
import Testing

/// One value of every message.
enum Samples {
    static let question = Question(kind: .dnsA, key: Array("1.0.0.127.zen.example".utf8))

    static let requests: [ScanRequest] = [
        .scan(
            ScanOrder(
                options: ScanOptions(
                    numbers: ["av_scan_heur": 1, "av_scan_timeout": -1], texts: ["av_exclude": "/a::/b"]),
                envelope: ScanEnvelope(
                    agent: "smtp", sender: "", recipients: ["a@example.org", "b@example.org"],
                    clientAddress: "192.0.2.1", helo: nil),
                name: "from: ä", size: 12_345)),
        .answers([
            Answer(question: question, result: .found, text: Array("127.0.0.2".utf8)),
            Answer(question: Question(kind: .init(rawValue: 99), key: []), result: .failed),
        ]),
        .cancel,
    ]

    /// Since version 2.
    static let contentRequests: [ScanRequest] = [
        .scan(
            ScanOrder(
                options: ScanOptions(numbers: ["av_scan_heur": 1]), envelope: ScanEnvelope(agent: "smtp"), name: "m",
                size: 5, content: Array("hello".utf8)[...])),
        .scan(
            ScanOrder(options: ScanOptions(), envelope: ScanEnvelope(agent: "smtp"), name: "", size: 0, content: [])),
    ]

    static var verdict: ScanVerdict {
        var verdict = ScanVerdict()
        verdict.findings = [
            Finding(kind: .infected, name: "Eicar", source: "main", object: 3, offset: 0),
            Finding(kind: .spam, name: "RULE", score: -1.25),
            Finding(kind: .notScanned, name: "limit depth", object: 2),
        ]
        verdict.objects = [
            ObjectInfo(id: 1, parent: 0, size: 100),
            ObjectInfo(id: 3, parent: 1, name: "x.com", format: "MIME", type: 4, flags: 1, rootRange: 5..<90, size: 68),
        ]
        verdict.objectCount = 7
        verdict.spamScore = 3.5
        verdict.databaseVersion = 27_000
        verdict.generation = 12
        verdict.duration = 999
        return verdict
    }

    static let replies: [ScanReply] = [
        .verdict(verdict), .verdict(ScanVerdict()), .ask([question]), .failed(ScanFailure(.busy, "queue is full")),
    ]

    static let controlRequests: [ControlRequest] = [
        .hello(version: 1, agent: "smtp"), .connect, .connectAlone, .fate(worker: 9), .keep(worker: 4, name: "mail"),
        .offer(generation: 5), .status, .reload, .stop, .counters(["scanned": 4, "infected": 1]),
    ]

    static let controlReplies: [ControlReply] = [
        .welcome(version: 1, isPrivileged: true), .channel(worker: 3), .fate(.running), .fate(.exited(status: 1)),
        .fate(.killed(signal: 11)), .fate(.unknown), .accepted("generation 5"), .refused(.failed, "em002: self-test"),
        .status([StatusLine("SystemState", "running")]),
    ]

    static let orders: [WorkerOrder] = [
        .adopt(isTrusted: true, user: 0), .adopt(isTrusted: false, user: .max), .load(generation: 8), .drain,
    ]

    static var reports: [WorkerReport] {
        var statistics = WorkerStatistics()
        statistics.queued = 1
        statistics.suspended = 1000
        statistics.time = .max
        return [
            .loaded(LoadedGeneration(number: 8, database: 27_000, signatures: 5, modules: ["em001.scanner 1.0.0"])),
            .refused(generation: 9, "em001: signature"),
            .released(generation: 7), .log(.warning, "landlock is not available"), .statistics(statistics),
        ]
    }

    /// Every message, for the truncation test and the fuzzer's seeds.
    static var messages: [WireMessage] {
        requests.map { $0.message(request: 7) } + replies.map { $0.message(request: 7) }
            + controlRequests.map { $0.message() } + controlReplies.map { $0.message() } + orders.map(\.message)
            + reports.map(\.message) + contentRequests.map { $0.message(request: 7) }
    }
}

@Suite("Scanning protocol") struct ScanProtocolTests {
    @Test("sums of what processes say end at the largest number")
    func sums() {
        var lie = WorkerStatistics()
        lie.queued = .max
        lie.scanned = .max
        lie.time = .max
        var sum = WorkerStatistics()
        sum.clients = 3
        sum.add(lie)
        sum.add(lie)
        #expect(sum.queued == .max && sum.scanned == .max && sum.time == .max && sum.clients == 3)
        var rest = WorkerStatistics()
        rest.addCounts(lie)
        #expect(rest.queued == 0 && rest.scanned == .max)
    }

    @Test("each message decodes to what was encoded")
    func roundTrip() throws {
        for value in Samples.requests + Samples.contentRequests {
            #expect(try ScanRequest(value.message(request: 7)) == value)
        }
        for value in Samples.replies { #expect(try ScanReply(value.message(request: 7)) == value) }
        for value in Samples.controlRequests { #expect(try ControlRequest(value.message()) == value) }
        for value in Samples.controlReplies { #expect(try ControlReply(value.message()) == value) }
        for value in Samples.orders { #expect(try WorkerOrder(value.message) == value) }
        for value in Samples.reports { #expect(try WorkerReport(value.message) == value) }
    }

    /// Decodes with the decoder that the type belongs to.
    private func decode(_ message: WireMessage) throws {
        switch message.type {
        case 1...16: _ = try ScanRequest(message)
        case 17...32: _ = try ScanReply(message)
        case 33...48: _ = try ControlRequest(message)
        case 49...64: _ = try ControlReply(message)
        case 65...80: _ = try WorkerOrder(message)
        default: _ = try WorkerReport(message)
        }
    }

    @Test("every shorter body and every longer body is refused")
    func truncation() throws {
        for message in Samples.messages {
            for length in 0..<message.body.count {
                var short = message
                short.body = Array(message.body[..<length])
                #expect(throws: WireError.self, "type \(message.type), \(length) bytes") { try decode(short) }
            }
            var long = message
            long.body.append(0)
            #expect(throws: WireError.self, "type \(message.type)") { try decode(long) }
        }
    }

    @Test("message types are distinct across the three conversations")
    func types() {
        let ranges = [1...16, 17...32, 33...48, 49...64, 65...80, 81...96]
        let seen = Samples.messages.map { message in ranges.firstIndex { $0.contains(Int(message.type)) } }
        #expect(!seen.contains(nil))
        #expect(throws: WireError(.unknownMessage, "")) { try ScanRequest(WireMessage(type: 17)) }
    }

    @Test("an object within a request has the size that is announced, and a limit")
    func content() {
        var order = ScanOrder(
            options: ScanOptions(), envelope: ScanEnvelope(agent: "a"), name: "", size: 4,
            content: ArraySlice(repeating: 1, count: 5))
        #expect(throws: WireError(.badValue, "")) { try ScanRequest(ScanRequest.scan(order).message(request: 1)) }
        order.content = ArraySlice(repeating: 1, count: WireLimits.content)
        order.size = UInt64(WireLimits.content)
        #expect(throws: Never.self) { try ScanRequest(ScanRequest.scan(order).message(request: 1)) }
        order.content?.append(1)
        order.size += 1
        #expect(throws: WireError(.tooLong, "")) { try ScanRequest(ScanRequest.scan(order).message(request: 1)) }
    }

    @Test("a count that promises more than there is allocates nothing and is refused")
    func hugeCount() {
        let body: [UInt8] = [0xff, 0xff, 0xff, 0x7f]
        #expect(throws: WireError.self) { try ScanRequest(WireMessage(type: 2, body: body)) }
        #expect(throws: WireError.self) { try ScanReply(WireMessage(type: 18, body: [0, 16, 0, 0])) }
    }

    @Test("when findings must be left out, threats and unscanned parts stay")
    func tooManyFindings() throws {
        var verdict = ScanVerdict()
        verdict.findings = (0..<20_000).map { Finding(kind: .note, name: "note \($0)") }
        verdict.findings.append(Finding(kind: .notScanned, name: "limit"))
        verdict.findings.append(Finding(kind: .infected, name: "Eicar"))
        guard case .verdict(let decoded) = try ScanReply(ScanReply.verdict(verdict).message(request: 1)) else {
            Issue.record("not a verdict")
            return
        }
        #expect(decoded.findings.count == WireLimits.findings)
        #expect(decoded.isInfected)
        #expect(decoded.notScanned.count == 1)
    }

    @Test("the largest verdict fits into the limit of a reply")
    func largestVerdict() {
        var verdict = ScanVerdict()
        let text = String(repeating: "x", count: 600)
        verdict.findings = (0..<9_000).map { Finding(kind: .infected, name: text, source: text, object: UInt64($0)) }
        verdict.objects = (0..<9_000).map {
            ObjectInfo(id: UInt64($0), parent: 1, name: text, format: text, rootRange: 0..<9)
        }
        let message = ScanReply.verdict(verdict).message(request: 1)
        #expect(message.body.count <= WireLimits.reply)
    }

    @Test("the recipients of a request are cut to what fits")
    func manyRecipients() throws {
        let recipient = String(repeating: "r", count: 300) + "@example.org"
        let order = ScanOrder(
            options: ScanOptions(),
            envelope: ScanEnvelope(agent: "smtp", recipients: .init(repeating: recipient, count: 9_000)),
            name: "", size: 0)
        let message = ScanRequest.scan(order).message(request: 1)
        #expect(message.body.count <= WireLimits.request)
        #expect(throws: Never.self) { try ScanRequest(message) }
    }

    @Test("text is cut between characters")
    func cutting() throws {
        var writer = WireWriter()
        writer.write("aä", limit: 2)
        var reader = WireReader(writer.bytes)
        #expect(try reader.text("text") == "a")
    }

    @Test("signals that come from outside never blame an object")
    func blame() {
        #expect(WorkerFate.killed(signal: 11).blamesObject)
        #expect(WorkerFate.killed(signal: 4).blamesObject)
        #expect(!WorkerFate.killed(signal: 9).blamesObject)
        #expect(!WorkerFate.exited(status: 1).blamesObject)
        #expect(!WorkerFate.unknown.blamesObject)
        #expect(!WorkerFate.running.blamesObject)
    }

    @Test("mutated messages trap nowhere and what decodes survives encoding")
    func mutation() {
        var state: UInt64 = 0x2545_f491_4f6c_dd1d
        func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        for message in Samples.messages {
            for _ in 0..<200 {
                var input: [UInt8] = []
                for var packet in message.packets where packet.count < 65_536 {
                    for _ in 0..<(next() % 3) {
                        packet[Int(next() % UInt64(packet.count))] = UInt8(truncatingIfNeeded: next())
                    }
                    input += [UInt8(packet.count & 255), UInt8(packet.count >> 8)] + packet
                }
                input.withUnsafeBytes { fuzzScanProtocol($0) }
            }
        }
    }
}

@Suite struct OptionSharingTests {
    private func order(_ options: ScanOptions) -> ScanRequest {
        .scan(ScanOrder(options: options, envelope: ScanEnvelope(agent: "smtp"), name: "", size: 1))
    }

    @Test func changedOptionsAreEncodedAnew() throws {
        var options = ScanOptions(numbers: ["av_scan_heur": 1])
        let first = order(options).message(request: 1)
        let copy = options
        options.numbers["av_scan_heur"] = 0
        options.texts["av_exclude"] = "/a"
        #expect(try ScanRequest(order(options).message(request: 1)) == order(options))
        #expect(order(copy).message(request: 1) == first)
        #expect(copy != options)
    }

    @Test func theSameOptionsShareWhatIsMadeOfThem() throws {
        final class Made: Sendable {}
        func received(_ options: ScanOptions) throws -> ScanOptions {
            guard case .scan(let order) = try ScanRequest(order(options).message(request: 7)) else {
                return ScanOptions()
            }
            return order.options
        }
        let options = ScanOptions(numbers: ["shared option": 5], texts: ["shared text": "x"])
        let one = try received(options).derived { Made() }
        #expect(try received(options).derived { Made() } === one)
        // Many others push it out; it is decoded again, and equal.
        for number in 0..<40 {
            #expect(try received(ScanOptions(numbers: ["n": Int64(number)])).numbers == ["n": Int64(number)])
        }
        #expect(try received(options) == options)
    }
}
