#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// Where in a message a token was seen. The same word in another place is another token.
///
/// The numbers are part of the format of em006 (tokenizer version `Tokenizer.version`).
package enum TokenField: UInt8, Sendable {
    case subject = 1
    case sender = 2
    case body = 3
    case link = 4
    case header = 5
    case markup = 6
    case attachment = 7
}

/// The 64-bit hash that stands for a token in em006: FNV-1a over the field and the bytes, then mixed so that
/// the low bits choose a bucket and the high bits tell tokens of one bucket apart.
package struct TokenHash: Sendable {
    @usableFromInline var state: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Begins a token of a field.
    @inlinable package init(_ field: TokenField) {
        add(field.rawValue)
    }

    @inlinable package mutating func add(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }

    @inlinable package mutating func add(_ bytes: ByteView) {
        for byte in bytes.buffer { add(byte) }
    }

    /// The hash of what was added.
    @inlinable package var value: UInt64 { TokenHash.mixed(state) }

    /// The token of two tokens that stand `distance` words apart.
    @inlinable package static func pair(_ first: UInt64, _ second: UInt64, distance: UInt64) -> UInt64 {
        mixed((first &* 0x9e37_79b9_7f4a_7c15) ^ (second &+ distance &* 0xc2b2_ae3d_27d4_eb4f))
    }

    @inlinable static func mixed(_ value: UInt64) -> UInt64 {
        var x = value
        x ^= x >> 33
        x = x &* 0xff51_afd7_ed55_8ccd
        x ^= x >> 33
        x = x &* 0xc4ce_b9fe_1a85_ec53
        x ^= x >> 33
        return x
    }
}
