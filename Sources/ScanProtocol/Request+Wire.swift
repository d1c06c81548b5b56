/// Recipients of one message at most: more than a mail server accepts in one transaction.
private let recipientLimit = 100_000

extension ScanOrder {
    func write(to writer: inout WireWriter) {
        if let content {
            writer.write(UInt32(content.count))
            writer.write(raw: content)
        }
        writer.write(size)
        writer.write(name)
        writer.write(envelope.agent)
        writer.write(envelope.sender)
        writer.write(envelope.clientAddress)
        writer.write(envelope.helo)
        let kept = envelope.boundedRecipients
        writer.write(UInt32(kept.count))
        for recipient in kept { writer.write(recipient) }
        writer.write(raw: options.wire { options.encoded })
    }

    init(from reader: inout WireReader) throws(WireError) {
        let size: UInt64 = try reader.integer("size")
        let name = try reader.text("name")
        var envelope = ScanEnvelope(agent: try reader.text("agent"))
        envelope.sender = try reader.optionalText("sender")
        envelope.clientAddress = try reader.optionalText("client address")
        envelope.helo = try reader.optionalText("helo")
        for _ in 0..<(try reader.count("recipients", limit: recipientLimit, minimumSize: 4)) {
            envelope.recipients.append(try reader.text("recipient"))
        }
        guard envelope.recipients.count == envelope.boundedRecipients.count else {
            throw WireError(.tooLong, "recipients")
        }
        let options = try KnownOptions.shared.options(from: &reader)
        self.init(options: options, envelope: envelope, name: name, size: size)
    }
}

extension ScanEnvelope {
    /// As many recipients as fit into half of a request: the scanner only learns from them, it decides
    /// nothing about one of them.
    fileprivate var boundedRecipients: ArraySlice<String> {
        var room = WireLimits.request / 2
        var count = 0
        for recipient in recipients.prefix(recipientLimit) {
            room -= 4 + min(recipient.utf8.count, WireLimits.text)
            guard room >= 0 else { break }
            count += 1
        }
        return recipients.prefix(count)
    }
}
