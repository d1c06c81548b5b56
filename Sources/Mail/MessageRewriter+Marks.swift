import Bytes
import Configuration
import MIME

/// Header fields that tell what the scan found.
extension MessageRewriter {
    /// Fields that only we write, and those of the product whose place we take: on mail that comes in they are
    /// forged, or tell of somebody else's scan.
    private static let ownPrefix: StaticString = "x-esets"
    private static let foreign: [StaticString] = ["x-esetresult", "x-eset-as", "x-eset-antispam", "x-i-eset-as"]
    private static let scannerName: StaticString = "x-virus-scanner"

    func stripForgedMarks(_ edits: inout EditList) {
        let templateNames = resultFields.map { [UInt8]($0.name.utf8) }
        // Neighbours go together: a header may hold millions of them.
        var ours: Range<Int>?
        func strip(_ field: HeaderField) {
            guard isOurs(field, templateNames) else { return }
            if let last = ours, last.upperBound == field.range.lowerBound {
                ours = last.lowerBound..<field.range.upperBound
            } else {
                if let last = ours { edits.replace(last, with: []) }
                ours = field.range
            }
        }
        if outline.hasAllFields {
            for field in outline.fields { strip(field) }
        } else {
            var cursor = HeaderCursor(message: message)
            while let field = cursor.next() { strip(field) }
        }
        if let last = ours { edits.replace(last, with: []) }
    }

    private func isOurs(_ field: HeaderField, _ templateNames: [[UInt8]]) -> Bool {
        let name = message.slice(field.name.lowerBound, field.name.upperBound)
        // All of them begin so.
        guard !name.isEmpty, asciiLowercased(name[0]) == UInt8(ascii: "x") else { return false }
        return name.hasPrefixIgnoringCase(ByteView(Self.ownPrefix))
            || Self.foreign.contains { name.equalsIgnoringCase(ByteView($0)) }
            || templateNames.contains { template in
                template.withUnsafeBufferPointer { name.equalsIgnoringCase(ByteView($0)) }
            }
            || name.equalsIgnoringCase(ByteView(Self.scannerName)) && namesUs(field.value(in: message))
    }

    /// Whether "esets" occurs in a value. Other scanners' marks are left alone.
    private func namesUs(_ value: ByteView) -> Bool {
        let head = value.prefix(2048)
        var index = 0
        while index + 5 <= head.count {
            if head.dropFirst(index).hasPrefixIgnoringCase(ByteView("esets")) { return true }
            index += 1
        }
        return false
    }

    /// `X-Virus-Scanner` on top, above Received: it belongs to this hop.
    func addScannerMark(_ edits: inout EditList) {
        guard let status = decision.antivirus, modification.antivirusHeader.contains(status.mask) else { return }
        var text = "This message was checked by \(Self.product)"
        if !values.version.isEmpty { text += ", version \(values.version)" }
        if !values.database.isEmpty { text += ", virus signature database \(values.database)" }
        edits.insert(
            HeaderText.field("X-Virus-Scanner", HeaderText.unstructured(text), lineEnding: outline.lineEnding),
            at: outline.headerStart)
    }

    /// The results, at the end of the header.
    func addResultMarks(_ edits: inout EditList) {
        var fields: [UInt8] = []
        if let status = decision.antivirus, modification.antivirusHeader.contains(status.mask) {
            for field in resultFields {
                fields += HeaderText.field(
                    field.name, HeaderText.unstructured(field.value), lineEnding: outline.lineEnding)
            }
        }
        if let status = decision.antispam, modification.antispamHeader.contains(status.mask) {
            let score = decision.score.map { ";S=\(ScoreText.text($0))" } ?? ""
            for (name, value) in [
                ("X-Esets-Antispam", status.text), ("X-Esets-AS", "R=\(status.text)\(score)"),
            ] {
                fields += HeaderText.field(name, [UInt8](value.utf8), lineEnding: outline.lineEnding)
            }
        }
        append(fields, toHeaderOf: 0, &edits)
    }

    /// The fields of `av_eml_header_template`: one for each line, `Name: value`; a line without a name is the value
    /// of X-EsetsResult. Only names beginning with "X-" may be set: others mean something to mail programs.
    static func resultFields(
        _ decision: Decision, _ modification: Modification, _ values: TemplateValues
    ) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        for line in modification.headerTemplate.text.utf8.split(separator: 0x0A).prefix(8).map(Substring.init) {
            var name = "X-EsetsResult"
            var template = line
            if let colon = line.utf8.firstIndex(of: 0x3A), HeaderText.isFieldName(line[..<colon]),
                line.utf8.first.map({ $0 | 0x20 }) == 0x78, line.utf8.dropFirst().first == 0x2D
            {
                name = String(line[..<colon])
                template = line[line.utf8.index(after: colon)...]
            }
            var value = SafeText.line(Template.expand(template, values), limit: 600)
            value = trimmed(value)
            // "clean, %virus%" has nothing to say behind the comma.
            if value.hasSuffix(",") { value = decision.threats.isEmpty ? "\(value) is OK" : String(value.dropLast()) }
            if decision.antivirus != .clean, value.hasSuffix(", is OK") { value = String(value.dropLast(7)) }
            if !value.isEmpty { fields.append((name, value)) }
        }
        return fields
    }

    private static func trimmed(_ text: String) -> String {
        guard text.utf8.first == 0x20 || text.utf8.last == 0x20 else { return text }
        var view = text.utf8[...]
        while view.first == 0x20 { view.removeFirst() }
        while view.last == 0x20 { view.removeLast() }
        return String(Substring(view))
    }
}
