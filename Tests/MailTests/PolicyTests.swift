import Configuration
import ScanProtocol
import Testing

@testable import Mail

private let attachment = ObjectInfo(
    id: 2, parent: 1, name: "x.exe", format: "MIME", type: 4, rootRange: range(of: "TVqQAAMAAAAEAAAA", in: mixed))
private let body = ObjectInfo(id: 3, parent: 1, format: "MIME", type: 2, rootRange: range(of: "Hello.", in: mixed))
private let archive = ObjectInfo(
    id: 4, parent: 1, name: "x.zip", format: "MIME", type: 8, rootRange: attachment.rootRange)
private let member = ObjectInfo(
    id: 5, parent: 4, name: "inner.exe", format: "ZIP", type: 4, rootRange: attachment.rootRange)

private func infected(_ object: UInt64, _ name: String = "Test.Virus") -> Finding {
    Finding(kind: .infected, name: name, object: object)
}
private let unscanned = Finding(kind: .notScanned, name: "limit: depth", object: 1)
private let crash = Finding(kind: .notScanned, name: "crash", source: "signal 11")

private func policy(_ change: (inout MailPolicy) -> Void = { _ in }) -> MailPolicy {
    var policy = MailPolicy()
    change(&policy)
    return policy
}

private func decide(_ policy: MailPolicy, _ verdict: ScanVerdict?) -> Decision {
    policy.decide(verdict, outline: outline(mixed))
}

@Suite struct FirstActionTests {
    @Test(arguments: [Disposition.defer, .discard, .reject])
    func blockingActionEndsEverything(_ action: Disposition) {
        let actions: [Disposition: Action] = [.defer: .defer, .discard: .discard, .reject: .reject]
        for actionAS in [nil] + Action.allCases.map(Optional.some) {
            let policy = policy {
                $0.actionAV = actions[action] ?? .scan
                $0.actionAS = actionAS
            }
            #expect(!policy.needsScan)
            for verdict in [nil, verdict(), verdict([infected(2)], [attachment], score: 100)] {
                let decision = decide(policy, verdict)
                #expect(decision.action == action)
                #expect(decision.basis == .configured)
                #expect(decision.antivirus == nil)
                #expect(decision.antispam == nil)
            }
        }
    }

    @Test func acceptWithoutAntispamNeedsNoScan() {
        let policy = policy { $0.actionAV = .accept }
        #expect(!policy.needsScan)
        #expect(decide(policy, nil) == Decision(.accept, .configured))
    }

    @Test func whiteListSkipsBothChecks() {
        let policy = policy {
            $0.actionAV = .accept
            $0.actionAS = .accept
        }
        #expect(!policy.needsScan)
        #expect(decide(policy, verdict([infected(2)], [attachment], score: 100)).action == .accept)
    }

    @Test func antispamWithoutVirusScan() {
        let policy = policy {
            $0.actionAV = .accept
            $0.actionAS = .reject
        }
        #expect(policy.scansForSpam)
        #expect(!policy.scansForViruses)
        #expect(decide(policy, verdict(score: 95)).action == .reject)
        let ham = decide(policy, verdict([infected(2)], [attachment], score: 3))
        #expect(ham.action == .accept)
        #expect(ham.antivirus == nil)
        #expect(ham.antispam == .ham)
    }

    @Test func noVerdictIsDeferredWheneverOneIsNeeded() {
        let decision = decide(policy { $0.actionInfected = .accept }, nil)
        #expect(decision.action == .defer)
        #expect(decision.basis == .unavailable)
    }
}

@Suite struct SpamPolicyTests {
    /// What each action_as does to mail judged spam, and what of the virus check is left.
    @Test func everyActionForSpam() {
        let expected: [(Action, Disposition, AntivirusStatus?)] = [
            (.accept, .accept, nil), (.scan, .reject, .infected), (.defer, .defer, nil), (.discard, .discard, nil),
            (.reject, .reject, nil),
        ]
        for (action, disposition, antivirus) in expected {
            let policy = policy {
                $0.actionAS = action
                $0.cleanMode = .none
            }
            let decision = decide(policy, verdict([infected(2)], [attachment], score: 90))
            #expect(decision.action == disposition, "\(action)")
            #expect(decision.antivirus == antivirus, "\(action)")
            #expect(decision.antispam == .spam)
            #expect(decision.score == 90)
        }
    }

