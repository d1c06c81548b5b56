import Bytes
import Configuration
import MIME

/// The footnote in the text that the reader sees.
extension MessageRewriter {
    /// Encoded text longer than this gets no footnote: it would have to be decoded in memory.
    private static let longestEncoded = 4 << 20

    func addFootnotes(_ edits: inout EditList) {
        guard let status = decision.antivirus, modification.antivirusFootnote.contains(status.mask) else { return }
        let text = SafeText.lines(modification.footnoteTemplate.expanded(values))
        var footnote = Footnote(text: text, lineEnding: outline.lineEnding)
        guard !footnote.isEmpty else { return }
        for part in outline.parts where part.isShownText && !part.isProtected && !isRemoved(part) {
            let body = message.slice(part.body.lowerBound, part.body.upperBound)
            guard Footnote.isPossible(charset: part.charset), !isInlineSigned(body) else { continue }
            footnote.isHTML = part.mediaType == [UInt8]("text/html".utf8)
            footnote.allowsUTF8 = Footnote.isUTF8(part.charset)
            switch part.encoding {
            case .identity: addPlain(footnote, part, body, &edits)
            case .quotedPrintable: addQuoted(footnote, part, body, &edits)
            case .base64: addBase64(footnote, part, body, &edits)
            case .uuencode: break
            }
        }
    }

    private func addPlain(
        _ footnote: Footnote, _ part: MessageOutline.Part, _ body: ByteView, _ edits: inout EditList
    ) {
        var note = footnote
        // What is declared 7bit must stay so; a text that has 8-bit characters already may get more.
        note.allowsUTF8 = footnote.allowsUTF8 && body.prefix(1 << 20).buffer.contains { $0 >= 0x80 }
        let place = note.isHTML ? HTMLEnd.find(in: body, isQuoted: false) : body.count
        let bytes = place == body.count ? note.trailing(endsLine: endsLine(body)) : note.inner
        edits.insert(bytes, at: part.body.lowerBound + place, rank: .body)
    }

    private func addQuoted(
        _ footnote: Footnote, _ part: MessageOutline.Part, _ body: ByteView, _ edits: inout EditList
    ) {
        let ending = outline.lineEnding
        let place = footnote.isHTML ? HTMLEnd.find(in: body, isQuoted: true) : body.count
        var bytes = TransferEncoder.quotedPrintable(footnote.content, lineEnding: ending)
        if place == body.count {
            bytes = endsLine(body) ? ending + bytes + ending : ending + ending + bytes
        } else {
            // Soft line breaks around it, so that no line grows too long.
            bytes = [0x3D] + ending + bytes + [0x3D] + ending
        }
        edits.insert(bytes, at: part.body.lowerBound + place, rank: .body)
    }

    private func addBase64(
        _ footnote: Footnote, _ part: MessageOutline.Part, _ body: ByteView, _ edits: inout EditList
    ) {
        guard body.count <= Self.longestEncoded else { return }
        var decoder = TransferDecoder(.base64)
        var text: [UInt8] = []
        text.reserveCapacity(body.count)
        var position = 0
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16_384) { buffer in
            while position < body.count {
                let count = decoder.decode(body, from: &position, into: buffer)
                text.append(contentsOf: buffer[..<count])
            }
        }
        // What is not all base64 cannot be encoded again without loss.
        guard !decoder.foundJunk else { return }
        var note = footnote
        // Inside base64 text lines end with CR LF (RFC 2045 section 6.8).
        note.lineEnding = [0x0D, 0x0A]
        let (place, ended) = text.withUnsafeBufferPointer { buffer in
            let view = ByteView(buffer)
            return (note.isHTML ? HTMLEnd.find(in: view, isQuoted: false) : view.count, endsLine(view))
        }
        let bytes = place == text.count ? note.trailing(endsLine: ended) : note.inner
        text.insert(contentsOf: bytes, at: place)
        var encoded = TransferEncoder.base64Lines(text, lineEnding: outline.lineEnding)
        if !endsLine(body) { encoded.removeLast(outline.lineEnding.count) }
        edits.replace(part.body, with: encoded, rank: .body)
    }

    private func endsLine(_ bytes: ByteView) -> Bool {
        bytes.isEmpty || bytes[bytes.count - 1] == 0x0A || bytes[bytes.count - 1] == 0x0D
    }

    /// OpenPGP in the text itself (RFC 9580 section 6.2).
    private func isInlineSigned(_ body: ByteView) -> Bool {
        body.prefix(65_536).firstIndex(of: ByteView("-----BEGIN PGP ")) != nil
    }
}

