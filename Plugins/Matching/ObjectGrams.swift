import BytesE
import CModuleABI

/// Which grams (four bytes, ASCII capitals as small letters) lie in the object at hand, so that one pass over it answers for
/// most literals that they are not there.
///
/// It may say "yes" by accident, never "no". Reused from object to object.
struct ObjectGrams {
    /// One bit for each hash; eight bits or so for each byte of the object, up to `bitsLimit`.
    private var words: [UInt64] = []
    private var shift: UInt64 = 0
    /// Whether the object at hand was looked at.
    private(set) var isReady = false

    /// Whether a large object was looked at: above 128 KiB.
    var isLarge: Bool { words.count > 16_384 }

    /// Between 2 KiB and 512 KiB: what stays in a processor's second cache.
    private static let leastBits = 14
    private static let mostBits = 22
    /// Bytes between two budget checks; a multiple of four.
    private static let stride = 65_536
    /// Grams of one literal that are looked at.
    private static let literalLimit = 24

    /// Forgets the object before.
    mutating func begin() { isReady = false }

    /// Looks at an object.
    ///
    /// - Parameter check: false ends it; then nothing is known.
    mutating func fill(_ object: ByteView, check: () -> Bool) {
        var bits = Self.leastBits
        while bits < Self.mostBits, 1 << bits < object.count * 8 { bits += 1 }
        words.removeAll(keepingCapacity: true)
        words.append(contentsOf: repeatElement(0, count: 1 << (bits - 6)))
        shift = 32 - UInt64(bits)
        guard let base = object.base else { return }
        let bytes = UnsafeRawPointer(base)
        let shift = shift
        let isWhole = words.withUnsafeMutableBufferPointer { words -> Bool in
            guard let set = words.baseAddress else { return false }
            let end = object.count - 7
            var position = 0
            while position < end {
                guard check() else { return false }
                let limit = min(end, position + Self.stride)
                while position < limit {
                    let eight = foldedGrams(bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                    Self.add(eight, set, shift)
                    Self.add(eight &>> 8, set, shift)
                    Self.add(eight &>> 16, set, shift)
                    Self.add(eight &>> 24, set, shift)
                    position &+= 4
                }
            }
            while position <= object.count - 4 {
                let four = foldedGram(bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
                Self.add(UInt64(four), set, shift)
                position += 1
            }
            return true
        }
        isReady = isWhole
    }

    /// Whether a literal may lie in the object, in whatever case.
    func mayHave(_ literal: ByteView) -> Bool {
        guard isReady, literal.count >= 4, let base = literal.base else { return true }
        let bytes = UnsafeRawPointer(base)
        for i in 0..<min(literal.count - 3, Self.literalLimit) {
            let hash = foldedGram(bytes.loadUnaligned(fromByteOffset: i, as: UInt32.self)) &* EM_GRAM_FACTOR
            let bit = UInt64(hash) &>> shift
            if words[Int(bit >> 6)] &>> (bit & 63) & 1 == 0 { return false }
        }
        return true
    }

    @inline(__always)
    private static func add(_ bytes: UInt64, _ words: UnsafeMutablePointer<UInt64>, _ shift: UInt64) {
        // The shift leaves no more bits than there are.
        let bit = UInt64(UInt32(truncatingIfNeeded: bytes) &* EM_GRAM_FACTOR) &>> shift
        words[Int(truncatingIfNeeded: bit &>> 6)] |= 1 &<< (bit & 63)
    }
}