    @Test(arguments: Action.allCases)
    func whatIsNotSpamGoesOn(_ action: Action) {
        let policy = policy {
            $0.actionAS = action
            $0.cleanMode = .none
        }
        for (score, status) in [(89.9, AntispamStatus.likelySpam), (70, .likelySpam), (69, .likelyHam), (10, .ham)] {
            let decision = decide(policy, verdict([infected(2)], [attachment], score: score))
            #expect(decision.action == .reject)
            #expect(decision.basis == .infected)
            #expect(decision.antispam == status)
        }
    }

    @Test func scoresAreFromZeroToHundred() {
        let policy = policy { $0.actionAS = .scan }
        #expect(decide(policy, verdict(score: 1000)).score == 100)
        #expect(decide(policy, verdict(score: -3)).score == 0)
    }

    @Test func scoreCountsOnlyWhenAntispamIsOn() {
        let decision = decide(policy(), verdict(score: 100))
        #expect(decision.action == .accept)
        #expect(decision.antispam == nil)
        #expect(decision.score == nil)
    }

    @Test func withoutScoreMailGoesOn() {
        let decision = decide(policy { $0.actionAS = .reject }, verdict())
        #expect(decision.action == .accept)
        #expect(decision.antispam == nil)
        #expect(decision.antivirus == .clean)
    }
}

@Suite struct VirusPolicyTests {
    @Test func clean() {
        #expect(decide(policy(), verdict()) == Decision(.accept, .clean, antivirus: .clean))
    }

    @Test(arguments: Disposition.allCases)
    func infectedActions(_ action: Disposition) {
        let decision = decide(
            policy {
                $0.actionInfected = action
                $0.cleanMode = .none
            }, verdict([infected(2)], [attachment]))
        #expect(decision.action == action)
        #expect(decision.antivirus == .infected)
        #expect(decision.removals.isEmpty)
        #expect(decision.threats == ["Test.Virus"])
    }

    @Test(arguments: Disposition.allCases)
    func deletedActions(_ action: Disposition) {
        let decision = decide(
            policy { $0.actionDeleted = action }, verdict([infected(2)], [attachment]))
        #expect(decision.action == action)
        #expect(decision.antivirus == .deleted)
        #expect(decision.basis == .deleted)
        #expect(decision.removals.isEmpty == (action != .accept))
    }

    @Test(arguments: Disposition.allCases)
    func notScannedActions(_ action: Disposition) {
        let decision = decide(policy { $0.actionNotScanned = action }, verdict([unscanned]))
        #expect(decision.action == action)
        #expect(decision.antivirus == .notScanned)
        #expect(decision.notScanned == ["limit: depth"])
    }

    @Test(arguments: Disposition.allCases)
    func crashIsDeferredUnlessConfigured(_ action: Disposition) {
        #expect(decide(policy { $0.actionNotScanned = action }, verdict([crash])).action == .defer)
        #expect(decide(policy { $0.actionCrashed = action }, verdict([crash])).action == action)
        #expect(decide(policy(), verdict([crash])).basis == .crashed)
        // Not by the name alone that something in the message has.
        let other = Finding(kind: .notScanned, name: "crash.zip: encrypted")
        #expect(decide(policy(), verdict([other])).action == .accept)
    }

    /// For each clean mode: what becomes of a threat in the four places.
    @Test func cleanModes() {
        let places: [(String, Finding, [ObjectInfo])] = [
            ("attachment", infected(2), [attachment]),
            ("archive", infected(5), [archive, member]),
            ("text", infected(3), [body]),
            ("message", infected(1), []),
        ]
        let part = Removal(.part(attachment.rootRange ?? 0..<0), name: "x.exe", threats: ["Test.Virus"])
        let zip = Removal(.part(attachment.rootRange ?? 0..<0), name: "x.zip", threats: ["Test.Virus"])
        let text = Removal(.part(body.rootRange ?? 0..<0), threats: ["Test.Virus"])
        let content = Removal(.content, threats: ["Test.Virus"])
        let expected: [CleanMode: [Removal?]] = [
            .none: [nil, nil, nil, nil],
            .standard: [part, nil, nil, nil],
            .strict: [part, zip, nil, nil],
            .rigorous: [part, zip, text, content],
            .delete: [content, content, content, content],
        ]
        for mode in CleanMode.allCases {
            for (index, place) in places.enumerated() {
                let decision = decide(policy { $0.cleanMode = mode }, verdict([place.1], place.2))
                let wanted = expected[mode]?[index]
                #expect(decision.removals == (wanted.map { [$0] } ?? []), "\(mode) \(place.0)")
                #expect(decision.antivirus == (wanted == nil ? .infected : .deleted), "\(mode) \(place.0)")
                #expect(decision.action == (wanted == nil ? .reject : .accept), "\(mode) \(place.0)")
            }
        }
    }

