/// Reads the fields of a message body that somebody hostile may have written: never reads outside, never
/// allocates more than there are bytes.
package struct WireReader {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Bytes not yet read.
    package var left: Int { bytes.count - position }

    /// The bytes not yet read.
    var rest: ArraySlice<UInt8> { bytes[position...] }

    /// Passes over bytes whose content is known.
    mutating func skip(_ count: Int) {
        position += min(count, left)
    }

    package mutating func integer<T: FixedWidthInteger>(
        _ what: StaticString, as type: T.Type = T.self
    ) throws(WireError) -> T {
        let size = MemoryLayout<T>.size
        guard left >= size else { throw WireError(.truncated, what) }
        let value = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: T.self) }
        position += size
        return T(littleEndian: value)
    }

    package mutating func flag(_ what: StaticString) throws(WireError) -> Bool {
        switch try integer(what, as: UInt8.self) {
        case 0: return false
        case 1: return true
        default: throw WireError(.badValue, what)
        }
    }

    package mutating func double(_ what: StaticString) throws(WireError) -> Double {
        let value = Double(bitPattern: try integer(what, as: UInt64.self))
        guard value.isFinite else { throw WireError(.badValue, what) }
        return value
    }

    package mutating func data(_ what: StaticString, limit: Int) throws(WireError) -> [UInt8] {
        let count = Int(try integer(what, as: UInt32.self))
        guard count <= limit else { throw WireError(.tooLong, what) }
        guard count <= left else { throw WireError(.truncated, what) }
        let value = Array(bytes[position..<position + count])
        position += count
        return value
    }

    /// Bytes in place, without a copy.
    mutating func slice(_ what: StaticString, limit: Int) throws(WireError) -> ArraySlice<UInt8> {
        let count = Int(try integer(what, as: UInt32.self))
        guard count <= limit else { throw WireError(.tooLong, what) }
        guard count <= left else { throw WireError(.truncated, what) }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// Text, which must be UTF-8.
    package mutating func text(_ what: StaticString, limit: Int = WireLimits.text) throws(WireError) -> String {
        let count = Int(try integer(what, as: UInt32.self))
        guard count <= limit else { throw WireError(.tooLong, what) }
        guard count <= left else { throw WireError(.truncated, what) }
        guard let text = String(validating: bytes[position..<position + count], as: UTF8.self) else {
            throw WireError(.badValue, what)
        }
        position += count
        return text
    }

    package mutating func optionalText(_ what: StaticString) throws(WireError) -> String? {
        try flag(what) ? try text(what) : nil
    }

    package mutating func optionalInteger(_ what: StaticString) throws(WireError) -> UInt64? {
        try flag(what) ? try integer(what) : nil
    }

    /// A number of elements that follow, each at least `minimumSize` bytes long.
    package mutating func count(
        _ what: StaticString, limit: Int, minimumSize: Int
    ) throws(WireError) -> Int {
        let count = Int(try integer(what, as: UInt32.self))
        guard count <= limit else { throw WireError(.tooLong, what) }
        guard count * minimumSize <= left else { throw WireError(.truncated, what) }
        return count
    }

    /// Nothing may follow the last field.
    package func end(_ what: StaticString) throws(WireError) {
        guard left == 0 else { throw WireError(.excess, what) }
    }
}
