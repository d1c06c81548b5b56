package import Configuration
package import ScanProtocol

/// The Handle Object Policy (guide 7.1, 7.4): the configuration of one recipient, sender or agent as plain
/// values, and the one function that every agent asks what to do with an object.
///
/// The order of questions:
/// 1. `action_av` is defer, discard or reject: that, at once, without any scan (a black list blocks).
/// 2. Antispam is on (`action_as` has a value) and the message is judged spam: `action_as` decides;
///    "accept" delivers without a look at viruses, "scan" goes on. All other mail goes on.
/// 3. `action_av` is accept: accepted without a scan for viruses.
/// 4. The virus verdict: cleaning as `CleaningPlan` tells, then `action_av_infected`, `action_av_deleted`,
///    `action_av_notscanned`; when several apply, the strictest.
package struct MailPolicy: Sendable, Equatable {
    package var actionAV: Action = .scan
    package var actionInfected: Disposition = .reject
    package var actionNotScanned: Disposition = .accept
    package var actionDeleted: Disposition = .accept
    /// For an object that crashed the scanner twice.
    package var actionCrashed: Disposition = .defer
    /// nil: antispam is off.
    package var actionAS: Action?
    package var cleanMode: CleanMode = .standard
    /// Whether originals of infected objects are kept.
    package var quarantine = false
    /// Scores 0…100: from here on spam, likely spam; up to here ham.
    package var scoreSpam = 90.0
    package var scoreLikelySpam = 70.0
    package var scoreHam = 10.0

    package init() {}

    /// Whether the object must be looked at for viruses.
    package var scansForViruses: Bool { actionAV == .scan }

    /// Whether the object must be looked at for spam. Not where the answer would change nothing: in mail
    /// that is blocked anyway, and in mail of a white list (both actions accept).
    package var scansForSpam: Bool {
        switch actionAV {
        case .scan: actionAS != nil
        case .accept: actionAS != nil && actionAS != .accept
        case .defer, .discard, .reject: false
        }
    }

    /// Whether a verdict is needed at all.
    package var needsScan: Bool { scansForViruses || scansForSpam }

    /// - Parameters:
    ///   - verdict: what the scanner found; nil when no scan was needed, or when there is none because
    ///     the daemon cannot be reached: then the object is deferred.
    ///   - outline: how the message is built, if the agent can alter it; nil when it cannot, so that nothing
    ///     is cleaned. Only asked when there are threats.
    /// - Returns: what to do, with all that marks, logs and replies need.
    package func decide(_ verdict: ScanVerdict?, outline: @autoclosure () -> MessageOutline?) -> Decision {
        if let action = Disposition(actionAV), action != .accept { return Decision(action, .configured) }
        guard needsScan else { return Decision(.accept, .configured) }
        guard let verdict else { return Decision(.defer, .unavailable) }

        // Points add up without limit; scores are 0…100.
        let score = scansForSpam ? verdict.spamScore.map { max(0, min(100, $0)) } : nil
        let antispam = score.map(status(ofScore:))
        if antispam == .spam, let action = actionAS.flatMap(Disposition.init) {
            return Decision(action, .spam, antispam: antispam, score: score)
        }
        var decision = scansForViruses ? decideViruses(verdict, outline) : Decision(.accept, .configured)
        decision.antispam = antispam
        decision.score = score
        return decision
    }

    /// The category of a score.
    package func status(ofScore score: Double) -> AntispamStatus {
        if score >= scoreSpam { return .spam }
        if score >= scoreLikelySpam { return .likelySpam }
        return score <= scoreHam ? .ham : .likelyHam
    }

    // MARK: - Viruses

    private func decideViruses(_ verdict: ScanVerdict, _ outline: () -> MessageOutline?) -> Decision {
        let threats = verdict.threats
        guard !threats.isEmpty else { return decideNotScanned(verdict.notScanned) }
        let names = unique(threats.map(\.name))

        let plan = CleaningPlan(verdict: verdict, mode: cleanMode, outline: cleanMode == .none ? nil : outline())
        guard let removals = plan.removals else {
            return Decision(
                actionInfected, .infected, antivirus: .infected, quarantine: quarantine, threats: names,
                notScanned: unique(verdict.notScanned.map(\.name)))
        }
        // What was removed need not be scanned any more; the rest still counts.
        let rest = decideNotScanned(verdict.notScanned.filter { !plan.covers($0) })
        var decision = Decision(
            actionDeleted, .deleted, antivirus: .deleted, removals: removals, quarantine: quarantine, threats: names,
            notScanned: rest.notScanned)
        if rest.action > decision.action {
            decision.action = rest.action
            decision.basis = rest.basis
        }
        if decision.action != .accept { decision.removals = [] }
        return decision
    }

    private func decideNotScanned(_ findings: [Finding]) -> Decision {
        guard !findings.isEmpty else { return Decision(.accept, .clean, antivirus: .clean) }
        let crashed = findings.contains(where: \.isCrash)
        return Decision(
            crashed ? actionCrashed : actionNotScanned, crashed ? .crashed : .notScanned, antivirus: .notScanned,
            notScanned: unique(findings.map(\.name)))
    }

    private func unique(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }
}

extension Finding {
    /// Whether it says that scanning this very object brought down the scanner, twice (`ScanVerdict.crash` of the
    /// scan client).
    var isCrash: Bool { kind == .notScanned && name == "crash" }
}
