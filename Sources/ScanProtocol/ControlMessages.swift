/// The version of the protocol that this program speaks. A manager answers WELCOME with the highest version
/// that both know.
///
/// 1: the first. 2: short objects may travel within their request.
package let scanProtocolVersion: UInt32 = 2

/// What a client tells the manager.
package enum ControlRequest: Sendable, Equatable {
    /// The first message of a connection: the highest version that the client speaks, and its name.
    case hello(version: UInt32, agent: String)
    /// A connection to a scanning process, please.
    case connect
    /// A connection to a scanning process that holds nothing else.
    case connectAlone
    /// What became of this scanning process?
    case fate(worker: UInt64)
    /// This object killed an isolated scanning process; its descriptor comes with the message. Kept for
    /// reproduction.
    case keep(worker: UInt64, name: String)
    /// A new generation is ready: try it, and use it if it is good. Privileged.
    case offer(generation: UInt64)
    /// How is everything?
    case status
    /// Read the configuration again. Privileged.
    case reload
    /// End the service. Privileged.
    case stop
    /// What an agent counted since its last such message.
    case counters([String: UInt64])

    enum Code: UInt16 {
        case hello = 33, connect, connectAlone, fate, keep, offer, status, reload, stop, counters
    }
}

/// What the manager answers.
package enum ControlReply: Sendable, Equatable {
    /// The version that is spoken, and whether privileged requests are allowed.
    case welcome(version: UInt32, isPrivileged: Bool)
    /// A connection to this scanning process comes with the message.
    case channel(worker: UInt64)
    case fate(WorkerFate)
    /// The request was done; for people.
    case accepted(String)
    /// The request was not done, and why.
    case refused(Refusal, String)
    /// Name and value of each fact, in the order in which they are shown.
    case status([StatusLine])

    enum Code: UInt16 { case welcome = 49, channel, fate, accepted, refused, status }
}

/// Why the manager refused.
package enum Refusal: UInt16, Sendable {
    /// The user may not do this.
    case notAllowed = 1
    /// No scanning process can take work now: try again later.
    case unavailable
    /// It was tried, and is not good: an offered generation, a changed configuration.
    case failed
    /// The protocol versions do not agree.
    case version
}

/// What became of a scanning process.
package enum WorkerFate: Sendable, Equatable {
    /// It runs. Its connection may have been closed for a reason of its own.
    case running
    /// It ended by its own decision.
    case exited(status: Int32)
    /// A signal ended it. SIGKILL comes from outside (out of memory, an administrator); any other is its own fault.
    case killed(signal: Int32)
    /// It is not known any more.
    case unknown

    /// Whether an object that it held alone is to blame: a signal of its own making.
    package var blamesObject: Bool {
        if case .killed(let signal) = self { signal != 9 && signal != 15 } else { false }
    }
}

/// One fact about the running system.
package struct StatusLine: Sendable, Equatable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

extension ControlRequest {
    private static let counterNames = 256

    /// - Parameter request: chosen by the client; the answer carries it too.
    package func message(request: UInt32 = 0) -> WireMessage {
        var writer = WireWriter()
        let code: Code
        switch self {
        case .hello(let version, let agent):
            code = .hello
            writer.write(version)
            writer.write(agent, limit: WireLimits.verdictText)
        case .connect: code = .connect
        case .connectAlone: code = .connectAlone
        case .fate(let worker):
            code = .fate
            writer.write(worker)
        case .keep(let worker, let name):
            code = .keep
            writer.write(worker)
            writer.write(name, limit: WireLimits.verdictText)
        case .offer(let generation):
            code = .offer
            writer.write(generation)
        case .status: code = .status
        case .reload: code = .reload
        case .stop: code = .stop
        case .counters(let counters):
            code = .counters
            let kept = counters.sorted { $0.key < $1.key }.prefix(ControlRequest.counterNames)
            writer.write(UInt32(kept.count))
            for (name, amount) in kept {
                writer.write(name, limit: WireLimits.verdictText)
                writer.write(amount)
            }
        }
        return WireMessage(type: code.rawValue, request: request, body: writer.bytes)
    }

