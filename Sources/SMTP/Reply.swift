package import Bytes

/// One SMTP reply (RFC 5321 section 4.2): a three-digit code and at least one line of text.
package struct Reply: Sendable, Equatable {
    /// 200…599.
    package let code: Int
    /// Text of each line, without code, separator and line end; never empty, never with CR, LF or NUL.
    package let lines: [[UInt8]]

    /// A reply of one or several lines. Bytes that could end or forge a line become spaces.
    package init(code: Int, lines: [[UInt8]]) {
        self.code = min(max(code, 200), 599)
        self.lines = lines.isEmpty ? [[]] : lines.map(Self.printable)
    }

    /// A one-line reply.
    package init(_ code: Int, _ text: String) {
        self.init(code: code, lines: [[UInt8](text.utf8)])
    }

    /// 2yz or 3yz.
    package var isPositive: Bool { code < 400 }
    /// 4yz: the client may try again.
    package var isTransient: Bool { code >= 400 && code < 500 }
    /// 5yz.
    package var isPermanent: Bool { code >= 500 }

    /// The enhanced status code at the beginning of the text (RFC 2034), e.g. 4.7.1.
    package var enhancedStatus: EnhancedStatus? {
        lines.first.flatMap { line in line.withUnsafeBufferPointer { EnhancedStatus(prefixOf: ByteView($0)) } }
    }

    /// As sent on the wire, with line ends.
    package var bytes: [UInt8] {
        var out: [UInt8] = []
        write(to: &out)
        return out
    }

    /// Appends what is sent on the wire.
    package func write(to out: inout [UInt8]) {
        let digits = [UInt8(0x30 + code / 100), UInt8(0x30 + code / 10 % 10), UInt8(0x30 + code % 10)]
        for (index, line) in lines.enumerated() {
            out += digits
            out.append(index == lines.count - 1 ? 0x20 : 0x2D)
            out += line
            out += [0x0D, 0x0A]
        }
    }

    /// The text for a log line, all lines in one.
    package var text: String {
        lines.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " / ")
    }

    private static func printable(_ line: [UInt8]) -> [UInt8] {
        line.contains { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }
            ? line.map { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F ? 0x20 : $0 } : line
    }
}

/// An enhanced mail system status code (RFC 3463): class.subject.detail.
package struct EnhancedStatus: Sendable, Equatable {
    package let statusClass: Int
    package let subject: Int
    package let detail: Int

    package init(_ statusClass: Int, _ subject: Int, _ detail: Int) {
        self.statusClass = statusClass
        self.subject = subject
        self.detail = detail
    }

    /// Reads it at the beginning of a text; nil when there is none (class 2, 4 or 5, numbers of 1 to 3 digits).
    package init?(prefixOf text: ByteView) {
        var numbers: [Int] = []
        var value = 0
        var digits = 0
        var index = 0
        while numbers.count < 3 {
            let byte: UInt8 = index < text.count ? text[index] : 0x20
            if byte &- 0x30 < 10, digits < 3 {
                value = value * 10 + Int(byte &- 0x30)
                digits += 1
            } else if digits > 0, byte == (numbers.count < 2 ? 0x2E : 0x20) {
                numbers.append(value)
                (value, digits) = (0, 0)
            } else {
                return nil
            }
            index += 1
        }
        guard [2, 4, 5].contains(numbers[0]) else { return nil }
        self.init(numbers[0], numbers[1], numbers[2])
    }
}
