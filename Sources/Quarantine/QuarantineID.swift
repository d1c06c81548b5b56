/// Name of an object in quarantine: SHA-1 of its content, 40 lower-case hexadecimal digits.
package struct QuarantineID: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let text: String

    /// nil unless it is 40 hexadecimal digits, so that no id can name another file.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count == 40, text.utf8.allSatisfy(Self.isHexadecimal) else { return nil }
        self.text = text.lowercased()
    }

    init(digest: [UInt8]) {
        text = hexadecimal(digest)
    }

    package var description: String { text }

    package static func < (a: QuarantineID, b: QuarantineID) -> Bool { a.text < b.text }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
    }
}

/// Lower-case hexadecimal digits.
func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = [UInt8]("0123456789abcdef".utf8)
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count * 2)
    for byte in bytes {
        result.append(digits[Int(byte >> 4)])
        result.append(digits[Int(byte & 15)])
    }
    return String(decoding: result, as: UTF8.self)
}
