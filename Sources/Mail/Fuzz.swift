package import Bytes
import Configuration

/// Rewrites any bytes as a message, with parts taken out and every mark made, and traps when what comes out is
/// not in order. For fuzzing and replay tests.
package func fuzzRewriting(_ message: ByteView) {
    let outline = MessageOutline(message)
    let bodies = outline.parts.map { UInt64($0.body.lowerBound)..<UInt64($0.body.upperBound) }
    for (index, part) in outline.parts.enumerated() {
        precondition(part.header.upperBound <= message.count && part.body.upperBound <= message.count)
        precondition(part.parent.map { $0 < index } ?? true, "a part before its parent")
        // What stands in no part is found in no part.
        _ = outline.kind(ofBody: bodies[index].lowerBound..<UInt64.max)
    }
    let removable = bodies.filter { body in
        let kind = outline.kind(ofBody: body)
        return !body.isEmpty && kind != .unknown && kind != .protected
    }
    // Nothing, each part alone, the whole content.
    rewrite(message, [])
    for body in removable.prefix(8) { rewrite(message, [Removal(.part(body), name: "x.exe", threats: ["T"])]) }
    rewrite(message, removable.prefix(8).map { Removal(.part($0), threats: ["T"]) })
    if outline.canReplaceContent { rewrite(message, [Removal(.content, threats: ["T"])]) }
}

private func rewrite(_ message: ByteView, _ removals: [Removal]) {
    let decision = Decision(
        .accept, removals.isEmpty ? .spam : .deleted, antivirus: removals.isEmpty ? .clean : .deleted,
        antispam: .spam, score: 99, removals: removals, threats: removals.flatMap(\.threats))
    let rewriter = MessageRewriter(
        message: message, decision: decision, modification: everything, values: TemplateValues())
    var position = 0
    for case .original(let range) in rewriter.segments() {
        precondition(range.lowerBound >= position && range.upperBound <= message.count, "segments out of order")
        position = range.upperBound
        for removal in removals {
            guard case .part(let gone) = removal.target else { continue }
            precondition(
                UInt64(range.upperBound) <= gone.lowerBound || UInt64(range.lowerBound) >= gone.upperBound,
                "what was removed is still there")
        }
    }
}

/// Every mark, in every message.
private let everything: Modification = {
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
}()
