import Bytes
import EventLoop
import Mail
import Platform
import Quarantine
import SMTP
import ScanProtocol

// The content: received into the spool, scanned, decided, and answered.
extension Session {
    /// DATA.
    func receiveMessage() async throws(SessionEnd) {
        try await flushBatch()
        guard let policy = transaction.policy, !transaction.recipients.isEmpty else {
            server.countIdleCommand()
            batch.add(.answer(transaction.triedRecipients ? .noValidRecipients : .recipientFirst))
            return
        }
        client.write(Reply.startContent.bytes)
        // Not held back until the next input: the whole message may have come with the command.
        try await withClient { () async throws(StreamError) in
            try await client.flush(deadline: .seconds(settings.timeouts.content))
        }
        server.beginContent()
        let reply: Reply
        switch try await receiveContent() {
        case .refused(let refusal):
            log(.info, "message from <\(transaction.sender)> refused: \(refusal.code) \(refusal.text)")
            await hop?.reset()
            reply = refusal
        case .message(let message):
            reply = try await handle(message, policy)
        }
        endTransaction()
        client.write(reply.bytes)
        commandDeadline = .seconds(settings.timeouts.command)
    }

    private enum Content {
        case message(SpooledMessage)
        case refused(Reply)
    }

    /// Reads to the end of the message, whatever becomes of it: the client must not be left in the middle.
    private func receiveContent() async throws(SessionEnd) -> Content {
        let spool = Spool(directory: settings.spoolDirectory)
        let limit = server.offer.announcedSize(announced)
        var refusal: Reply?
        var chunk: [UInt8] = []
        var end: ServerSession.ContentEnd?
        var input = ByteView()
        // The deadline moves on with each 64 KiB, not with each packet.
        var deadline = Deadline.seconds(settings.timeouts.content)
        var sinceDeadline = 0
        while true {
            chunk.removeAll(keepingCapacity: true)
            end = server.content(input, into: &chunk)
            client.consume(input.count)
            sinceDeadline += input.count
            if refusal == nil, !chunk.isEmpty { refusal = keep(chunk, in: spool, limit: limit) }
            if end != nil { break }
            if sinceDeadline >= 65_536 {
                deadline = .seconds(settings.timeouts.content)
                sinceDeadline = 0
            }
            let until = deadline
            try await withClient { () async throws(StreamError) in
                guard try await client.fill(deadline: until) else { throw StreamError.closed }
            }
            input = client.input
        }
        if end?.isRejected == true { return .refused(.bareNewlineInMessage) }
        if let refusal { return .refused(refusal) }
        do throws(SpoolError) { return .message(try spool.finish()) } catch { return .refused(refusalFor(error)) }
    }

    private func keep(_ chunk: [UInt8], in spool: Spool, limit: UInt64) -> Reply? {
        if limit > 0, spool.size + UInt64(chunk.count) > limit { return .messageTooBig }
        do throws(SpoolError) {
            try spool.append(chunk)
            return nil
        } catch {
            return refusalFor(error)
        }
    }

    private func refusalFor(_ error: SpoolError) -> Reply {
        switch error {
        case .full: log(.error, "\(settings.spoolDirectory): no space left for messages")
        case .system(let reason): log(.error, "cannot spool a message: \(reason)")
        }
        return .noSpace
    }

    // MARK: - Deciding

    /// Scans, decides and carries out; gives the reply for the client.
    private func handle(_ message: SpooledMessage, _ policy: RecipientPolicy) async throws(SessionEnd) -> Reply {
        var verdict: ScanVerdict?
        let recipients = transaction.addresses
        let longScan = Deadline.seconds(settings.timeouts.longScan)
        latestEnd = .seconds(settings.timeouts.latestEnd)
        if policy.mail.needsScan {
            let envelope = ScanEnvelope(
                agent: "smtp", sender: transaction.sender, recipients: recipients,
                clientAddress: clientAddress, helo: clientHelo)
            do throws(ScanUnavailable) {
                verdict = try await shared.scanner.scan(
                    message, options: policy.options, envelope: envelope, on: client.reactor,
                    deadline: .seconds(settings.timeouts.scan))
            } catch {
                log(.error, "cannot scan a message from <\(transaction.sender)>: \(error.reason)")
            }
        }
        var plan = await makePlan(message, verdict, policy, recipients)
        if longScan.hasPassed { try await checkClient() }
        if plan.decision.quarantine, !(await quarantine(message, plan.decision)) {
            // What would have been removed or dropped stays; the decision says what follows.
            plan.decision = plan.decision.afterQuarantineFailure()
        }
        let reply = await carryOut(plan, message)
        shared.counters.count(plan.decision, verdict)
        shared.events.message(
            MessageSummary(
                session: number, decision: plan.decision, verdict: verdict, sender: transaction.sender,
                recipients: recipients, clientAddress: clientAddress, size: UInt64(message.size), reply: reply))
        return reply
    }

