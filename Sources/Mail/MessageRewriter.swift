package import Bytes
import Configuration
import MIME

/// Makes the message that goes on out of the one that came: infected parts out, marks in. Pure: it reads the
/// message where it lies and answers with segments.
///
/// Bytes outside the changed ranges stay exactly as they are. Nothing below a signed or encrypted part changes;
/// the header of the message itself is not covered by such a signature and may get marks.
package struct MessageRewriter {
    /// The name that the marks carry.
    package static let product = "esets"

    let message: ByteView
    let outline: MessageOutline
    let decision: Decision
    let modification: Modification
    let values: TemplateValues
    /// What `av_eml_header_template` comes to.
    let resultFields: [(name: String, value: String)]

    /// - Parameters:
    ///   - message: stays valid and unchanged as long as the rewriter, and until its segments are written.
    ///   - decision: what has to be taken out, and what the marks say.
    ///   - modification: which marks are wanted.
    ///   - values: their subject is filled in from the message.
    package init(message: ByteView, decision: Decision, modification: Modification, values: TemplateValues) {
        self.message = message
        self.decision = decision
        self.modification = modification
        let hasFootnote = decision.antivirus.map { modification.antivirusFootnote.contains($0.mask) } ?? false
        // A message that only gets marks in its header is not walked through.
        outline =
            hasFootnote || !decision.removals.isEmpty
            ? MessageOutline(message) : MessageOutline(headerOf: message)
        var complete = values
        if modification.namesSubject { complete.subject = Self.subject(of: message, outline) }
        self.values = complete
        resultFields = Self.resultFields(decision, modification, complete)
    }

    /// The new message in pieces. A single `.original` segment when nothing changes.
    package func segments() -> [Segment] {
        var edits = EditList()
        stripForgedMarks(&edits)
        addScannerMark(&edits)
        tagSubject(&edits)
        // At one place edits stand in the order made: the fields of a notice that replaces the content first.
        remove(&edits)
        addResultMarks(&edits)
        addFootnotes(&edits)
        endExtendedHeaders(&edits)
        return edits.segments(of: message.count)
    }

    private static func subject(of message: ByteView, _ outline: MessageOutline) -> String {
        guard let field = outline.fields.first(where: { $0.isNamed("subject", in: message) }) else { return "" }
        return String(decoding: EncodedWords.decode(field.value(in: message), limit: 8192), as: UTF8.self)
    }

    /// Inserts whole fields (with line endings) at the end of a part's header.
    func append(_ fields: [UInt8], toHeaderOf index: Int, _ edits: inout EditList) {
        guard !fields.isEmpty else { return }
        let header = outline.parts[index].header
        let end = header.upperBound
        let isEnded = end == header.lowerBound || message[end - 1] == 0x0A || message[end - 1] == 0x0D
        edits.insert(isEnded ? fields : outline.lineEnding + fields, at: end, extendsHeaderOf: index)
    }

    /// Where no empty line stands between header and body, what follows could become part of an appended field:
    /// the empty line is made.
    private func endExtendedHeaders(_ edits: inout EditList) {
        for index in edits.extendedHeaders {
            let part = outline.parts[index]
            guard part.body.lowerBound <= part.header.upperBound else { continue }
            edits.insert(outline.lineEnding, at: part.header.upperBound, rank: .emptyLine)
        }
    }
}
