package import Bytes

/// What stands at the beginning of a delta: 96 bytes, numbers little-endian.
///
///     0   8   "ESDELTA1"
///     8   8   size of the old file
///     16  8   size of the new file
///     24  32  SHA-256 of the old file
///     56  32  SHA-256 of the new file
///     88  1   window: 2^n bytes are looked back, 10 to 31
///     89  7   zero
///
/// A zstd frame (RFC 8878) follows, made with the old file as what comes before the new one.
package struct DeltaHeader: Sendable, Equatable {
    package static let size = 96
    static let magic: StaticString = "ESDELTA1"
    /// 2 GiB: old and new file together are never looked back further.
    static let windows: ClosedRange<UInt8> = 10...31

    package var oldSize: UInt64
    package var newSize: UInt64
    package var oldDigest: [UInt8]
    package var newDigest: [UInt8]
    package var window: UInt8

    package init(_ bytes: ByteView) throws(DeltaError) {
        guard bytes.count > Self.size, bytes.hasPrefix(ByteView(Self.magic)) else {
            throw DeltaError(.malformed, "it does not begin like a delta")
        }
        func number(_ at: Int) -> UInt64 {
            var value: UInt64 = 0
            for i in (0..<8).reversed() { value = value << 8 | UInt64(bytes[at + i]) }
            return value
        }
        oldSize = number(8)
        newSize = number(16)
        oldDigest = bytes.slice(24, 56).array
        newDigest = bytes.slice(56, 88).array
        window = bytes[88]
        guard Self.windows.contains(window), bytes.slice(89, 96).buffer.allSatisfy({ $0 == 0 }),
            oldSize <= 1 << 31, newSize <= 1 << 31
        else { throw DeltaError(.malformed, "its header has values that no delta has") }
    }

    init(oldSize: Int, newSize: Int, oldDigest: [UInt8], newDigest: [UInt8], window: UInt8) {
        self.oldSize = UInt64(oldSize)
        self.newSize = UInt64(newSize)
        self.oldDigest = oldDigest
        self.newDigest = newDigest
        self.window = window
    }

    var bytes: [UInt8] {
        var result: [UInt8] = []
        Self.magic.withUTF8Buffer { result += $0 }
        for value in [oldSize, newSize] {
            for i in 0..<8 { result.append(UInt8(truncatingIfNeeded: value >> UInt64(i * 8))) }
        }
        return result + oldDigest + newDigest + [window] + [UInt8](repeating: 0, count: 7)
    }
}
