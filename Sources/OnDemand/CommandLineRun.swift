package import Configuration
package import Logging
package import Mail
import Platform
package import Quarantine
import ScanClient
package import ScanProtocol

/// What `esets_cli` does: scans the files of its arguments and says for each what becomes of it. It alters nothing.
package struct CommandLineRun {
    private let scanner: any ObjectScanner
    private let policy: MailPolicy
    private let options: ScanOptions
    private let quarantine: QuarantineStore
    private let log: Log
    private let print: (String) -> Void
    private let complain: (String) -> Void
    /// The worst action so far.
    package private(set) var worst = Disposition.accept
    /// Files that could not be scanned at all.
    package private(set) var errors = 0
    package private(set) var counters = ScanCounters()

    /// Exit code when no file was blocked and at least one could not be scanned. Never for blocked files: a mail
    /// filter takes it for a failed scanner and may deliver.
    package static let errorCode: Int32 = 100

    /// - Parameters:
    ///   - scanner: gives the verdicts.
    ///   - settings: of [cli].
    ///   - quarantine: used when `av_quarantine_enabled` says so.
    ///   - log: for a summary of each file.
    ///   - print: takes a line for standard output.
    ///   - complain: takes a line for standard error.
    package init(
        scanner: any ObjectScanner, settings: Settings, quarantine: QuarantineStore, log: Log,
        print: @escaping (String) -> Void, complain: @escaping (String) -> Void
    ) {
        self.scanner = scanner
        policy = MailPolicy(settings)
        options = ScanOptions(settings: settings)
        self.quarantine = quarantine
        self.log = log
        self.print = print
        self.complain = complain
    }

    package var exitCode: Int32 {
        worst == .accept && errors > 0 ? Self.errorCode : Int32(worst.rawValue)
    }

    /// Scans files and everything below directories.
    package mutating func scan(_ paths: [String], _ selection: FileSelection) {
        var walk = FileWalk(paths, selection)
        while let event = walk.next() {
            switch event {
            case .file(let path): scan(file: path)
            case .unreadable(let path, let problem): fail(path, problem.reason)
            case .skipped(let path, let reason): log.debug("\(path) is not scanned: \(reason)")
            }
        }
    }

    private mutating func scan(file path: String) {
        guard policy.needsScan else {
            finish(path, policy.decide(nil, outline: nil), ScanVerdict())
            return
        }
        do throws(SystemError) {
            let object = try ScanObject(path: path)
            do throws(ScanClientError) {
                let verdict = try scanner.scan(object, options: options, envelope: ScanEnvelope(agent: "cli"))
                var decision = policy.decide(verdict, outline: nil)
                if decision.quarantine, !keep(object, decision) { decision = decision.afterQuarantineFailure() }
                finish(path, decision, verdict)
            } catch {
                fail(path, error.message)
            }
        } catch {
            fail(path, error.reason)
        }
    }

    private func keep(_ object: ScanObject, _ decision: Decision) -> Bool {
        do throws(QuarantineError) {
            let writer = try quarantine.add()
            try writer.append(object.descriptor)
            let record = QuarantineRecord(
                time: Clock.realtime / 1_000_000_000, name: object.name,
                virus: decision.threats.joined(separator: ", "),
                agent: "cli", reason: "infected")
            _ = try writer.commit(record)
            return true
        } catch {
            log.error("\(object.name): \(error)")
            complain("\(OutputText.line(object.name)): \(error)")
            return false
        }
    }

    private mutating func finish(_ path: String, _ decision: Decision, _ verdict: ScanVerdict) {
        worst = max(worst, decision.action)
        counters.add(decision, verdict)
        let name = OutputText.line(path)
        print("\(name): action=\"\(decision.action.pastTense)\"")
        // The name ends at the next quotation mark for those who read it.
        let virus = OutputText.line(decision.virus).split(separator: "\"", omittingEmptySubsequences: false)
        if !decision.threats.isEmpty { print("\(name): virus=\"\(virus.joined(separator: "'"))\"") }
        log.summary(ScanRecord(path: path, agent: "cli", decision, verdict))
    }

    private mutating func fail(_ path: String, _ reason: String) {
        errors += 1
        counters.failed()
        complain("esets_cli: \(OutputText.line(path)): \(OutputText.line(reason))")
        log.error("\(path): \(reason)")
    }
}

extension ScanRecord {
    /// The summary of a file or message.
    package init(
        path: String, agent: String, _ decision: Decision, _ verdict: ScanVerdict, from: String? = nil,
        to: [String] = []
    ) {
        self.init(
            id: UInt32(truncatingIfNeeded: Clock.now / 1000),
            isNotable: decision.isNotable, database: verdict.databaseVersion, agent: agent, name: path,
            virus: decision.virus, action: decision.logAction, info: decision.logInfo,
            avStatus: decision.antivirus?.text ?? "", asStatus: decision.antispam?.text ?? "",
            hop: decision.action.pastTense, from: from, to: to)
    }
}
