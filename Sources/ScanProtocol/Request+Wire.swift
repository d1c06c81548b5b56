/// Recipients of one message at most: more than a mail server accepts in one transaction.
private let recipientLimit = 100_000

extension ScanOrder {
    /// Options of one request at most.
    private static let options = 1_024

    func write(to writer: inout WireWriter) {
        writer.write(size)
        writer.write(name)
        writer.write(envelope.agent)
        writer.write(envelope.sender)
        writer.write(envelope.clientAddress)
        writer.write(envelope.helo)
        let kept = envelope.boundedRecipients
        writer.write(UInt32(kept.count))
        for recipient in kept { writer.write(recipient) }
        let numbers = options.numbers.sorted { $0.key < $1.key }.prefix(ScanOrder.options)
        writer.write(UInt32(numbers.count))
        for (name, value) in numbers {
            writer.write(name)
            writer.write(value)
        }
        let texts = options.texts.sorted { $0.key < $1.key }.prefix(ScanOrder.options)
        writer.write(UInt32(texts.count))
        for (name, value) in texts {
            writer.write(name)
            writer.write(value)
        }
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
        var options = ScanOptions()
        for _ in 0..<(try reader.count("numbers", limit: ScanOrder.options, minimumSize: 12)) {
            let name = try reader.text("option")
            options.numbers[name] = try reader.integer("value of an option")
        }
        for _ in 0..<(try reader.count("texts", limit: ScanOrder.options, minimumSize: 8)) {
            let name = try reader.text("option")
            options.texts[name] = try reader.text("value of an option")
        }
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
