/// Writes the fields of a message body: little-endian integers, texts with a 32-bit length.
package struct WireWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func write<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func write(_ value: Bool) { bytes.append(value ? 1 : 0) }

    /// IEEE 754 double.
    package mutating func write(_ value: Double) { write(value.bitPattern) }

    /// Text, cut at a character boundary when it is longer than `limit` bytes.
    package mutating func write(_ text: String, limit: Int = WireLimits.text) {
        var utf8 = text.utf8[...]
        if utf8.count > limit {
            var end = utf8.index(utf8.startIndex, offsetBy: limit)
            // 0b10…… is the inside of a character.
            while end > utf8.startIndex, utf8[end] & 0xc0 == 0x80 { end = utf8.index(before: end) }
            utf8 = utf8[..<end]
        }
        write(UInt32(utf8.count))
        bytes.append(contentsOf: utf8)
    }

    /// Bytes, cut when there are more than `limit`.
    package mutating func write(_ data: [UInt8], limit: Int) {
        let kept = data.prefix(limit)
        write(UInt32(kept.count))
        bytes.append(contentsOf: kept)
    }

    /// Fields that are encoded already.
    mutating func write(raw: some Collection<UInt8>) { bytes.append(contentsOf: raw) }

    /// Makes room for so many bytes at once.
    mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

    /// A presence byte, and the value if there is one.
    package mutating func write(_ text: String?) {
        write(text != nil)
        if let text { write(text) }
    }

    /// A presence byte, and the value if there is one.
    package mutating func write(_ value: UInt64?) {
        write(value != nil)
        if let value { write(value) }
    }
}
