package import Bytes

/// One round of fuzzing over a connection: the first byte chooses the sizes of pieces and the limits, the rest comes
/// from the client, with a reply to each event.
/// - Parameter input: any bytes.
/// - Returns: whether the invariants held.
package func fuzzClamd(_ input: ByteView) -> Bool {
    guard !input.isEmpty else { return true }
    let piece = Int(input[0] & 0x1F) + 1
    var limits = ServerSession.Limits()
    limits.command = input[0] & 0x20 == 0 ? 64 : 8_192
    limits.stream = input[0] & 0x40 == 0 ? 100 : 1 << 40
    var session = ServerSession(limits: limits)
    let bytes = input.dropFirst(1)
    var replies = Replies()
    var begin = 0
    var end = 0
    var stream: UInt64 = 0
    while true {
        let hasEnded = end == bytes.count
        let held = bytes.slice(begin, end)
        let (event, consumed) = session.next(held, isQuiet: input[0] & 0x80 != 0, hasEnded: hasEnded)
        guard (0...held.count).contains(consumed) else { return false }
        begin += consumed
        switch event {
        case .needsInput:
            guard consumed == 0, !hasEnded, held.count < max(limits.command, 5) else { return false }
            end = min(bytes.count, end + piece)
        case .again: guard consumed > 0 else { return false }
        case .streamBegan: stream = 0
        case .streamData(let range):
            stream += UInt64(range.count)
            guard range.lowerBound >= 0, range.upperBound == consumed, consumed > 0, stream <= limits.stream else {
                return false
            }
        case .streamEnded(let form): guard replies.add(form, ReplyText.clean(ReplyText.stream)) else { return false }
        case .descriptor(let form, let low, let high):
            guard low < high, high < UInt64(begin) else { return false }
            guard replies.add(form, Array(ReplyText.noDescriptor.utf8)) else { return false }
        case .command(.scan(_, let path), let form):
            guard replies.add(form, ReplyText.found(path, "x\ny")) else { return false }
            if !session.isInSession { return session.next(ByteView()).event == .end }
        case .command(_, let form):
            guard replies.add(form, Array(ReplyText.pong.utf8)) else { return false }
            if !session.isInSession { return session.next(ByteView()).event == .end }
        case .streamTooLong(let form), .invalid(let form, _):
            return replies.add(form, Array(ReplyText.unknown.utf8)) && session.next(ByteView()).event == .end
        case .end: return true
        }
    }
}

/// A client can tell the replies apart: each is one line, and those of a session have growing numbers.
private struct Replies {
    private var last: UInt32 = 0

    mutating func add(_ form: ReplyForm, _ text: [UInt8]) -> Bool {
        let bytes = form.bytes(text)
        guard bytes.last == form.delimiter, !bytes.dropLast().contains(where: { $0 < 0x20 }) else { return false }
        if let number = form.number {
            guard number == last + 1 else { return false }
            last = number
        }
        return true
    }
}