/// A footnote and the forms that it takes.
private struct Footnote {
    /// Without white space at its ends; lines end with LF.
    let text: String
    var lineEnding: [UInt8]
    var isHTML = false
    var allowsUTF8 = false

    init(text: String, lineEnding: [UInt8]) {
        var view = text[...]
        while let last = view.last, last.isWhitespace { view.removeLast() }
        while view.first == "\n" { view.removeFirst() }
        self.text = String(view)
        self.lineEnding = lineEnding
    }

    var isEmpty: Bool { text.isEmpty }

    /// In the character set of the part, lines end with LF.
    var content: [UInt8] {
        if isHTML { return [UInt8](markup.utf8) }
        return allowsUTF8 ? [UInt8](text.utf8) : SafeText.ascii(text)
    }

    /// For a place inside a text.
    var inner: [UInt8] { lineEnding + lines + lineEnding }

    /// For the end of a text, set off by an empty line.
    func trailing(endsLine: Bool) -> [UInt8] {
        endsLine ? lineEnding + lines + lineEnding : lineEnding + lineEnding + lines
    }

    private var lines: [UInt8] {
        var result: [UInt8] = []
        for byte in content { if byte == 0x0A { result += lineEnding } else { result.append(byte) } }
        return result
    }

    /// ASCII in every character set that has it.
    private var markup: String {
        var result = "<div>"
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n": result += "<br>\n"
            default: if scalar.isASCII { result.unicodeScalars.append(scalar) } else { result += "&#\(scalar.value);" }
            }
        }
        return result + "</div>"
    }

    /// Whether ASCII bytes are ASCII text in a character set.
    static func isPossible(charset: [UInt8]) -> Bool {
        switch charset.withUnsafeBufferPointer({ Charset(label: ByteView($0)) }) {
        case .utf16, .utf16BigEndian, .utf16LittleEndian, .utf7: return false
        default: break
        }
        let label = String(decoding: charset.prefix(64), as: UTF8.self).lowercased()
        return !["utf-32", "utf32", "ucs-4", "ucs4", "ebcdic", "ibm037", "cp037"].contains { label.contains($0) }
    }

    static func isUTF8(_ charset: [UInt8]) -> Bool {
        let label = String(decoding: charset.prefix(16), as: UTF8.self).lowercased()
        return label == "utf-8" || label == "utf8"
    }
}

/// Where an HTML text ends for the reader.
private enum HTMLEnd {
    /// How far from its end a text is looked at, in bytes.
    private static let reach = 1 << 20

    /// The offset of the last `</body`, else of the last `</html`, else the end of the text.
    static func find(in text: ByteView, isQuoted: Bool) -> Int {
        var document: Int?
        var index = text.count
        let stop = max(0, text.count - reach)
        while index > stop {
            index -= 1
            guard isTagStart(text, index, isQuoted) else { continue }
            if matches("</body", text, index, isQuoted) { return index }
            if document == nil, matches("</html", text, index, isQuoted) { document = index }
        }
        return document ?? text.count
    }

    private static func isTagStart(_ text: ByteView, _ index: Int, _ isQuoted: Bool) -> Bool {
        text[index] == 0x3C || isQuoted && text[index] == 0x3D && text.dropFirst(index).hasPrefixIgnoringCase("=3C")
    }

    private static func matches(_ tag: StaticString, _ text: ByteView, _ from: Int, _ isQuoted: Bool) -> Bool {
        var index = from
        for wanted in ByteView(tag).buffer {
            guard let byte = next(text, &index, isQuoted), asciiLowercased(byte) == wanted else { return false }
        }
        return true
    }

    /// The next byte of the text; quoted-printable is decoded, its soft line breaks passed over.
    private static func next(_ text: ByteView, _ index: inout Int, _ isQuoted: Bool) -> UInt8? {
        while index < text.count {
            let byte = text[index]
            guard isQuoted, byte == 0x3D else {
                index += 1
                return byte
            }
            let rest = text.slice(index + 1, index + 3)
            if rest.hasPrefix(ByteView("\r\n")) {
                index += 3
            } else if rest.hasPrefix(ByteView("\n")) {
                index += 2
            } else {
                guard rest.count == 2, let high = digit(rest[0]), let low = digit(rest[1]) else { return nil }
                index += 3
                return high << 4 | low
            }
        }
        return nil
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}

extension ByteView {
    fileprivate func hasPrefixIgnoringCase(_ text: StaticString) -> Bool { hasPrefixIgnoringCase(ByteView(text)) }
}
