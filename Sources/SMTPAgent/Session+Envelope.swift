import EventLoop
import SMTP

/// The envelope of the message under way.
struct Transaction {
    var mail: MailCommand?
    /// We have taken the sender ourselves; the next hop hears of it together with the first recipient, which saves a
    /// round trip for each message. A refusal of the sender then is the reply to each recipient, as many servers do it
    /// (Postfix: smtpd_delay_reject).
    var isSenderHeld = false
    /// What the next hop said to a sender that was held.
    var senderRefusal: Reply?
    /// Those that the next hop took.
    var recipients: [RecipientCommand] = []
    /// Whether RCPT was tried at all.
    var triedRecipients = false
    /// The policy of the last recipient that was tried; those that were taken share it.
    var policy: RecipientPolicy?

    var sender: String { mail?.path.text ?? "" }
    var addresses: [String] { recipients.map(\.path.text) }
}

// MAIL, RCPT and RSET: relayed as they come, in one write where the next hop pipelines.
extension Session {
    func begin(_ mail: MailCommand) async throws(SessionEnd) {
        // Recipients are judged when they come, so the sender must be settled before.
        try await flushBatch()
        let limit = server.offer.announcedSize(announced)
        if let size = mail.declaredSize, limit > 0, size > limit {
            server.endTransaction()
            server.countIdleCommand()
            batch.add(.answer(.messageTooBig))
            return
        }
        transaction = Transaction()
        transaction.mail = mail
        if mayHoldSender {
            transaction.isSenderHeld = true
            batch.add(.answer(.senderOk))
        } else {
            batch.add(.mail(mail))
        }
    }

    /// Not where the client is to see the server's own replies, and not before it is known what that server can do.
    private var mayHoldSender: Bool {
        guard case .filter = settings.role, let hop else { return false }
        return hop.pipelines && !server.isAuthenticated
    }

    func add(_ recipient: RecipientCommand) async throws(SessionEnd) {
        transaction.triedRecipients = true
        guard transaction.recipients.count + batch.recipientCount < settings.maximumRecipients else {
            server.countRefusedRecipient()
            batch.add(.answer(.tooManyRecipients))
            return
        }
        let policy = settings.policy(
            recipient: recipient.path.text, sender: transaction.sender, clientAddress: clientAddress)
        if let current = transaction.policy, current.number != policy.number {
            // The recipient that set the policy may have been refused, which only its reply tells.
            try await flushBatch()
            guard transaction.recipients.isEmpty else {
                server.countRefusedRecipient()
                batch.add(.answer(.otherPolicy))
                return
            }
        }
        transaction.policy = policy
        if transaction.isSenderHeld, let mail = transaction.mail {
            transaction.isSenderHeld = false
            batch.add(.heldMail(mail))
        }
        batch.add(.recipient(recipient))
    }

    /// Relays what was collected and answers the client, in order.
    func flushBatch() async throws(SessionEnd) {
        guard !batch.isEmpty else { return }
        let entries = batch.entries
        batch = Batch()
        var progress = Progress()
        let isReused = hop?.isReused == true
        let mayBeStale = hop?.isUsed == true && hop?.isInTransaction == false && !server.isAuthenticated
        do throws(HopError) {
            do throws(HopError) {
                try await relay(entries, &progress)
            } catch .lost where mayBeStale && !progress.heardHop {
                // It hung up between two messages.
                if isReused { keptHops.foundDead() }
                dropHop()
                try await relay(entries, &progress)
            }
        } catch {
            throw hopFailed(error)
        }
    }

    private struct Progress {
        /// Entries that were answered.
        var done = 0
        /// Whether the next hop answered any of them.
        var heardHop = false
    }

    private func relay(_ entries: [Batch.Entry], _ progress: inout Progress) async throws(HopError) {
        let rest = entries[progress.done...]
        guard rest.contains(where: \.isRelayed) else {
            for case .answer(let reply) in rest { client.write(reply.bytes) }
            progress.done = entries.count
            return
        }
        let hop = try await currentHop(saying: server.helo ?? [])
        if !xforward.isEmpty { hop.hasForwarded = true }
        let commands = rest.map { $0.commands(xforward: xforward, for: hop) }
        if hop.pipelines { for list in commands { for command in list { hop.write(command) } } }
        for (entry, list) in zip(rest, commands) {
            if case .answer(let reply) = entry {
                client.write(reply.bytes)
            } else {
                var last = Reply.ok
                for command in list {
                    if !hop.pipelines { hop.write(command) }
                    last = try await hop.reply(within: settings.timeouts.hopCommand)
                    if last.code == 421 { throw .lost("\(last.code) \(last.text)") }
                    progress.heardHop = true
                }
                // Whatever a server says to recipients of a sender that it has refused, they are refused.
                if case .recipient = entry, let refusal = transaction.senderRefusal { last = refusal }
                note(last, to: entry, hop)
                if case .heldMail = entry {} else { client.write(last.bytes) }
            }
            progress.done += 1
        }
        hop.isUsed = true
    }

    private func note(_ reply: Reply, to entry: Batch.Entry, _ hop: NextHop) {
        switch entry {
        case .mail:
            hop.isInTransaction = reply.isPositive
            if !reply.isPositive {
                server.endTransaction()
                server.countIdleCommand()
                transaction.mail = nil
            }
        case .heldMail:
            hop.isInTransaction = reply.isPositive
            if !reply.isPositive { transaction.senderRefusal = reply }
        case .recipient(let recipient):
            if reply.isPositive {
                transaction.recipients.append(recipient)
            } else if reply.isPermanent, settings.role == .transparent {
                server.countError()
            } else {
                server.countRefusedRecipient()
            }
        case .answer: break
        }
    }

    func reset() async throws(SessionEnd) {
        try await flushBatch()
        await hop?.reset()
        endTransaction()
        batch.add(.answer(.ok))
    }

    /// Forgets the envelope. The next hop is told by the caller.
    func endTransaction() {
        transaction = Transaction()
        xforward = XForward()
        server.endTransaction()
    }
}
