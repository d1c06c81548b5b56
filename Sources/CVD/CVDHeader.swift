package import Bytes

/// The header of a container: fields between colons, filled up with spaces to 512 bytes.
///
/// `ClamAV-VDB:time:version:signatures:level:MD5:signature:builder[:seconds]`. The line at the top of the
/// container's `.info` member has the same fields.
package struct CVDHeader: Equatable, Sendable {
    /// Bytes that it takes in the file.
    package static let size = 512

    /// When it was built, as text.
    package let time: String
    /// Rises with each release.
    package let version: UInt32
    /// How many signatures its builder counted.
    package let signatures: UInt32
    /// The functionality level that an engine needs for all of them.
    package let level: UInt32
    /// The MD5 of everything behind the header; nil when the field holds none.
    package let digest: [UInt8]?
    /// The digital signature, still as text; empty when there is none.
    package let signature: [UInt8]
    /// Who built it.
    package let builder: String
    /// When it was built, in seconds since 1970; 0 when the header has no such field.
    package let created: UInt64

    /// - Parameter text: the header, or a line that has its fields.
    package init(_ text: ByteView) throws(CVDError) {
        let line = text.prefix(text.firstIndex(of: 0x0a) ?? text.count).trimmed
        var fields: [ByteView] = []
        var start = 0
        while fields.count < 9 {
            let end = line.firstIndex(of: UInt8(ascii: ":"), from: start) ?? line.count
            fields.append(line.slice(start, end))
            if end == line.count { break }
            start = end + 1
        }
        guard let magic = fields.first, magic.equals(ByteView("ClamAV-VDB")) else {
            throw CVDError(.malformed, "it does not begin like a container of signatures")
        }
        guard fields.count >= 8 else { throw CVDError(.malformed, "the header has fewer than eight fields") }
        for byte in line.buffer where byte < 0x20 || byte > 0x7e {
            throw CVDError(.malformed, "the header has a character that is not printable")
        }
        time = Self.text(fields[1])
        version = try Self.number(fields[2], "version")
        signatures = try Self.number(fields[3], "number of signatures")
        level = try Self.number(fields[4], "functionality level")
        digest = fields[5].count == 32 ? Hex.bytes(fields[5]) : nil
        // A single letter stands for "none".
        signature = fields[6].count > 1 ? fields[6].array : []
        builder = Self.text(fields[7])
        created = fields.count > 8 ? UInt64(try Self.number(fields[8], "time of creation")) : 0
    }

    private static func text(_ field: ByteView) -> String { String(decoding: field.buffer, as: UTF8.self) }

    private static func number(_ field: ByteView, _ name: String) throws(CVDError) -> UInt32 {
        guard let value = Decimal.value(field.trimmed), value <= UInt64(UInt32.max) else {
            throw CVDError(.malformed, "the header's \(name) is no number")
        }
        return UInt32(value)
    }
}

/// Hex digits as bytes.
enum Hex {
    /// nil when there is another character or an odd number of digits.
    static func bytes(_ digits: ByteView) -> [UInt8]? {
        guard digits.count % 2 == 0 else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(digits.count / 2)
        for i in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[i]), let low = value(digits[i + 1]) else { return nil }
            result.append(high << 4 | low)
        }
        return result
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter + 10 : nil
    }
}

/// Decimal numbers.
enum Decimal {
    /// A number of at most 18 digits, or nil.
    static func value(_ text: ByteView) -> UInt64? {
        guard !text.isEmpty, text.count <= 18 else { return nil }
        var value: UInt64 = 0
        for byte in text.buffer {
            guard byte &- 0x30 < 10 else { return nil }
            value = value * 10 + UInt64(byte &- 0x30)
        }
        return value
    }
}
