package import Bytes

/// What to do with a CR without LF and an LF without CR in a message.
package enum BareNewline: String, Sendable, CaseIterable {
    /// Answer 550 when the message is complete.
    case reject
    /// A bare LF becomes CRLF, a bare CR a space.
    case normalize
}

/// Reads the content that follows DATA (RFC 5321 section 4.5.2), in chunks of any size and with constant memory.
///
/// Only CRLF "." CRLF ends a message. Other servers end it at LF "." CRLF, CRLF "." LF and the like; a sender who
/// knows hides a second message behind such a sequence, which the first server takes for content and the next
/// obeys ("SMTP smuggling"). Here such bytes are content, and the encoder towards the next hop stuffs their dot.
/// NUL is content like any other byte: the scanner sees what the next hop gets.
package struct DataDecoder: Sendable {
    private enum State: Sendable {
        /// After CRLF, or at the beginning.
        case lineStart
        /// After a dot at the beginning of a line; the dot is not content.
        case dot
        /// After such a dot and a CR.
        case dotCarriageReturn
        case text
        /// After a CR that is not content yet.
        case carriageReturn
    }

    private var state = State.lineStart
    private let bareNewline: BareNewline

    /// Whether a bare CR or LF was met. With `reject` no content is given out from there on.
    package private(set) var sawBareNewline = false
    /// Whether the content has a NUL.
    package private(set) var sawNUL = false

    package init(bareNewline: BareNewline) {
        self.bareNewline = bareNewline
    }

    /// Takes bytes and appends the content in them to `out`.
    /// - Returns: how many bytes were used when the message ended there; nil when all were and it goes on.
    package mutating func decode(_ input: ByteView, into out: inout [UInt8]) -> Int? {
        let bytes = input.buffer
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            switch state {
            case .text:
                index = copyText(bytes, from: index, into: &out)
                continue
            case .lineStart:
                guard byte == 0x2E else {
                    state = .text
                    continue
                }
                state = .dot
            case .dot:
                if byte == 0x0D {
                    state = .dotCarriageReturn
                } else {
                    // A stuffed dot, or one that a sender forgot to stuff: the first goes, the rest of the line is text.
                    state = .text
                    continue
                }
            case .dotCarriageReturn:
                if byte == 0x0A { return index + 1 }
                state = .carriageReturn
                continue
            case .carriageReturn:
                if byte == 0x0A {
                    append([0x0D, 0x0A], to: &out)
                    state = .lineStart
                } else {
                    bare([0x20], to: &out)
                    state = .text
                    continue
                }
            }
            index += 1
        }
        return nil
    }

    /// Copies up to the next place that needs a decision, whole lines at once where possible.
    private mutating func copyText(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, into out: inout [UInt8]
    ) -> Int {
        var index = start
        let count = bytes.count
        while index < count {
            let byte = bytes[index]
            if byte > 0x0D {
                index = ByteView(bytes).firstIndex(below: 0x0E, from: index)
            } else if byte == 0x0D {
                guard index + 2 < count, bytes[index + 1] == 0x0A, bytes[index + 2] != 0x2E else { break }
                index += 2
            } else if byte == 0x0A {
                break
            } else {
                if byte == 0 { sawNUL = true }
                index += 1
            }
        }
        if !isRefused { out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<index])) }
        guard index < count else { return index }
        if bytes[index] == 0x0D {
            state = .carriageReturn
        } else {
            // The line that begins after a bare LF is none of the sender's protocol lines: its dots stay.
            bare([0x0D, 0x0A], to: &out)
        }
        return index + 1
    }

    private var isRefused: Bool { sawBareNewline && bareNewline == .reject }

    private func append(_ bytes: [UInt8], to out: inout [UInt8]) {
        if !isRefused { out += bytes }
    }

    private mutating func bare(_ replacement: [UInt8], to out: inout [UInt8]) {
        sawBareNewline = true
        append(replacement, to: &out)
    }
}
