import Bytes
import Configuration
import ScanProtocol
import Testing

@testable import Mail

/// A generator with a seed, so that a failure can be repeated.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

@Suite struct HostileMessageTests {
    private static let pieces = [
        "\r\n", "\n", "\r", "\r\n\r\n", "--b1\r\n", "--b1--\r\n", "Content-Type: multipart/mixed; boundary=b1\r\n",
        "Content-Type: message/rfc822\r\n\r\n", "Content-Type: text/html\r\n", "Content-Type: text/plain\r\n",
        "Content-Transfer-Encoding: base64\r\n", "Content-Transfer-Encoding: quoted-printable\r\n", "Subject: x\r\n",
        "Subject:", " folded\r\n", "R3LDvMOf\r\n", "<html></body>", "=3C/bo", "=", "=\r\n", "\u{0}", "begin 644 x\r\n",
        "end\r\n", "From x\r\n", "X-Esets-AS: 1\r\n", "junk", ":", "multipart/signed", "é",
    ]

    private var everything: Modification {
        var modification = Modification()
        modification.antivirusHeader = .antivirus
        modification.antivirusSubject = .antivirus
        modification.antivirusFootnote = .antivirus
        modification.antispamHeader = .antispam
        modification.antispamSubject = .antispam
        modification.headerTemplate = Template("X-EsetsResult: %avstatus%, %virus%")
        modification.antivirusSubjectTemplate = Template("[%avstatus%]")
        modification.antispamSubjectTemplate = Template("[SPAM]")
        modification.footnoteTemplate = Template("note\nü")
        return modification
    }

    /// Whatever the message, segments are in order, in bounds, and what is removed is gone.
    @Test(arguments: 0..<400)
    func randomMessages(_ seed: Int) {
        var random = SplitMix(state: UInt64(seed))
        var text = Bool.random(using: &random) ? "Subject: a\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n" : ""
        for _ in 0..<Int.random(in: 0..<30, using: &random) { text += Self.pieces.randomElement(using: &random) ?? "" }
        withView(text) { view in
            let outline = MessageOutline(view)
            var removals: [Removal] = []
            for part in outline.parts where Bool.random(using: &random) {
                let range = UInt64(part.body.lowerBound)..<UInt64(part.body.upperBound)
                let kind = outline.kind(ofBody: range)
                if kind != .unknown && kind != .protected && !range.isEmpty {
                    removals.append(Removal(.part(range), threats: ["T"]))
                }
            }
            let decision = Decision(
                .accept, .deleted, antivirus: .deleted, antispam: .spam, score: 99, removals: removals,
                threats: ["T"])
            let rewriter = MessageRewriter(
                message: view, decision: decision, modification: everything, values: TemplateValues())
            let segments = rewriter.segments()
            var position = 0
            for case .original(let range) in segments {
                #expect(range.lowerBound >= position && !range.isEmpty && range.upperBound <= view.count)
                position = range.upperBound
                for removal in removals {
                    guard case .part(let gone) = removal.target else { continue }
                    #expect(UInt64(range.upperBound) <= gone.lowerBound || UInt64(range.lowerBound) >= gone.upperBound)
                }
            }
        }
    }

    @Test func deepNestingEnds() {
        var text = ""
        for _ in 0..<500 { text += "Content-Type: message/rfc822\r\n\r\n" }
        #expect(outline(text).parts.count <= 20)
        text = ""
        for i in 0..<500 { text += "Content-Type: multipart/mixed; boundary=b\(i)\r\n\r\n--b\(i)\r\n" }
        #expect(outline(text).parts.count <= 501)
    }

    @Test func emptyMessage() {
        let decision = Decision(
            .accept, .deleted, antivirus: .deleted, removals: [Removal(.content, threats: ["T"])], threats: ["T"])
        #expect(parts(rewrite("", decision, everything)).first?.contains("The content") == true)
    }
}
