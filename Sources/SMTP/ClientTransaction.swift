/// One mail transaction towards a server, without I/O: which commands to write, and what the replies mean.
///
/// With PIPELINING, MAIL, every RCPT and DATA go out in one write (RFC 2920); without, one at a time. When the server
/// answers DATA with 354 though it took no recipient, a lone dot ends the empty message (RFC 2920 section 3.1).
package struct ClientTransaction: Sendable {
    /// What to do next.
    package enum Step: Sendable, Equatable {
        /// Send these bytes and wait for the next reply.
        case write([UInt8])
        /// Wait for the next reply.
        case wait
        /// The server waits for the content, ended by CRLF.CRLF.
        case content
        /// The transaction ended; see `result`.
        case done
    }

    private enum Phase: Sendable, Equatable {
        case mail, recipients(Int), data, lonelyDot, content, finalReply, done
    }

    private let mail: MailCommand
    private let recipients: [RecipientCommand]
    private let size: UInt64?
    private let pipelining: Bool
    private var phase = Phase.mail

    /// The reply to MAIL.
    package private(set) var mailReply: Reply?
    /// The replies to each RCPT, in order.
    package private(set) var recipientReplies: [Reply] = []
    /// The reply that decides: to the final dot, or the first negative one that ended the transaction.
    package private(set) var result: Reply?

    /// - Parameters:
    ///   - mail: the sender, with the parameters as they go out.
    ///   - recipients: at least one.
    ///   - size: octets of the content, declared when the server announced SIZE; nil keeps the client's own words.
    ///   - pipelining: whether the server announced PIPELINING.
    package init(mail: MailCommand, recipients: [RecipientCommand], size: UInt64?, pipelining: Bool) {
        self.mail = mail
        self.recipients = recipients
        self.size = size
        self.pipelining = pipelining
    }

    /// How many recipients the server took.
    package var acceptedCount: Int { recipientReplies.count { $0.isPositive } }

    /// Whether replies are still to come for commands that were written.
    package var isWaiting: Bool { phase != .content && phase != .done }

    /// The first bytes.
    package func start() -> [UInt8] {
        var out = mail.bytes(declaring: size)
        guard pipelining else { return out }
        for recipient in recipients { out += recipient.bytes }
        return out + Self.data
    }

    /// Takes one reply.
    package mutating func receive(_ reply: Reply) -> Step {
        switch phase {
        case .mail:
            mailReply = reply
            if !reply.isPositive { result = reply }
            guard pipelining || reply.isPositive else { return finish() }
            return afterRecipient(0)
        case .recipients(let index):
            recipientReplies.append(reply)
            return afterRecipient(index + 1)
        case .data:
            guard reply.code == 354 else {
                if result == nil { result = reply.isPositive ? .nextHopLost : reply }
                return finish()
            }
            guard acceptedCount > 0, result == nil else {
                phase = .lonelyDot
                return .write([0x2E, 0x0D, 0x0A])
            }
            phase = .content
            return .content
        case .lonelyDot: return finish()
        case .content, .finalReply:
            result = reply
            return finish()
        case .done: return .done
        }
    }

    /// The content was written; the reply to the final dot comes next.
    package mutating func contentSent() {
        if phase == .content { phase = .finalReply }
    }

    private static let data = Array("DATA\r\n".utf8)

    private mutating func finish() -> Step {
        phase = .done
        if result == nil { result = .noValidRecipients }
        return .done
    }

    private mutating func afterRecipient(_ index: Int) -> Step {
        if index < recipients.count {
            phase = .recipients(index)
            return pipelining ? .wait : .write(recipients[index].bytes)
        }
        if acceptedCount == 0, result == nil {
            result = recipientReplies.first { !$0.isPositive } ?? .noValidRecipients
        }
        guard pipelining || acceptedCount > 0 else { return finish() }
        phase = .data
        return pipelining ? .wait : .write(Self.data)
    }
}
