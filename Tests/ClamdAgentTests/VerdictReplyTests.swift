import ScanProtocol
import Testing

@testable import ClamdAgent

@Suite struct VerdictReplyTests {
    private func reply(
        _ findings: [Finding], _ notScanned: ClamdSettings.NotScanned = .error, score: Double = 100, all: Bool = false
    ) -> VerdictReply {
        var verdict = ScanVerdict()
        verdict.findings = findings
        return VerdictReply(verdict, notScanned: notScanned, heuristicScore: score, all: all)
    }

    @Test func nothingFound() {
        #expect(reply([]) == .clean)
        #expect(
            reply([Finding(kind: .spam, name: "X", score: 200), Finding(kind: .note, name: "malformed")]) == .clean)
    }

    @Test func threats() {
        let found = [
            Finding(kind: .heuristic, name: "Macro", score: 100), Finding(kind: .infected, name: "A"),
            Finding(kind: .infected, name: "B"), Finding(kind: .infected, name: "A"),
            Finding(kind: .notScanned, name: "password protected"),
        ]
        #expect(reply(found) == .found(["A"]))
        #expect(reply(found, all: true) == .found(["A", "B", "Macro"]))
        #expect(reply([Finding(kind: .unwanted, name: "PUA.X")]) == .found(["PUA.X"]))
        #expect(reply([Finding(kind: .unsafe, name: "Tool")]) == .found(["Tool"]))
    }

    @Test func suspicions() {
        let found = [Finding(kind: .heuristic, name: "Macro", score: 60)]
        #expect(reply(found) == .clean)
        #expect(reply(found, score: 61) == .clean)
        #expect(reply(found, score: 60) == .found(["Macro"]))
    }

    @Test func whatWasNotScannedIsNeverOKUnlessConfigured() {
        let found = [Finding(kind: .notScanned, name: "password protected")]
        #expect(reply(found) == .error("Not scanned: password protected"))
        #expect(reply(found, .found) == .found(["Heuristics.Encrypted.Object"]))
        let limit = [Finding(kind: .notScanned, name: "limit: too many objects")]
        #expect(reply(limit, .found) == .found(["Heuristics.Limits.Exceeded.TooManyObjects"]))
        let other = [Finding(kind: .notScanned, name: "unsupported format variant")]
        #expect(reply(other, .found) == .found(["Heuristics.NotScanned.UnsupportedFormatVariant"]))
        #expect(reply(found, .ok) == .clean)
    }

    @Test func aCrashIsAnErrorWhateverIsConfigured() {
        let found = [Finding(kind: .notScanned, name: "crash", source: "signal 11")]
        for setting in [ClamdSettings.NotScanned.error, .found, .ok] {
            #expect(reply(found, setting) == .error("The scanner crashed on this object"))
        }
    }

    @Test func namesCannotForgeReplies() {
        let found = [Finding(kind: .infected, name: "a: b FOUND\nstream: OK")]
        let lines = reply(found).lines(Array("stream".utf8)).map { String(decoding: $0, as: UTF8.self) }
        #expect(lines == ["stream: a:b_FOUND?stream:OK FOUND"])
        #expect(reply([Finding(kind: .infected, name: "")]) == .found(["unnamed"]))
    }
}