    @Test func oneThreatThatStaysKeepsTheWholeMessage() {
        let decision = decide(policy(), verdict([infected(2), infected(3, "Other")], [attachment, body]))
        #expect(decision.antivirus == .infected)
        #expect(decision.removals.isEmpty)
        #expect(decision.threats == ["Test.Virus", "Other"])
        #expect(decision.virus == "multiple threats")
    }

    @Test func threatsOfOnePartAreOneRemoval() {
        let decision = decide(
            policy(), verdict([infected(2), infected(2, "Other"), infected(2)], [attachment]))
        #expect(decision.removals.count == 1)
        #expect(decision.removals.first?.threats == ["Test.Virus", "Other"])
    }

    /// An unencoded attachment matches in the raw message too.
    @Test func aMatchInTheMessageIsExplainedByThePartThatHoldsIt() {
        let place = attachment.rootRange?.lowerBound ?? 0
        var raw = infected(1, "Raw.Virus")
        raw.offset = place + 3
        let explained = decide(policy(), verdict([raw, infected(2)], [attachment]))
        #expect(explained.antivirus == .deleted)
        #expect(explained.removals.first?.threats == ["Test.Virus", "Raw.Virus"])
        raw.offset = 5
        #expect(decide(policy(), verdict([raw, infected(2)], [attachment])).antivirus == .infected)
        raw.offset = nil
        #expect(decide(policy(), verdict([raw, infected(2)], [attachment])).antivirus == .infected)
        // Not when the part itself is not infected by its own account.
        raw.offset = place + 3
        #expect(decide(policy(), verdict([raw], [attachment])).antivirus == .infected)
    }

    /// A stored member lies in place inside an unencoded archive: the archive goes, not the bytes of the member.
    @Test func membersInPlaceTakeTheWholeArchive() {
        let message = crlf(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/zip\n\nPKVIRUSPK\n--b--\n")
        let zip = ObjectInfo(
            id: 2, parent: 1, name: "a.zip", format: "MIME", type: 8, rootRange: range(of: "PKVIRUSPK", in: message))
        for format in ["ZIP", "UUE"] {
            let stored = ObjectInfo(
                id: 3, parent: 2, name: "v", format: "ZIP", type: 4, rootRange: range(of: "VIRUS", in: message))
            var inner = stored
            inner.id = 4
            inner.parent = 3
            inner.format = format
            let found = verdict([infected(4)], [zip, stored, inner])
            let standard = policy().decide(found, outline: outline(message))
            #expect(standard.antivirus == .infected)
            let strict = policy { $0.cleanMode = .strict }.decide(found, outline: outline(message))
            #expect(
                strict.removals == [Removal(.part(zip.rootRange ?? 0..<0), name: "a.zip", threats: ["Test.Virus"])])
        }
    }

    @Test func uuencodedFilesInTextAreBlocks() {
        let message = crlf("Subject: x\n\nText\nbegin 644 x.exe\n#MVIRUS\nend\nMore\n")
        let text = "Text\r\nbegin 644 x.exe\r\n#MVIRUS\r\nend\r\nMore\r\n"
        let part = ObjectInfo(id: 2, parent: 1, format: "MIME", type: 2, rootRange: range(of: text, in: message))
        let block = ObjectInfo(
            id: 3, parent: 2, name: "x.exe", format: "UUE", type: 4,
            rootRange: range(of: "begin 644 x.exe\r\n#MVIRUS\r\nend\r\n", in: message))
        let decision = policy().decide(verdict([infected(3)], [part, block]), outline: outline(message))
        #expect(decision.antivirus == .deleted)
        #expect(decision.removals.first?.target == .part(block.rootRange ?? 0..<0))
    }

    @Test func whatCannotBeAlteredIsInfected() {
        for mode in CleanMode.allCases {
            let decision = policy { $0.cleanMode = mode }
                .decide(verdict([infected(2)], [attachment]), outline: nil)
            #expect(decision.antivirus == .infected)
            #expect(decision.action == .reject)
        }
    }

