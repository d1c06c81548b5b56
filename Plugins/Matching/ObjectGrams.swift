import BytesE
import CModuleABI
import CSearch

/// Which grams (four bytes, ASCII capitals as small letters) lie in the object at hand, so that one pass over it answers for
/// most literals that they are not there.
///
/// It may say "yes" by accident, never "no". Reused from object to object.
struct ObjectGrams {
    /// One bit for each hash; four to eight bits for each byte of the object, up to `mostBits`.
    private var words: [UInt32] = []
    private var shift: UInt32 = 0
    /// Whether the object at hand was looked at.
    private(set) var isReady = false

    /// Whether a large object was looked at: above 256 KiB.
    var isLarge: Bool { words.count > 32_768 }

    /// Between 2 KiB and 512 KiB: what stays in a processor's second cache.
    private static let leastBits = 14
    private static let mostBits = 22
    /// Bytes between two budget checks.
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
        while bits < Self.mostBits, 1 << bits < object.count * 4 { bits += 1 }
        words.removeAll(keepingCapacity: true)
        words.append(contentsOf: repeatElement(0, count: 1 << (bits - 5)))
        shift = 32 - UInt32(bits)
        guard let base = object.base else { return }
        let shift = shift
        isReady = words.withUnsafeMutableBufferPointer { words -> Bool in
            let end = object.count - 3
            var position = 0
            while position < end {
                guard check() else { return false }
                let next = min(end, position + Self.stride)
                CSearch_note_grams(base, position, next, words.baseAddress, shift)
                position = next
            }
            return true
        }
    }

    /// Whether a literal may lie in the object, in whatever case.
    func mayHave(_ literal: ByteView) -> Bool {
        guard isReady, literal.count >= 4, let base = literal.base else { return true }
        let bytes = UnsafeRawPointer(base)
        for i in 0..<min(literal.count - 3, Self.literalLimit) {
            let hash = foldedGram(bytes.loadUnaligned(fromByteOffset: i, as: UInt32.self)) &* EM_GRAM_FACTOR
            // The shift leaves no more bits than there are.
            let bit = hash &>> shift
            if words[Int(bit >> 5)] &>> (bit & 31) & 1 == 0 { return false }
        }
        return true
    }
}
