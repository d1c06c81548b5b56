package import Bytes

/// One round of fuzzing over every parser of this library. The first byte chooses sizes of chunks and options; the
/// rest goes through the server session, the reply parser, the client's transaction with what these two read, and
/// the content coders, whose invariants are checked.
/// - Parameter input: any bytes.
/// - Returns: whether the invariants held.
package func fuzzSMTP(_ input: ByteView) -> Bool {
    guard !input.isEmpty else { return true }
    let chunk = Int(input[0] & 0x3F) + 1
    let bare: BareNewline = input[0] & 0x40 == 0 ? .normalize : .reject
    let bytes = input.dropFirst(1)
    var envelope = Envelope()
    var replies: [Reply] = []
    return fuzzSession(bytes, chunk: chunk, bare: bare, into: &envelope)
        && fuzzReplies(bytes, chunk: chunk, into: &replies)
        && fuzzTransaction(envelope, replies, pipelining: input[0] & 0x80 != 0)
        && fuzzContent(bytes, chunk: chunk, bare: bare)
}

/// The last sender of a session, and all its recipients.
private struct Envelope {
    var mail: MailCommand?
    var recipients: [RecipientCommand] = []
}

private func fuzzSession(
    _ bytes: ByteView, chunk: Int, bare: BareNewline, into envelope: inout Envelope
) -> Bool {
    var session = ServerSession(bareNewline: bare)
    session.offer.xforward = true
    session.offer.mechanisms = [Array("PLAIN".utf8)]
    var content: [UInt8] = []
    var reading = false
    var offset = 0
    while offset < bytes.count {
        let part = bytes.slice(offset, offset + chunk)
        offset += part.count
        if reading {
            reading = session.content(part, into: &content) == nil
            if !reading { session.endTransaction() }
        } else {
            session.receive(part)
        }
        while !reading, let event = session.next() {
            switch event {
            case .command(.data):
                session.beginContent()
                reading = session.content(ByteView(), into: &content) == nil
                if !reading { session.endTransaction() }
            case .command(.mail(let mail)):
                guard isOneLine(mail.bytes()), isOneLine(mail.bytes(declaring: mail.declaredSize ?? .max)) else {
                    return false
                }
                _ = mail.needsBinary
                envelope.mail = mail
            case .command(.recipient(let recipient)):
                guard isOneLine(recipient.bytes) else { return false }
                envelope.recipients.append(recipient)
            case .command(.xforward(let attributes)):
                for line in attributes.commands(offered: Set(XForward.Attribute.allCases)) {
                    guard isOneLine(line), line.count <= XForward.maximumCommand else { return false }
                }
            case .command(.auth): session.expectResponse()
            case .close: return true
            default: break
            }
        }
    }
    return content.count <= 2 * bytes.count
}

private func fuzzReplies(_ bytes: ByteView, chunk: Int, into replies: inout [Reply]) -> Bool {
    var parser = ReplyParser()
    var offset = 0
    while offset < bytes.count {
        do { try parser.receive(bytes.slice(offset, offset + chunk), into: &replies) } catch { break }
        offset += chunk
    }
    for reply in replies {
        let extensions = Extensions(reply: reply)
        _ = (extensions.xforward, extensions.relayableMechanisms)
        _ = (reply.enhancedStatus, reply.text)
        // What we announce is no more than the next hop announced, and reads back.
        var offer = Offer()
        offer.maximumSize = 1000
        offer.mechanisms = extensions.relayableMechanisms
        let announced = Extensions(reply: offer.reply(greeting: Array("x".utf8), nextHop: extensions))
        guard announced.maximumSize == min(1000, extensions.maximumSize ?? 1000),
            announced.relayableMechanisms == extensions.relayableMechanisms,
            announced.parameters.keys.allSatisfy({ word in
                let own = ["PIPELINING", "SIZE"].contains { word == Array($0.utf8) }
                return own || extensions.parameters[word] != nil
            })
        else { return false }
        // What we relay must be read as the same single reply.
        var again: [Reply] = []
        var second = ReplyParser()
        let wire = reply.bytes
        do { try wire.withUnsafeBufferPointer { try second.receive(ByteView($0), into: &again) } } catch {
            return false
        }
        guard again == [reply] else { return false }
    }
    return true
}

private func fuzzTransaction(_ envelope: Envelope, _ replies: [Reply], pipelining: Bool) -> Bool {
    guard let mail = envelope.mail, !envelope.recipients.isEmpty else { return true }
    var transaction = ClientTransaction(
        mail: mail, recipients: envelope.recipients, size: 7, pipelining: pipelining)
    guard transaction.start().suffix(2) == [0x0D, 0x0A] else { return false }
    for (index, reply) in replies.enumerated() {
        switch transaction.receive(reply) {
        // A lone dot ends the empty message of a server that asks for it although it took nobody.
        case .write(let line) where !isOneLine(line): return false
        case .content:
            guard transaction.acceptedCount > 0, transaction.result == nil else { return false }
            transaction.contentSent()
        // MAIL, each RCPT, DATA, and the content or a lone dot have one reply each.
        case .done: return transaction.result != nil && index < envelope.recipients.count + 3
        default: break
        }
    }
    return transaction.recipientReplies.count <= envelope.recipients.count
}

private func fuzzContent(_ bytes: ByteView, chunk: Int, bare: BareNewline) -> Bool {
    // Whatever goes in, the encoder's output ends once, at its end, and decodes to the same for every setting.
    var encoder = DataEncoder()
    var wire: [UInt8] = []
    var offset = 0
    while offset < bytes.count {
        encoder.encode(bytes.slice(offset, offset + chunk), into: &wire)
        offset += chunk
    }
    encoder.finish(into: &wire)
    var decoder = DataDecoder(bareNewline: .reject)
    var content: [UInt8] = []
    let used = wire.withUnsafeBufferPointer { decoder.decode(ByteView($0), into: &content) }
    guard used == wire.count, !decoder.sawBareNewline else { return false }
    // And what a client sent as content never leaves with a bare CR or LF.
    var first = DataDecoder(bareNewline: bare)
    var decoded: [UInt8] = []
    _ = first.decode(bytes, into: &decoded)
    return hasOnlyPairs(decoded)
}

private func isOneLine(_ line: [UInt8]) -> Bool {
    line.count >= 2 && line.suffix(2) == [0x0D, 0x0A]
        && !line.dropLast(2).contains { $0 == 0x0D || $0 == 0x0A || $0 == 0 }
}

private func hasOnlyPairs(_ bytes: [UInt8]) -> Bool {
    var previous: UInt8 = 0
    for byte in bytes {
        if (byte == 0x0A) != (previous == 0x0D) { return false }
        previous = byte
    }
    return previous != 0x0D
}
