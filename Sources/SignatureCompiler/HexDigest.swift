import Bytes
import CModuleABI

/// A digest as signature files have it: hex digits, whose number says the algorithm.
struct HexDigest {
    /// EM_HASH_….
    let algorithm: UInt32
    /// The digest's bytes from the first on, four to a little-endian word, in as many words as it takes.
    let words: SIMD8<UInt32>

    init(_ digits: ByteView) throws(LineError) {
        switch digits.count {
        case 32: algorithm = EM_HASH_MD5
        case 40: algorithm = EM_HASH_SHA1
        case 64: algorithm = EM_HASH_SHA256
        default: throw .malformed("the hash has the length of no known algorithm")
        }
        var words = SIMD8<UInt32>()
        for i in 0..<(digits.count / 8) {
            guard let eight = digits.load(UInt64.self, at: 8 * i), let word = HexDigits.bytes(of: eight) else {
                throw .malformed("the hash has a character that is no hex digit")
            }
            words[i] = word
        }
        self.words = words
    }
}

/// Hex digits eight at a time, each in one byte of a register.
enum HexDigits {
    /// The four bytes that eight digits stand for; nil when one of the characters is no hex digit.
    ///
    /// - Parameter digits: the characters as a little-endian number.
    /// - Returns: the bytes as a little-endian number.
    @inline(__always) static func bytes(of digits: UInt64) -> UInt32? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let high = ones << 7
        guard digits & high == 0 else { return nil }
        // Bit 7 of a sum says that the byte is at least the number whose complement was added.
        let isNumber = (digits &+ ones &* (0x80 - 0x30)) & ~(digits &+ ones &* (0x80 - 0x3a))
        let small = digits | ones << 5
        let isLetter = (small &+ ones &* (0x80 - 0x61)) & ~(small &+ ones &* (0x80 - 0x67))
        guard (isNumber | isLetter) & high == high else { return nil }
        let values = (digits & (ones &* 0x0f)) &+ ((digits >> 6) & ones) &* 9
        // The first digit of a pair is the byte's upper half.
        let pairs = (values << 4 | values >> 8) & 0x00ff_00ff_00ff_00ff
        let fours = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff
        return UInt32(truncatingIfNeeded: fours | fours >> 16)
    }
}
