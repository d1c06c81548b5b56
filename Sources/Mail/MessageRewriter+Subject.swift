import Bytes
import Configuration
import MIME

/// Prefixes of the subject.
extension MessageRewriter {
    func tagSubject(_ edits: inout EditList) {
        guard wantsTags else { return }
        let fields = outline.fields.filter { $0.isNamed("subject", in: message) }
        guard !fields.isEmpty else {
            let tags = wantedTags(before: "")
            if !tags.isEmpty {
                let value = HeaderText.unstructured(tags.joined(separator: " "))
                append(HeaderText.field("Subject", value, lineEnding: outline.lineEnding), toHeaderOf: 0, &edits)
            }
            return
        }
        // Programs differ in which of several subjects they show.
        for field in fields {
            let value = field.value(in: message)
            let tags = wantedTags(before: String(decoding: EncodedWords.decode(value, limit: 8192), as: UTF8.self))
            if !tags.isEmpty { insert(tags.joined(separator: " "), before: field, isAlone: value.isEmpty, &edits) }
        }
    }

    private var wantsTags: Bool {
        decision.antivirus.map { modification.antivirusSubject.contains($0.mask) } ?? false
            || decision.antispam.map { modification.antispamSubject.contains($0.mask) } ?? false
    }

    /// The prefixes that the subject does not have yet, virus status first.
    private func wantedTags(before subject: String) -> [String] {
        var tags: [String] = []
        if let status = decision.antivirus, modification.antivirusSubject.contains(status.mask) {
            tags.append(modification.antivirusSubjectTemplate.expanded(values))
        }
        if let status = decision.antispam, modification.antispamSubject.contains(status.mask) {
            tags.append(modification.antispamSubjectTemplate.expanded(values))
        }
        var rest = subject[...].drop { $0 == " " || $0 == "\t" }
        return tags.compactMap { text in
            let tag = SafeText.line(text, limit: 200)
            let words = tag.split(separator: " ", omittingEmptySubsequences: true)
            guard !words.isEmpty else { return nil }
            let clean = words.joined(separator: " ")
            guard rest.hasPrefix(clean) else { return clean }
            rest = rest.dropFirst(clean.count).drop { $0 == " " || $0 == "\t" }
            return nil
        }
    }

    /// Puts the prefix right after the colon; what the field holds stays as it is, on a line of its own when the first
    /// line would become long (RFC 5322 section 2.1.1).
    private func insert(_ tag: String, before field: HeaderField, isAlone: Bool, _ edits: inout EditList) {
        let value = message.slice(field.value.lowerBound, field.value.upperBound)
        if isAlone {
            edits.replace(field.value, with: [0x20] + HeaderText.unstructured(tag))
            return
        }
        let spaces = value.buffer.prefix { $0 == 0x20 || $0 == 0x09 }.count
        let firstLine = value.dropFirst(spaces).buffer.prefix { $0 != 0x0D && $0 != 0x0A }.count
        var bytes = [0x20] + HeaderText.unstructured(tag, joined: true)
        // A fold needs its own white space; a value that goes on in the next line at once is folded already.
        if firstLine == 0 {
            bytes.removeLast()
        } else if field.name.count + 1 + bytes.count + firstLine > 78 {
            bytes.removeLast()
            bytes += outline.lineEnding + [0x20]
        }
        let start = field.value.lowerBound
        edits.replace(start..<(start + spaces), with: bytes)
    }
}
