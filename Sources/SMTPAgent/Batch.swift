import SMTP

/// Commands of the client that came together, and are relayed together when the next hop pipelines; the replies
/// go back in the same order.
struct Batch {
    enum Entry {
        /// Our own reply.
        case answer(Reply)
        case mail(MailCommand)
        /// A sender that the client was told to be right: see `Transaction.isSenderHeld`.
        case heldMail(MailCommand)
        case recipient(RecipientCommand)

        /// Whether the next hop has to answer.
        var isRelayed: Bool {
            if case .answer = self { false } else { true }
        }

        /// What goes to the next hop. Only the reply to the last command is for the client.
        func commands(xforward: XForward, for hop: NextHop) -> [[UInt8]] {
            switch self {
            case .answer: []
            case .mail(let mail), .heldMail(let mail):
                xforward.commands(offered: hop.extensions.xforward) + [mail.bytes()]
            case .recipient(let recipient): [recipient.bytes]
            }
        }
    }

    private(set) var entries: [Entry] = []
    /// How many RCPT are among them.
    private(set) var recipientCount = 0

    var isEmpty: Bool { entries.isEmpty }
    /// Bounds what a client can make us hold, and keeps both sides from waiting for each other's full buffers.
    var isFull: Bool { entries.count >= 64 }

    mutating func add(_ entry: Entry) {
        entries.append(entry)
        if case .recipient = entry { recipientCount += 1 }
    }
}
