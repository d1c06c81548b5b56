import AgentKit
import ClamdAgent
import Logging
import ScanProtocol

extension AgentLog {
    /// Where the connections' events go.
    var clamdEvents: ClamdEvents {
        ClamdEvents(
            text: { [self] level, connection, text in
                let log = current
                let id = connection == 0 ? nil : connection
                switch level {
                case .error: log.error(text, id: id)
                case .warning: log.warning(text, id: id)
                case .info: log.info(text, id: id)
                case .debug: log.debug(text, id: id)
                }
            },
            scanned: { [self] in record($0) })
    }

    private func record(_ scan: ClamdEvents.Scan) {
        let log = current
        let threats: [String]
        let info: String
        switch scan.reply {
        case .clean: (threats, info) = ([], "")
        case .found(let names): (threats, info) = (names, "")
        case .error(let reason): (threats, info) = ([], reason)
        }
        log.summary(
            ScanRecord(
                id: scan.connection, isNotable: scan.reply != .clean, database: scan.verdict?.databaseVersion ?? 0,
                agent: "clamd", name: scan.object, virus: threats.joined(separator: ", "), info: info,
                avStatus: status(scan)))
        guard let verdict = scan.verdict, !verdict.findings.isEmpty else { return }
        let names = Dictionary(verdict.objects.map { ($0.id, $0.name) }) { first, _ in first }
        for finding in verdict.findings where finding.kind != .spam {
            log.part(
                ScanRecord(
                    id: scan.connection, isNotable: finding.isThreat || finding.kind == .notScanned,
                    database: verdict.databaseVersion, agent: "clamd", name: names[finding.object] ?? "",
                    virus: finding.isThreat ? finding.name : "", info: finding.isThreat ? "" : finding.name))
        }
    }

    private func status(_ scan: ClamdEvents.Scan) -> String {
        guard let verdict = scan.verdict else { return "not scanned" }
        if case .found = scan.reply { return "infected" }
        return verdict.notScanned.isEmpty ? "clean" : "not scanned"
    }
}
