package import Bytes

/// The server's side of one SMTP connection, without I/O: bytes in, events out. It checks grammar and order of the
/// commands and bounds what a client may send; what to answer to a valid command is the caller's.
///
/// Input is never dropped (RFC 2920): what arrived after a command stays until `next` or `content` asks for it. The
/// caller reads from the connection only when `next` gave nil, so at most one read and one line are held.
package struct ServerSession: Sendable {
    /// What bounds a client.
    package struct Limits: Sendable, Equatable {
        /// Longest command line in octets, without its end (RFC 5321: 510, more with extensions).
        package var commandLine = 2048
        /// Longest line of an AUTH exchange (RFC 4954 section 4: 12288).
        package var responseLine = 12288
        /// Rejected commands and recipients after which the connection ends.
        package var errors = 20
        /// Commands that do nothing (NOOP, RSET, VRFY, HELP, EHLO, XFORWARD, a MAIL that is refused …) between two
        /// messages after which it ends.
        package var idleCommands = 100
        /// Recipients that were refused between two messages after which it ends. Many, because a client may well have
        /// to send a message again for a thousand of them.
        package var refusedRecipients = 10_000

        package init() {}
    }

    package enum Event: Sendable, Equatable {
        /// A valid command at a valid time.
        case command(Command)
        /// A line that cannot be obeyed, and the answer to it.
        case rejected(Reply)
        /// A line of the client in an AUTH exchange.
        case response([UInt8])
        /// Answer this and hang up.
        case close(Reply)
    }

    private enum Mode: Sendable {
        case commands
        case response
        case content(DataDecoder)
        /// Octets of a chunk that was not asked for.
        case chunk(remaining: UInt64)
    }

    private let limits: Limits
    private let bareNewline: BareNewline
    private var pending: [UInt8] = []
    private var start = 0
    private var mode = Mode.commands
    private var discardingLine = false
    private var errors = 0
    private var idleCommands = 0
    private var refusedRecipients = 0
    private var closing = false

    /// The name of the last HELO or EHLO.
    package private(set) var helo: [UInt8]?
    /// Whether that was EHLO.
    package private(set) var isExtended = false
    /// Whether MAIL was accepted, or is under way to the next hop.
    package private(set) var isInTransaction = false
    /// What the caller announced; commands of extensions that were not are refused.
    package var offer = Offer()
    package private(set) var isAuthenticated = false

    package init(limits: Limits = Limits(), bareNewline: BareNewline) {
        self.limits = limits
        self.bareNewline = bareNewline
    }

    /// Whether input is waiting for `next` or `content`.
    package var hasPending: Bool { start < pending.count }

    /// Adds what the client sent.
    package mutating func receive(_ input: ByteView) {
        if start > 0 {
            pending.removeFirst(start)
            start = 0
        }
        pending.append(contentsOf: input.buffer)
    }

    /// The next event of what was received; nil when more is needed, or while content is being read.
    package mutating func next() -> Event? {
        if closing { return nil }
        while true {
            switch mode {
            case .content: return nil
            case .chunk(let remaining):
                let used = min(UInt64(pending.count - start), remaining)
                start += Int(used)
                guard used == remaining else {
                    mode = .chunk(remaining: remaining - used)
                    return nil
                }
                mode = .commands
                return reject(.notImplemented)
            case .response:
                guard let line = takeLine(limit: limits.responseLine) else { return nil }
                mode = .commands
                switch line {
                case .tooLong: return reject(.lineTooLong)
                case .line(let bytes, _):
                    let clean = !bytes.contains { $0 < 0x20 || $0 >= 0x7F }
                    return clean ? .response(bytes) : reject(.badArgument)
                }
            case .commands:
                guard let line = takeLine(limit: limits.commandLine) else { return nil }
                switch line {
                case .tooLong: return reject(.lineTooLong)
                case .line(let bytes, let bare):
                    if bare, bareNewline == .reject { return reject(.bareNewline) }
                    if let event = command(bytes) { return event }
                }
            }
        }
    }

    // MARK: - What the caller did

    /// 354 was sent: what follows is content.
    package mutating func beginContent() {
        mode = .content(DataDecoder(bareNewline: bareNewline))
        idleCommands = 0
        refusedRecipients = 0
    }

    /// How content ended.
    package struct ContentEnd: Sendable, Equatable {
        /// The message has a bare CR or LF and these are rejected: answer 550.
        package let isRejected: Bool
        package let sawNUL: Bool
    }

    /// Takes content: first what was pending, then `input`. What follows the end of the message stays pending.
    /// - Parameters:
    ///   - input: newly received bytes, not yet given to `receive`; all are taken.
    ///   - out: the content, without stuffed dots, is appended to it.
    /// - Returns: how it ended, or nil when it goes on. The transaction goes on either way.
    package mutating func content(_ input: ByteView, into out: inout [UInt8]) -> ContentEnd? {
        guard case .content(var decoder) = mode else {
            receive(input)
            return nil
        }
        if hasPending {
            let used = pending.withUnsafeBufferPointer { decoder.decode(ByteView($0).dropFirst(start), into: &out) }
            guard let used else {
                pending.removeAll(keepingCapacity: true)
                start = 0
                mode = .content(decoder)
                return input.isEmpty ? nil : content(input, into: &out)
            }
            start += used
            receive(input)
            return end(decoder)
        }
        guard let used = decoder.decode(input, into: &out) else {
            mode = .content(decoder)
            return nil
        }
        receive(input.dropFirst(used))
        return end(decoder)
    }

    /// A 334 was sent: the next line is a response.
    package mutating func expectResponse() { mode = .response }

    /// The AUTH exchange succeeded.
    package mutating func authenticated() { isAuthenticated = true }

    /// The transaction ended: delivered, failed, reset, or MAIL was refused.
    package mutating func endTransaction() { isInTransaction = false }

    /// Counts a refusal that was not the session's own, such as the next hop's 550 to a recipient.
    package mutating func countError() { errors += 1 }

    /// Counts a command that was valid and came to nothing, such as a MAIL that was refused.
    package mutating func countIdleCommand() { idleCommands += 1 }

    /// Counts a recipient that was refused, by us or by the next hop.
    package mutating func countRefusedRecipient() { refusedRecipients += 1 }

    /// Call it before the 220 to STARTTLS.
    /// - Returns: false when the client sent on in clear text: somebody may have injected it, so hang up.
    package mutating func beginTLS() -> Bool {
        guard !hasPending else { return false }
        (helo, isExtended, isInTransaction, isAuthenticated) = (nil, false, false, false)
        offer.startTLS = false
        return true
    }

    // MARK: - Inside

    private enum Line {
        /// Without its end, and whether that was a bare LF.
        case line([UInt8], bare: Bool)
        case tooLong
    }

    private mutating func takeLine(limit: Int) -> Line? {
        let found = pending.withUnsafeBufferPointer { ByteView($0).firstIndex(of: 0x0A, from: start) }
        guard let found else {
            if pending.count - start > limit + 1 {
                discardingLine = true
                pending.removeAll(keepingCapacity: true)
                start = 0
            }
            return nil
        }
        defer { start = found + 1 }
        if discardingLine || found - start > limit + 1 {
            discardingLine = false
            return .tooLong
        }
        let bare = found == start || pending[found - 1] != 0x0D
        return .line(Array(pending[start..<(bare ? found : found - 1)]), bare: bare)
    }

    private mutating func end(_ decoder: DataDecoder) -> ContentEnd {
        mode = .commands
        return ContentEnd(
            isRejected: decoder.sawBareNewline && bareNewline == .reject, sawNUL: decoder.sawNUL)
    }

    private mutating func reject(_ reply: Reply) -> Event {
        errors += 1
        guard errors > limits.errors else { return .rejected(reply) }
        return close(.tooManyErrors)
    }

    private mutating func close(_ reply: Reply) -> Event {
        closing = true
        pending = []
        start = 0
        return .close(reply)
    }

    /// nil for a chunk, whose octets come first.
    private mutating func command(_ line: [UInt8]) -> Event? {
        let result = line.withUnsafeBufferPointer { CommandParser.parse(ByteView($0)) }
        switch result {
        case .foreign: return close(.notSMTP)
        case .rejected(let reply): return reject(reply)
        case .command(.bdat):
            guard let size = line.withUnsafeBufferPointer({ CommandParser.chunkSize(ByteView($0)) }) else {
                return close(.tooManyErrors)
            }
            mode = .chunk(remaining: size)
            return nil
        case .command(let command):
            if errors > limits.errors { return close(.tooManyErrors) }
            if let refusal = refusal(command) { return reject(refusal) }
            return note(command)
        }
    }

    /// Why a command may not come now.
    private func refusal(_ command: Command) -> Reply? {
        switch command {
        case .mail: helo == nil ? .helloFirst : isInTransaction ? .nestedMail : nil
        case .recipient, .data: helo == nil ? .helloFirst : isInTransaction ? nil : .mailFirst
        case .startTLS: !offer.startTLS ? .notImplemented : isInTransaction ? .badSequence : nil
        case .auth(let mechanism, _):
            if offer.mechanisms.isEmpty {
                .notImplemented
            } else if helo == nil || isInTransaction || isAuthenticated {
                .badSequence
            } else {
                offer.mechanisms.contains(mechanism) ? nil : Reply(504, "5.5.4 Unrecognised authentication type")
            }
        case .xforward: !offer.xforward ? .notImplemented : helo == nil || isInTransaction ? .badSequence : nil
        case .expand: .notImplemented
        case .unknown: .syntax
        case .helo, .ehlo, .bdat, .reset, .noop, .verify, .help, .quit: nil
        }
    }

    private mutating func note(_ command: Command) -> Event {
        switch command {
        case .helo(let name), .ehlo(let name):
            helo = name
            if case .ehlo = command { isExtended = true } else { isExtended = false }
            isInTransaction = false
            idleCommands += 1
        case .mail: isInTransaction = true
        case .reset:
            isInTransaction = false
            idleCommands += 1
        case .noop, .verify, .help, .xforward: idleCommands += 1
        default: break
        }
        let isIdle = idleCommands > limits.idleCommands || refusedRecipients > limits.refusedRecipients
        return isIdle ? close(.tooManyErrors) : .command(command)
    }
}