    @Test(arguments: [
        "multipart/signed; protocol=\"application/pgp-signature\"", "multipart/encrypted", "Multipart/Signed",
    ])
    func signedAndEncryptedMailIsNeverCleaned(_ type: String) {
        let message = String(mixed.split(separator: "multipart/mixed").joined(separator: [Character](type)))
        var object = attachment
        object.rootRange = range(of: "TVqQAAMAAAAEAAAA", in: message)
        for mode in CleanMode.allCases {
            let decision = policy { $0.cleanMode = mode }
                .decide(verdict([infected(2)], [object]), outline: outline(message))
            #expect(decision.antivirus == .infected, "\(mode)")
            #expect(decision.action == .reject)
        }
    }

    @Test func unscannedRestStillCounts() {
        let part = ObjectInfo(
            id: 6, parent: 1, name: "y.png", format: "MIME", rootRange: range(of: "iVBORw0KGgo=", in: mixed))
        let elsewhere = Finding(kind: .notScanned, name: "encrypted", object: 6)
        let within = Finding(kind: .notScanned, name: "encrypted", object: 2)
        let strict = policy { $0.actionNotScanned = .reject }
        let rejected = decide(strict, verdict([infected(2), elsewhere], [attachment, part]))
        #expect(rejected.action == .reject)
        #expect(rejected.basis == .notScanned)
        #expect(rejected.removals.isEmpty)
        let accepted = decide(strict, verdict([infected(2), within], [attachment, part]))
        #expect(accepted.action == .accept)
        #expect(accepted.basis == .deleted)
    }

    @Test func suspicionsAndNotesAreNoThreats() {
        let findings = [
            Finding(kind: .heuristic, name: "h", object: 2, score: 99), Finding(kind: .note, name: "n"),
            Finding(kind: .spam, name: "s", score: 5),
        ]
        #expect(decide(policy(), verdict(findings, [attachment])).antivirus == .clean)
        let certain = [Finding(kind: .heuristic, name: "h", object: 2, score: 100)]
        #expect(decide(policy(), verdict(certain, [attachment])).antivirus == .deleted)
    }

    @Test func inconsistentObjectTreesEnd() {
        var a = ObjectInfo(id: 8, parent: 9, format: "X", rootRange: attachment.rootRange)
        let b = ObjectInfo(id: 9, parent: 8, format: "X", rootRange: attachment.rootRange)
        #expect(decide(policy(), verdict([infected(8)], [a, b])).antivirus == .deleted)
        a.rootRange = 1 << 63..<UInt64.max
        #expect(decide(policy(), verdict([infected(8)], [a, b])).antivirus == .infected)
        #expect(decide(policy(), verdict([infected(77)], [])).antivirus == .infected)
    }
}

@Suite struct QuarantinePolicyTests {
    @Test func onlyInfectedOriginalsAreKept() {
        let on = policy { $0.quarantine = true }
        #expect(decide(on, verdict([infected(2)], [attachment])).quarantine)
        #expect(decide(on, verdict([infected(1)])).quarantine)
        #expect(!decide(on, verdict()).quarantine)
        #expect(!decide(on, verdict([unscanned])).quarantine)
        #expect(!decide(policy(), verdict([infected(1)])).quarantine)
    }

    @Test func aFailedQuarantineNeverLosesMail() {
        let on = policy { $0.quarantine = true }
        let deleted = decide(on, verdict([infected(2)], [attachment])).afterQuarantineFailure()
        #expect(deleted.action == .defer)
        #expect(deleted.basis == .quarantineFailed)
        #expect(deleted.removals.isEmpty)
        let discarded = decide(
            policy {
                $0.quarantine = true
                $0.actionInfected = .discard
            }, verdict([infected(1)])
        ).afterQuarantineFailure()
        #expect(discarded.action == .defer)
        let rejected = decide(on, verdict([infected(1)]))
        #expect(rejected.afterQuarantineFailure() == rejected)
    }
}

@Suite struct ReplyTextTests {
    @Test func namesTheThreatSafely() {
        let decision = Decision(
            .reject, .infected, antivirus: .infected,
            threats: ["Evil\r\n250 OK\u{202E}ü" + String(repeating: "x", count: 500)])
        let text = decision.replyText
        #expect(text.hasPrefix("Message rejected: infected with Evil  250 OK"))
        #expect(text.utf8.count <= 200)
        #expect(text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
    }

    @Test func discardIsNotTold() {
        #expect(Decision(.discard, .infected, threats: ["X"]).replyText == "Message accepted")
    }
}
