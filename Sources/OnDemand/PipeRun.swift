import Bytes
package import Configuration
package import Logging
package import Mail
package import Platform
import Quarantine
package import ScanClient
import ScanProtocol

/// What `esets_pipe` does: takes one message, has it scanned, and writes what goes on.
package struct PipeRun {
    /// Who the message is from and for, as far as the caller knows.
    package struct Envelope: Sendable {
        package var sender: String?
        package var recipients: [String]

        package init(sender: String?, recipients: [String]) {
            self.sender = sender
            self.recipients = recipients
        }
    }

    private let scanner: any ObjectScanner
    private let configuration: Configuration
    private let log: Log
    private let host: String
    private let productVersion: String
    package private(set) var counters = ScanCounters()

    /// - Parameters:
    ///   - scanner: gives the verdict.
    ///   - configuration: for the settings of [pipe] and of its users.
    ///   - log: for a summary of the message.
    ///   - host: name of this machine, for templates.
    ///   - productVersion: for templates and marks.
    package init(
        scanner: any ObjectScanner, configuration: Configuration, log: Log, host: String, productVersion: String
    ) {
        self.scanner = scanner
        self.configuration = configuration
        self.log = log
        self.host = host
        self.productVersion = productVersion
    }

    /// Why there is no result: the message must come again.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// - Parameters:
    ///   - message: the whole message, in an object that nobody can change.
    ///   - envelope: decides about the user sections that apply.
    ///   - output: gets the message when it is accepted, and nothing otherwise.
    /// - Returns: what became of it.
    /// - Throws: when there is no verdict, or the output takes no more.
    package mutating func process(
        _ message: ScanObject, _ envelope: Envelope, to output: Descriptor
    ) throws(Failure) -> Disposition {
        let groups = policyGroups(envelope)
        let bytes = try system { () throws(SystemError) in try Mapping(message.descriptor, size: Int(message.size)) }
        return try withExtendedLifetime(bytes) { () throws(Failure) in
            let view = ByteView(bytes.bytes)
            var result: (decision: Decision, settings: Settings, verdict: ScanVerdict)?
            for settings in groups {
                let verdict = try verdict(message, envelope, settings)
                var decision = MailPolicy(settings).decide(verdict, outline: MessageOutline(view))
                if decision.quarantine, !keep(message, decision, envelope) {
                    decision = decision.afterQuarantineFailure()
                }
                // One message comes out for all: the strictest action counts, and what is removed for one
                // recipient is removed for all.
                if let current = result?.decision, !isStricter(decision, current) { continue }
                result = (decision, settings, verdict ?? ScanVerdict())
            }
            guard let result else { throw Failure(description: "no settings apply") }
            let (decision, settings, verdict) = result
            counters.add(decision, verdict)
            log.summary(
                ScanRecord(
                    path: message.name, agent: "pipe", decision, verdict, from: envelope.sender,
                    to: envelope.recipients))
            if decision.action == .accept {
                let rewriter = MessageRewriter(
                    message: view, decision: decision, modification: Modification(settings),
                    values: TemplateValues(
                        decision, databaseVersion: verdict.databaseVersion, productVersion: productVersion,
                        sender: envelope.sender, recipients: envelope.recipients, subject: "",
                        time: Clock.realtime / 1_000_000_000, host: host))
                try write(rewriter.segments(), of: view, to: output)
            }
            return decision.action
        }
    }

    /// The different settings that apply to the recipients; those of the agent when none is known.
    private func policyGroups(_ envelope: Envelope) -> [Settings] {
        let recipients: [String?] = envelope.recipients.isEmpty ? [nil] : envelope.recipients
        var groups: [Settings] = []
        for recipient in recipients {
            let settings = configuration.settings(
                agent: "pipe", recipient: recipient, sender: envelope.sender, clientAddress: nil)
            if !groups.contains(where: { $0.policy == settings.policy }) { groups.append(settings) }
        }
        return groups
    }

    private func isStricter(_ a: Decision, _ b: Decision) -> Bool {
        a.action != b.action ? a.action > b.action : a.removals.count > b.removals.count
    }

    private func verdict(
        _ message: ScanObject, _ envelope: Envelope, _ settings: Settings
    ) throws(Failure) -> ScanVerdict? {
        guard MailPolicy(settings).needsScan else { return nil }
        do throws(ScanClientError) {
            return try scanner.scan(
                message, options: ScanOptions(settings: settings),
                envelope: ScanEnvelope(agent: "pipe", sender: envelope.sender, recipients: envelope.recipients))
        } catch {
            throw Failure(description: error.message)
        }
    }

    private func keep(_ message: ScanObject, _ decision: Decision, _ envelope: Envelope) -> Bool {
        do throws(QuarantineError) {
            let writer = try QuarantineStore(directory: configuration.paths.quarantineDirectory).add()
            try writer.append(message.descriptor)
            _ = try writer.commit(
                QuarantineRecord(
                    time: Clock.realtime / 1_000_000_000, name: message.name,
                    virus: decision.threats.joined(separator: ", "), agent: "pipe", sender: envelope.sender ?? "",
                    recipients: envelope.recipients, reason: "infected"))
            return true
        } catch {
            log.error("\(message.name): \(error)")
            return false
        }
    }

    private func write(_ segments: [Segment], of message: ByteView, to output: Descriptor) throws(Failure) {
        for segment in segments {
            try system { () throws(SystemError) in
                switch segment {
                case .original(let range):
                    let piece = message.slice(range.lowerBound, range.upperBound)
                    try output.writeAll(UnsafeRawBufferPointer(piece.buffer))
                case .bytes(let bytes):
                    try output.writeAll(bytes)
                }
            }
        }
    }

    private func system<T>(_ body: () throws(SystemError) -> T) throws(Failure) -> T {
        do throws(SystemError) { return try body() } catch { throw Failure(description: error.description) }
    }
}
