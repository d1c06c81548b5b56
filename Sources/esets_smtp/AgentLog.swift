import AgentKit
import Logging
import Mail
import SMTP
import SMTPAgent
import ScanProtocol

extension AgentLog {
    /// Where the sessions' events go.
    var events: AgentEvents {
        AgentEvents(
            text: { [self] level, session, text in
                let log = current
                let id = session == 0 ? nil : session
                switch level {
                case .error: log.error(text, id: id)
                case .warning: log.warning(text, id: id)
                case .info: log.info(text, id: id)
                case .debug: log.debug(text, id: id)
                }
            },
            message: { [self] in record($0) })
    }

    private func record(_ message: MessageSummary) {
        let decision = message.decision
        let log = current
        let database = message.verdict?.databaseVersion ?? 0
        log.summary(
            ScanRecord(
                id: message.session, isNotable: decision.basis != .clean && decision.basis != .configured,
                database: database, agent: "smtp",
                name: "from: \(message.sender) to: \(message.recipients.joined(separator: ", "))",
                virus: decision.virus, action: decision.logAction, info: decision.logInfo,
                avStatus: decision.antivirus?.text ?? "", asStatus: decision.antispam?.text ?? "",
                hop: decision.action.pastTense, from: message.sender, to: message.recipients))
        log.info(
            "message of \(message.size) bytes from \(message.clientAddress ?? "this machine"): "
                + "\(message.reply.code) \(message.reply.text)",
            id: message.session)
        guard let verdict = message.verdict, !verdict.findings.isEmpty else { return }
        let names = Dictionary(verdict.objects.map { ($0.id, $0.name) }) { first, _ in first }
        for finding in verdict.findings where finding.kind != .spam {
            log.part(
                ScanRecord(
                    id: message.session, isNotable: finding.isThreat || finding.kind == .notScanned, database: database,
                    agent: "smtp",
                    name: names[finding.object] ?? "", virus: finding.isThreat ? finding.name : "",
                    info: finding.isThreat ? "" : finding.name))
        }
    }
}
