import BytesE
import CModuleABI
import ModuleKit
import TokensE

/// The antispam analysis of one scan: the message at the root is judged when it is entered.
final class Analysis {
    private let engine: Engine
    private let scan: ScanContext
    private let settings: Settings
    /// Questions under way: the rest is reported already.
    private var waiting: Reputation?
    private var isDone = false

    init(_ engine: Engine, _ scan: ScanContext) {
        self.engine = engine
        self.scan = scan
        settings = Settings(scan)
    }

    /// Takes an object; only the root is looked at.
    func see(_ object: em_object, phase: UInt32) throws(ModuleError) -> em_status {
        guard phase == EM_PHASE_ENTER, object.parent == 0, !isDone else { return EM_OK }
        if waiting == nil { waiting = try judge(object) }
        guard let waiting else {
            isDone = true
            return EM_OK
        }
        do throws(ModuleError) {
            guard try waiting.ask(scan) else { return EM_SUSPENDED }
            waiting.report(scan, object: object.id)
        } catch {
            if error.status == EM_E_CANCELLED { throw error }
            // Without answers there are no points; the message was judged by its content.
            note("DNS_UNAVAILABLE", object)
        }
        isDone = true
        self.waiting = nil
        return EM_OK
    }

    /// Judges by lists and content; what is still to be asked, or nil when the verdict stands.
    private func judge(_ object: em_object) throws(ModuleError) -> Reputation? {
        let message = ByteView(object.data)
        if let client = settings.client {
            if settings.approvedAddresses.contains(client) { return leave("APPROVED_IP", object) }
            if settings.blockedAddresses.contains(client) { return block("BLOCKED_IP", object) }
        }
        if settings.largest > 0, Int64(message.count) > settings.largest {
            return leave("LARGER_THAN_SCAN_SIZE", object)
        }
        var cancelled = false
        var content = MessageContent(message) {
            do throws(ModuleError) {
                try self.scan.check()
            } catch {
                cancelled = true
            }
            return !cancelled
        }
        if cancelled || content.isCancelled { throw .cancelled }
        measureEnvelope(&content)
        if isApproved(content) { return leave("APPROVED_DOMAIN", object) }
        if holdsGTUBE(content) {
            scan.report(
                EM_FINDING_SPAM, object: object.id, name: ByteView("GTUBE"), source: ByteView("em005"), score: 1_000_000
            )
            return nil
        }
        let domains = linkDomains(content)
        if isBlocked(content, domains) { return block("BLOCKED_DOMAIN", object) }
        reportRules(content, object)
        let reputation = Reputation(settings, relay: outsideRelay(settings, content), domains: domains)
        return reputation.isEmpty ? nil : reputation
    }

    private func measureEnvelope(_ content: inout MessageContent) {
        content.facts[.heloNumeric] = settings.envelope.hasNumericHELO ? 1 : 0
        content.facts[.heloUnqualified] = settings.envelope.hasUnqualifiedHELO ? 1 : 0
        let sender = domain(of: settings.envelope.sender)
        let from = content.from.domain
        if !sender.isEmpty, !from.isEmpty, registeredDomain(sender) != registeredDomain(from) {
            content.facts[.senderDiffers] = 1
        }
        if let learned = engine.database?.learned {
            content.facts[.learnedSpam] = Int64(learned.spam)
            content.facts[.learnedHam] = Int64(learned.ham)
        }
    }

    /// The From domain is approved, and so is the envelope's when there is one: forging one of them is too easy.
    private func isApproved(_ content: MessageContent) -> Bool {
        guard !settings.approvedDomains.isEmpty, settings.approvedDomains.contains(content.from.domain) else {
            return false
        }
        let sender = domain(of: settings.envelope.sender)
        return sender.isEmpty || settings.approvedDomains.contains(sender)
    }

    private func isBlocked(_ content: MessageContent, _ domains: [[UInt8]]) -> Bool {
        guard !settings.blockedDomains.isEmpty else { return false }
        return settings.blockedDomains.contains(content.from.domain)
            || settings.blockedDomains.contains(domain(of: settings.envelope.sender))
            || content.links.contains { settings.blockedDomains.contains($0.host) }
    }

    /// Registered domains of the links, without repetition and without ignored ones.
    private func linkDomains(_ content: MessageContent) -> [[UInt8]] {
        var result: [[UInt8]] = []
        for link in content.links where !link.host.isEmpty && link.host.contains(0x2e) && !isNumeric(host: link.host) {
            if settings.ignoredDomains.contains(link.host) { continue }
            let domain = registeredDomain(link.host)
            if result.count < 32, !result.contains(domain) { result.append(domain) }
        }
        return result
    }

    private func reportRules(_ content: MessageContent, _ object: em_object) {
        guard let database = engine.database, let search = engine.search else { return }
        let probability = Classifier(learned: database.learned).probability(of: content.tokens()) {
            database.counts($0)
        }
        var evaluation = RuleEvaluation(database, search, content, settings.envelope, probability: probability)
        for index in evaluation.run() {
            let rule = database.rule(index)
            scan.report(
                EM_FINDING_SPAM, object: object.id, name: database.text(rule.name), source: ByteView("em006"),
                score: rule.points)
        }
    }

    // MARK: Reports

    /// Ends the judgement with a note.
    private func leave(_ name: StaticString, _ object: em_object) -> Reputation? {
        note(name, object)
        return nil
    }

    private func note(_ name: StaticString, _ object: em_object) {
        scan.report(EM_FINDING_NOTE, object: object.id, name: ByteView(name), source: ByteView("em005"))
    }

    private func block(_ name: StaticString, _ object: em_object) -> Reputation? {
        scan.report(EM_FINDING_SPAM, object: object.id, name: ByteView(name), source: ByteView("em005"), score: 100_000)
        return nil
    }

    private func domain(of address: [UInt8]) -> [UInt8] { MailAddress.domain(of: address) }
}

/// The generic test for unsolicited bulk mail, which every antispam filter knows; in lower case, as texts are kept.
private let gtube: StaticString = "xjs*c4jdbqadn1.nsbn3*2idnen*gtube-standard-anti-ube-test-email*c.34x"

/// Whether the decoded texts or the subject hold the test string.
func holdsGTUBE(_ content: MessageContent) -> Bool {
    if content.text.withView({ $0.firstIndex(of: ByteView(gtube)) != nil }) { return true }
    return content.subject.map { asciiLowercased($0) }.withView { $0.firstIndex(of: ByteView(gtube)) != nil }
}
