import Bytes
import Configuration
import MIME

/// Taking infected parts out.
extension MessageRewriter {
    func remove(_ edits: inout EditList) {
        for removal in decision.removals {
            switch removal.target {
            case .content: replaceBody(of: 0, with: contentNotice(removal), &edits)
            case .part(let range): remove(removal, MessageOutline.range(range) ?? 0..<0, &edits)
            }
        }
    }

    /// Which parts are gone, so that nothing else is done to them.
    func isRemoved(_ part: MessageOutline.Part) -> Bool {
        decision.removals.contains { removal in
            switch removal.target {
            case .content: true
            case .part(let range):
                MessageOutline.range(range).map {
                    $0.lowerBound <= part.body.lowerBound && part.body.upperBound <= $0.upperBound
                } ?? false
            }
        }
    }

    private func remove(_ removal: Removal, _ range: Range<Int>, _ edits: inout EditList) {
        guard let index = outline.part(holding: range) else { return }
        let part = outline.parts[index]
        if part.structure == .gap || part.structure == .leaf && part.encoding == .identity && part.body != range {
            // A block in text: its lines go, a line of text comes.
            let isLineEnded = range.upperBound > 0 && message[range.upperBound - 1] == 0x0A
            let notice = SafeText.ascii(partNotice(removal)) + (isLineEnded ? outline.lineEnding : [])
            edits.replace(range, with: notice, rank: .body)
            return
        }
        replaceBody(of: index, with: partNotice(removal), &edits)
    }

    /// Makes a part a text/plain part with a notice.
    private func replaceBody(of index: Int, with notice: String, _ edits: inout EditList) {
        let part = outline.parts[index]
        let lineEnding = outline.lineEnding
        var hasVersion = false
        var cursor = HeaderCursor(message: message.slice(part.header.lowerBound, part.header.upperBound))
        while let field = cursor.next() {
            let name = cursor.bytes.slice(field.name.lowerBound, field.name.upperBound)
            if name.hasPrefixIgnoringCase(ByteView("content-")) {
                let low = part.header.lowerBound + field.range.lowerBound
                edits.replace(low..<(low + field.range.count), with: [])
            }
            if name.equalsIgnoringCase(ByteView("mime-version")) { hasVersion = true }
        }

        let isASCII = notice.utf8.allSatisfy { $0 < 0x80 }
        let text = [UInt8](notice.utf8) + [0x0A]
        var fields: [UInt8] = []
        func add(_ name: String, _ value: String) {
            fields += HeaderText.field(name, [UInt8](value.utf8), lineEnding: lineEnding)
        }
        if index == 0 && !hasVersion { add("MIME-Version", "1.0") }
        add("Content-Type", isASCII ? "text/plain; charset=us-ascii" : "text/plain; charset=utf-8")
        add("Content-Transfer-Encoding", isASCII ? "7bit" : "base64")
        add("Content-Disposition", "inline")
        append(fields, toHeaderOf: index, &edits)

        var body = isASCII ? [] : TransferEncoder.base64Lines(text, lineEnding: lineEnding)
        if isASCII { for byte in text { if byte == 0x0A { body += lineEnding } else { body.append(byte) } } }
        edits.replace(part.body, with: body, rank: .body)
    }

    private func partNotice(_ removal: Removal) -> String {
        let name = SafeText.line(removal.name, limit: 120)
        let subject = name.isEmpty ? "An attachment" : "The attachment \"\(name)\""
        return "\(subject) was removed by \(Self.product), because it is infected: \(threats(removal))"
    }

    private func contentNotice(_ removal: Removal) -> String {
        "The content of this message was removed by \(Self.product), because it is infected: \(threats(removal))"
    }

    private func threats(_ removal: Removal) -> String {
        SafeText.line(removal.threats.joined(separator: ", "), limit: 200)
    }
}