    /// A client that has given up will send the message again: delivering it now would make two of it (RFC 1047).
    private func checkClient() async throws(SessionEnd) {
        guard await isClientGone() else { return }
        await hop?.reset()
        throw .gone
    }

    /// Looks whether the client has hung up.
    func isClientGone() async -> Bool {
        do throws(StreamError) {
            guard try await client.fill(deadline: .milliseconds(1)) else { throw .closed }
            server.receive(client.input)
            client.consume(client.input.count)
        } catch .timedOut {
            // It waits.
        } catch {
            log(.info, "the client has gone before the message from <\(transaction.sender)> was delivered")
            return true
        }
        return false
    }

    /// What to do, and the pieces of the message that goes on.
    private struct Plan: Sendable {
        var decision: Decision
        var segments: [Segment]
    }

    /// Messages above this size, in bytes, are looked at on another thread than the reactor's.
    private static let largeMessage = 262_144

    private func makePlan(
        _ message: SpooledMessage, _ verdict: ScanVerdict?, _ policy: RecipientPolicy, _ recipients: [String]
    ) async -> Plan {
        let sender = transaction.sender
        let host = shared.hostName
        let version = shared.version
        let work: @Sendable () -> Plan = {
            let decision = policy.mail.decide(verdict, outline: MessageOutline(message.view))
            guard decision.action == .accept else { return Plan(decision: decision, segments: []) }
            let values = TemplateValues(
                decision, databaseVersion: verdict?.databaseVersion ?? 0, productVersion: version, sender: sender,
                recipients: recipients, subject: "", time: Clock.realtime / 1_000_000_000,
                host: host)
            let rewriter = MessageRewriter(
                message: message.view, decision: decision, modification: policy.modification,
                values: values)
            let segments = withExtendedLifetime(message) { rewriter.segments() }
            return Plan(decision: decision, segments: segments)
        }
        if message.size > Self.largeMessage {
            do throws(StreamError) { return try await client.reactor.offload(work) } catch {
                return Plan(decision: Decision(.defer, .unavailable), segments: [])
            }
        }
        return work()
    }

    /// Puts the original into quarantine; false when that failed. On another thread, because it waits for the disk.
    private func quarantine(_ message: SpooledMessage, _ decision: Decision) async -> Bool {
        let record = QuarantineRecord(
            time: Clock.realtime / 1_000_000_000, name: "message", virus: decision.virus, agent: "smtp",
            sender: transaction.sender, recipients: transaction.addresses, reason: decision.antivirus?.text ?? "")
        let store = QuarantineStore(directory: settings.quarantineDirectory)
        let work: @Sendable () -> String? = {
            do throws(QuarantineError) {
                let writer = try store.add()
                try writer.append(UnsafeRawBufferPointer(message.view.buffer))
                _ = try writer.commit(record)
                return nil
            } catch {
                return "\(error)"
            }
        }
        let failure: String?
        do throws(StreamError) { failure = try await client.reactor.offload(work) } catch {
            failure = error.description
        }
        if let failure { log(.error, "cannot put a message into quarantine: \(failure)") }
        return failure == nil
    }

    private func carryOut(_ plan: Plan, _ message: SpooledMessage) async -> Reply {
        switch plan.decision.action {
        case .accept: return await deliver(message, plan.segments)
        case .defer:
            await hop?.reset()
            return Reply(451, "4.7.1 \(plan.decision.replyText)")
        case .discard:
            await hop?.reset()
            return .ok
        case .reject:
            await hop?.reset()
            return Reply(550, "5.7.1 \(plan.decision.replyText)")
        }
    }
}
