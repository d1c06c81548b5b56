/// What the manager tells a scanning process over the socket it was started with.
package enum WorkerOrder: Sendable, Equatable {
    /// Serve this client; the connection comes with the message. Objects of a trusted client that nobody
    /// else can reach (unnamed files of the spool) are mapped, all others copied. `user` is the number of the client's
    /// user, as the kernel gave it.
    case adopt(isTrusted: Bool, user: UInt32)
    /// Use this generation for new requests.
    case load(generation: UInt64)
    /// Take no new clients, finish what is under way, end.
    case drain

    enum Code: UInt16 { case adopt = 65, load, drain }
}

/// What a scanning process, or a canary, tells the manager.
package enum WorkerReport: Sendable, Equatable {
    /// This generation was loaded and is used from now on.
    case loaded(LoadedGeneration)
    /// This generation was refused, and why; the old one stays.
    case refused(generation: UInt64, String)
    /// The last scan with this generation ended; its modules are unloaded.
    case released(generation: UInt64)
    /// One line for the log, because a scanning process can reach no log of its own.
    case log(LogLevel, String)
    /// Sent about each second when something changed.
    case statistics(WorkerStatistics)

    package enum LogLevel: UInt8, Sendable { case error, warning, info, debug }
    enum Code: UInt16 { case loaded = 81, refused, released, log, statistics }
}

/// What a scanning process says about a generation that it loaded.
package struct LoadedGeneration: Sendable, Equatable {
    package var number: UInt64
    /// Version of the signature database; 0 = none.
    package var database: UInt64
    package var signatures: UInt64
    /// Id and version of each module in load order: "em001.scanner 1.0.0". At most 64.
    package var modules: [String]

    package init(number: UInt64, database: UInt64 = 0, signatures: UInt64 = 0, modules: [String] = []) {
        self.number = number
        self.database = database
        self.signatures = signatures
        self.modules = modules
    }
}

/// What a scanning process is doing. Counts are since its start.
package struct WorkerStatistics: Sendable, Equatable {
    /// Scans waiting for a thread.
    package var queued: UInt32 = 0
    /// Scans on a thread.
    package var running: UInt32 = 0
    /// Scans waiting for answers.
    package var suspended: UInt32 = 0
    package var clients: UInt32 = 0
    package var scanned: UInt64 = 0
    package var infected: UInt64 = 0
    /// Verdicts with parts that were not scanned.
    package var incomplete: UInt64 = 0
    package var failed: UInt64 = 0
    package var bytes: UInt64 = 0
    /// Nanoseconds of scanning, all threads together.
    package var time: UInt64 = 0

    package init() {}

    /// Adds what another process says. It may say anything, so sums end at the largest number instead of trapping.
    package mutating func add(_ other: WorkerStatistics) {
        for path in [\WorkerStatistics.queued, \.running, \.suspended, \.clients] {
            self[keyPath: path] = Self.sum(self[keyPath: path], other[keyPath: path])
        }
        addCounts(other)
    }

    /// Adds only what counts since the start: what a process that ended leaves behind.
    package mutating func addCounts(_ other: WorkerStatistics) {
        for path in [\WorkerStatistics.scanned, \.infected, \.incomplete, \.failed, \.bytes, \.time] {
            self[keyPath: path] = Self.sum(self[keyPath: path], other[keyPath: path])
        }
    }

    private static func sum<T: FixedWidthInteger>(_ a: T, _ b: T) -> T {
        let (value, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : value
    }
}

extension WorkerOrder {
    package var message: WireMessage {
        var writer = WireWriter()
        switch self {
        case .adopt(let isTrusted, let user):
            writer.write(isTrusted)
            writer.write(user)
            return WireMessage(type: Code.adopt.rawValue, body: writer.bytes)
        case .load(let generation):
            writer.write(generation)
            return WireMessage(type: Code.load.rawValue, body: writer.bytes)
        case .drain:
            return WireMessage(type: Code.drain.rawValue)
        }
    }

    /// - Throws: `WireError` when the bytes are not such a message.
    package init(_ message: WireMessage) throws(WireError) {
        guard let code = Code(rawValue: message.type) else { throw WireError(.unknownMessage, "order") }
        var reader = WireReader(message.body)
        switch code {
        case .adopt: self = .adopt(isTrusted: try reader.flag("trust"), user: try reader.integer("user"))
        case .load: self = .load(generation: try reader.integer("generation"))
        case .drain: self = .drain
        }
        try reader.end("order")
    }
}

extension WorkerReport {
    package var message: WireMessage {
        var writer = WireWriter()
        let code: Code
        switch self {
        case .loaded(let loaded):
            code = .loaded
            writer.write(loaded.number)
            writer.write(loaded.database)
            writer.write(loaded.signatures)
            let modules = loaded.modules.prefix(64)
            writer.write(UInt32(modules.count))
            for module in modules { writer.write(module, limit: WireLimits.verdictText) }
        case .refused(let generation, let text):
            code = .refused
            writer.write(generation)
            writer.write(text, limit: WireLimits.line)
        case .released(let generation):
            code = .released
            writer.write(generation)
        case .log(let level, let text):
            code = .log
            writer.write(level.rawValue)
            writer.write(text, limit: WireLimits.line)
        case .statistics(let s):
            code = .statistics
            for count in [s.queued, s.running, s.suspended, s.clients] { writer.write(count) }
            for count in [s.scanned, s.infected, s.incomplete, s.failed, s.bytes, s.time] { writer.write(count) }
        }
        return WireMessage(type: code.rawValue, body: writer.bytes)
    }

    /// - Throws: `WireError` when the bytes are not such a message.
    package init(_ message: WireMessage) throws(WireError) {
        guard let code = Code(rawValue: message.type) else { throw WireError(.unknownMessage, "report") }
        var reader = WireReader(message.body)
        switch code {
        case .loaded:
            var loaded = LoadedGeneration(number: try reader.integer("generation"))
            loaded.database = try reader.integer("database version")
            loaded.signatures = try reader.integer("number of signatures")
            for _ in 0..<(try reader.count("modules", limit: 64, minimumSize: 4)) {
                loaded.modules.append(try reader.text("module", limit: WireLimits.verdictText))
            }
            self = .loaded(loaded)
        case .refused:
            let generation: UInt64 = try reader.integer("generation")
            self = .refused(generation: generation, try reader.text("reason", limit: WireLimits.line))
        case .released: self = .released(generation: try reader.integer("generation"))
        case .log:
            guard let level = LogLevel(rawValue: try reader.integer("level")) else {
                throw WireError(.badValue, "level")
            }
            self = .log(level, try reader.text("text", limit: WireLimits.line))
        case .statistics:
            var s = WorkerStatistics()
            s.queued = try reader.integer("queued")
            s.running = try reader.integer("running")
            s.suspended = try reader.integer("suspended")
            s.clients = try reader.integer("clients")
            s.scanned = try reader.integer("scanned")
            s.infected = try reader.integer("infected")
            s.incomplete = try reader.integer("incomplete")
            s.failed = try reader.integer("failed")
            s.bytes = try reader.integer("bytes")
            s.time = try reader.integer("time")
            self = .statistics(s)
        }
        try reader.end("report")
    }
}