    /// - Throws: `WireError` when the bytes are not such a message.
    package init(_ message: WireMessage) throws(WireError) {
        guard let code = Code(rawValue: message.type) else { throw WireError(.unknownMessage, "request") }
        var reader = WireReader(message.body)
        switch code {
        case .hello:
            self = .hello(
                version: try reader.integer("version"),
                agent: try reader.text("agent", limit: WireLimits.verdictText))
        case .connect: self = .connect
        case .connectAlone: self = .connectAlone
        case .fate: self = .fate(worker: try reader.integer("worker"))
        case .keep:
            self = .keep(
                worker: try reader.integer("worker"), name: try reader.text("name", limit: WireLimits.verdictText))
        case .offer: self = .offer(generation: try reader.integer("generation"))
        case .status: self = .status
        case .reload: self = .reload
        case .stop: self = .stop
        case .counters:
            var counters: [String: UInt64] = [:]
            for _ in 0..<(try reader.count("counters", limit: ControlRequest.counterNames, minimumSize: 12)) {
                let name = try reader.text("counter", limit: WireLimits.verdictText)
                counters[name] = try reader.integer("amount")
            }
            self = .counters(counters)
        }
        try reader.end("request")
    }
}

extension ControlReply {
    private static let lines = 1_024

    /// - Parameter request: chosen by the client; the answer carries it too.
    package func message(request: UInt32 = 0) -> WireMessage {
        var writer = WireWriter()
        let code: Code
        switch self {
        case .welcome(let version, let isPrivileged):
            code = .welcome
            writer.write(version)
            writer.write(isPrivileged)
        case .channel(let worker):
            code = .channel
            writer.write(worker)
        case .fate(let fate):
            code = .fate
            switch fate {
            case .running: writer.write(UInt8(0))
            case .exited(let status):
                writer.write(UInt8(1))
                writer.write(status)
            case .killed(let signal):
                writer.write(UInt8(2))
                writer.write(signal)
            case .unknown: writer.write(UInt8(3))
            }
        case .accepted(let text):
            code = .accepted
            writer.write(text)
        case .refused(let reason, let text):
            code = .refused
            writer.write(reason.rawValue)
            writer.write(text)
        case .status(let lines):
            code = .status
            let kept = lines.prefix(ControlReply.lines)
            writer.write(UInt32(kept.count))
            for line in kept {
                writer.write(line.name, limit: WireLimits.verdictText)
                writer.write(line.value, limit: WireLimits.line)
            }
        }
        return WireMessage(type: code.rawValue, request: request, body: writer.bytes)
    }

    /// - Throws: `WireError` when the bytes are not such a message.
    package init(_ message: WireMessage) throws(WireError) {
        guard let code = Code(rawValue: message.type) else { throw WireError(.unknownMessage, "reply") }
        var reader = WireReader(message.body)
        switch code {
        case .welcome:
            self = .welcome(version: try reader.integer("version"), isPrivileged: try reader.flag("privilege"))
        case .channel: self = .channel(worker: try reader.integer("worker"))
        case .fate:
            switch try reader.integer("fate", as: UInt8.self) {
            case 0: self = .fate(.running)
            case 1: self = .fate(.exited(status: try reader.integer("status")))
            case 2: self = .fate(.killed(signal: try reader.integer("signal")))
            case 3: self = .fate(.unknown)
            default: throw WireError(.badValue, "fate")
            }
        case .accepted: self = .accepted(try reader.text("text"))
        case .refused:
            guard let reason = Refusal(rawValue: try reader.integer("reason")) else {
                throw WireError(.badValue, "reason")
            }
            self = .refused(reason, try reader.text("text"))
        case .status:
            var lines: [StatusLine] = []
            for _ in 0..<(try reader.count("lines", limit: ControlReply.lines, minimumSize: 8)) {
                let name = try reader.text("name", limit: WireLimits.verdictText)
                lines.append(StatusLine(name, try reader.text("value", limit: WireLimits.line)))
            }
            self = .status(lines)
        }
        try reader.end("reply")
    }
}
