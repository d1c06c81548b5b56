#if MODULE_WORLD
    package import BytesE
    package import MIMEE
#else
    package import Bytes
    package import MIME
#endif

/// A message as the antispam engine reads it: decoded header texts, the words of its text parts, its links, and the
/// facts that rules compare. The trainer and em005 both read messages through it.
///
/// Everything is bounded: header fields, decoded text, links, names. The message must outlive it.
package struct MessageContent {
    static let maximumFields = 1_000
    static let maximumText = 1 << 20
    static let maximumNames = 200
    static let maximumParts = 2_000

    package let message: ByteView
    /// The header's fields, in order.
    package private(set) var fields: [HeaderField] = []
    /// Subject, decoded.
    package private(set) var subject: [UInt8] = []
    package private(set) var from = MailAddress(name: [], address: [])
    package private(set) var replyTo = MailAddress(name: [], address: [])
    /// Addresses of To and Cc.
    package private(set) var recipients: [MailAddress] = []
    /// The words of all text parts: lower case, one space between words.
    package private(set) var text: [UInt8] = []
    package private(set) var links: [Link] = []
    /// File names of the attachments.
    package private(set) var attachments: [[UInt8]] = []
    /// Media types of the parts, without repetition.
    package private(set) var mediaTypes: [[UInt8]] = []
    package var facts = Facts()
    /// Whether `check` ended the reading: the content is not complete.
    package private(set) var isCancelled = false

    /// Reads a message.
    ///
    /// - Parameters:
    ///   - message: its bytes; they must outlive the content.
    ///   - check: asked about every 64 KiB and each part whether to go on.
    package init(_ message: ByteView, check: () -> Bool = { true }) {
        self.message = message
        facts[.size] = Int64(message.count)
        readHeader(check)
        readParts(check)
        measureLinks()
    }

    // MARK: Header

    private mutating func readHeader(_ check: () -> Bool) {
        var cursor = HeaderCursor(message: message)
        while fields.count < MessageContent.maximumFields, let field = cursor.next(check: check) {
            fields.append(field)
        }
        if cursor.isCancelled { isCancelled = true }
        facts[.headers] = Int64(fields.count)
        subject = first("subject").map { EncodedWords.decode($0) } ?? []
        if let value = first("from") {
            from = MailAddress.list(value, limit: 1).first ?? from
            facts[.fromMalformed] = from.domain.contains(0x2e) ? 0 : 1
            facts[.fromNameAddress] = namesAnotherAddress() ? 1 : 0
        }
        if let value = first("reply-to") {
            replyTo = MailAddress.list(value, limit: 1).first ?? replyTo
            let domain = replyTo.domain
            if !domain.isEmpty, !from.domain.isEmpty, registeredDomain(domain) != registeredDomain(from.domain) {
                facts[.replyToDiffers] = 1
            }
        }
        for field in fields where field.isNamed("to", in: message) || field.isNamed("cc", in: message) {
            recipients += MailAddress.list(field.value(in: message), limit: 1_000 - min(1_000, recipients.count))
                .filter { $0.address.contains(0x40) }
        }
        facts[.recipients] = Int64(recipients.count)
        facts[.undisclosed] = recipients.isEmpty ? 1 : 0
        facts[.selfAddressed] = !from.address.isEmpty && recipients.first?.address == from.address ? 1 : 0
        measureDates()
        if let id = first("message-id") { facts[.messageIDMalformed] = isMessageID(id) ? 0 : 1 }
    }

    /// The value of the first field with a name (lower case), undecoded.
    package func first(_ name: StaticString) -> ByteView? {
        for field in fields where field.isNamed(name, in: message) { return field.value(in: message) }
        return nil
    }

    /// Whether the display name holds an address of another domain: "service@bank.example" <x@other.example>.
    private func namesAnotherAddress() -> Bool {
        guard let at = from.name.firstIndex(of: 0x40) else { return false }
        var end = at + 1
        while end < from.name.count, isHostByte(from.name[end]) { end += 1 }
        let shown = from.name[(at + 1)..<end].map { asciiLowercased($0) }
        guard shown.contains(0x2e) else { return false }
        return registeredDomain(shown) != registeredDomain(from.domain)
    }

    private mutating func measureDates() {
        var received: Int64?
        for field in fields where field.isNamed("received", in: message) {
            facts[.hops] += 1
            guard received == nil else { continue }
            let value = field.value(in: message)
            var semicolon: Int?
            var from = 0
            while let hit = value.firstIndex(of: 0x3b, from: from) {
                semicolon = hit
                from = hit + 1
            }
            if let semicolon { received = MailDate(value.dropFirst(semicolon + 1))?.seconds }
        }
        guard let value = first("date") else { return }
        guard let date = MailDate(value) else {
            facts[.dateInvalid] = 1
            return
        }
        guard let received else { return }
        let hours = (date.seconds - received) / 3600
        if hours > 0 { facts[.dateAhead] = hours } else { facts[.dateBehind] = -hours }
    }

    private func isMessageID(_ value: ByteView) -> Bool {
        guard value.count >= 5, value[0] == 0x3c, value[value.count - 1] == 0x3e,
            let at = value.firstIndex(of: 0x40)
        else { return false }
        return at > 1 && at < value.count - 2 && value.firstIndex(of: 0x20) == nil
    }

    // MARK: Parts

    private mutating func readParts(_ check: () -> Bool) {
        var walker = MIMEWalker(message)
        var sink = TextSink(limit: MessageContent.maximumText)
        var parts = 0
        while parts < MessageContent.maximumParts, let part = walker.next(check: check) {
            guard part.kind == .leaf else { continue }
            parts += 1
            note(part)
            if part.isType("text/html"), !part.isDeclaredAttachment {
                facts[.htmlParts] += 1
                noteEncoding(part)
                read(page: part.text(in: message, limit: MessageContent.maximumText), into: &sink)
            } else if part.isType("text/plain"), !part.isAttachment {
                facts[.textParts] += 1
                noteEncoding(part)
                let text = part.text(in: message, limit: MessageContent.maximumText)
                text.withUnsafeBufferPointer { buffer in
                    sink.add(ByteView(buffer))
                    links += webLinks(inText: ByteView(buffer), limit: HTMLReader.maximumLinks - links.count)
                }
                sink.space()
            }
        }
        if walker.isCancelled { isCancelled = true }
        facts[.parts] = Int64(parts)
        facts[.htmlOnly] = facts[.htmlParts] > 0 && facts[.textParts] == 0 ? 1 : 0
        facts[.defects] = walker.defects.isEmpty ? 0 : 1
        facts[.invisible] = Int64(sink.invisible)
        if sink.letters >= 200 { facts[.capitals] = Int64(sink.capitals * 1000 / sink.letters) }
        text = sink.bytes
        facts[.words] = Int64(text.lazy.filter { $0 == 0x20 }.count)
    }

    private mutating func read(page: [UInt8], into sink: inout TextSink) {
        var reader = HTMLReader(into: sink)
        page.withUnsafeBufferPointer { reader.read(ByteView($0)) }
        links += reader.links.prefix(max(0, HTMLReader.maximumLinks - links.count))
        facts[.htmlImages] += Int64(reader.images)
        facts[.hidden] += Int64(reader.hidden)
        facts[.forms] += Int64(reader.forms)
        facts[.scripts] += Int64(reader.scripts)
        facts[.refreshes] += Int64(reader.refreshes)
        sink = reader.finish()
    }

    private mutating func note(_ part: MIMEPart) {
        if mediaTypes.count < 64, !mediaTypes.contains(part.mediaType) { mediaTypes.append(part.mediaType) }
        if part.isType("image/") { facts[.images] += 1 }
        guard part.isAttachment else { return }
        facts[.attachments] += 1
        if let name = part.names.first, attachments.count < MessageContent.maximumNames { attachments.append(name) }
    }

    /// Text that needs no base64 and has it hides from filters that do not decode.
    private mutating func noteEncoding(_ part: MIMEPart) {
        guard part.encoding == .base64 else { return }
        let sample = part.decoded(in: message, limit: 4096)
        if !sample.isEmpty, sample.allSatisfy({ $0 < 0x80 }) { facts[.encodedText] = 1 }
    }

    private mutating func measureLinks() {
        facts[.links] = Int64(links.count)
        var hosts: [[UInt8]] = []
        for link in links where !link.host.isEmpty {
            if link.isMismatched { facts[.mismatchedLinks] += 1 }
            if isNumeric(host: link.host) { facts[.numericLinks] += 1 }
            if link.host.withUnsafeBufferPointer({ ByteView($0).firstIndex(of: ByteView("xn--")) != nil }) {
                facts[.punycodeLinks] += 1
            }
            let domain = registeredDomain(link.host)
            if hosts.count < 100, !hosts.contains(domain) { hosts.append(domain) }
        }
        facts[.linkHosts] = Int64(hosts.count)
    }
}

extension MIMEPart {
    /// Whether it is to be saved rather than shown.
    fileprivate var isDeclaredAttachment: Bool {
        disposition.withUnsafeBufferPointer { ByteView($0).equals(ByteView("attachment")) }
    }
}

private func isHostByte(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2e || byte == 0x2d
}
