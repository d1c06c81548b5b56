package import Bytes

/// Writes content as it goes after DATA (RFC 5321 section 4.5.2), in chunks of any size and with constant memory:
/// dots at the beginning of a line are doubled, and no CR or LF leaves alone, whatever comes in (a bare LF becomes
/// CRLF, a bare CR a space), so that every server finds the same end.
package struct DataEncoder: Sendable {
    private enum State: Sendable {
        case lineStart, text, carriageReturn
    }

    private var state = State.lineStart

    package init() {}

    /// Takes content and appends what goes on the wire to `out`.
    package mutating func encode(_ input: ByteView, into out: inout [UInt8]) {
        let bytes = input.buffer
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            switch state {
            case .lineStart:
                if byte == 0x2E { out.append(0x2E) }
                state = .text
            case .carriageReturn:
                if byte == 0x0A {
                    out += [0x0D, 0x0A]
                    state = .lineStart
                    index += 1
                } else {
                    out.append(0x20)
                    state = .text
                }
            case .text:
                index = copyText(bytes, from: index, into: &out)
            }
        }
    }

    /// Appends the end of the message, with the line end that an unfinished last line lacks.
    package mutating func finish(into out: inout [UInt8]) {
        if state == .carriageReturn { out.append(0x20) }
        if state != .lineStart { out += [0x0D, 0x0A] }
        out += [0x2E, 0x0D, 0x0A]
        state = .lineStart
    }

    private mutating func copyText(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, into out: inout [UInt8]
    ) -> Int {
        var index = start
        let count = bytes.count
        while index < count {
            let byte = bytes[index]
            if byte > 0x0D {
                index = ByteView(bytes).firstIndex(below: 0x0E, from: index)
                continue
            }
            if byte == 0x0A { break }
            if byte == 0x0D {
                guard index + 2 < count, bytes[index + 1] == 0x0A, bytes[index + 2] != 0x2E else { break }
                index += 1
            }
            index += 1
        }
        out.append(contentsOf: UnsafeBufferPointer(rebasing: bytes[start..<index]))
        guard index < count else { return index }
        if bytes[index] == 0x0D {
            state = .carriageReturn
        } else {
            out += [0x0D, 0x0A]
            state = .lineStart
        }
        return index + 1
    }
}
