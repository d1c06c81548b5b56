/// How rare fragments are in ordinary files: where anchors are best.
enum Rarity {
    /// -12 × log2 of how often each byte is found, in programs or in text, whichever has it more often.
    private static let bytes: [UInt8] = [
        25, 72, 85, 90, 88, 89, 104, 99, 76, 108, 63, 105, 107, 107, 81, 66, 82, 105, 108, 115,
        109, 106, 116, 119, 90, 121, 123, 119, 112, 117, 119, 89, 23, 119, 81, 93, 67, 105, 125, 69,
        81, 81, 114, 119, 72, 92, 79, 116, 85, 89, 100, 107, 111, 109, 113, 117, 101, 99, 83, 114,
        112, 89, 107, 124, 93, 78, 97, 101, 78, 92, 109, 110, 52, 85, 116, 116, 77, 100, 98, 104,
        100, 124, 100, 99, 92, 105, 118, 115, 107, 123, 128, 106, 100, 102, 120, 74, 110, 60, 86, 71,
        70, 49, 73, 83, 79, 60, 119, 97, 65, 76, 60, 61, 73, 118, 58, 59, 55, 74, 96, 95,
        90, 88, 121, 118, 104, 117, 114, 119, 95, 112, 120, 80, 84, 84, 113, 123, 107, 62, 134, 69,
        109, 80, 121, 124, 100, 134, 133, 128, 114, 127, 135, 131, 117, 133, 133, 130, 118, 132, 136, 135,
        117, 137, 137, 135, 129, 136, 136, 137, 117, 135, 133, 134, 126, 135, 138, 132, 118, 134, 137, 135,
        122, 133, 107, 127, 110, 121, 111, 123, 116, 126, 110, 115, 85, 102, 110, 96, 102, 112, 104, 96,
        110, 110, 122, 126, 86, 128, 126, 126, 107, 118, 109, 121, 125, 126, 123, 125, 112, 122, 122, 114,
        125, 129, 120, 108, 108, 121, 118, 125, 118, 119, 119, 117, 76, 91, 118, 100, 108, 114, 115, 106,
        107, 120, 112, 111, 118, 118, 103, 109, 102, 111, 107, 108, 109, 105, 96, 55,
    ]

    /// -12 × log2 of how often a fragment is to be expected, roughly.
    ///
    /// A repeated byte says little more than the first, and neighbouring letters make words. Case does not count, as
    /// an index may not tell it either.
    static func of(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ length: Int) -> Int {
        var sum = 0
        var last: UInt8 = 0
        for i in start..<(start + length) {
            let byte = folded(text[i])
            let own = Int(bytes[Int(byte)])
            if i > start, byte == last {
                sum += min(own, 10)
            } else if i > start, isLetter(last), isLetter(byte) {
                sum += own * 2 / 3
            } else {
                sum += own
            }
            last = byte
        }
        return sum
    }

    /// An ASCII capital as its small letter.
    @inline(__always) static func folded(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    private static func isLetter(_ byte: UInt8) -> Bool { byte &- 0x61 < 26 }
}

/// How many signatures use a gram, by hash: grams that many share make long lists.
struct GramCounts {
    private static let bits: UInt32 = 22
    private var counts: [UInt16] = []

    mutating func add(_ literal: [UInt8]) {
        if counts.isEmpty { counts = [UInt16](repeating: 0, count: 1 << Int(Self.bits)) }
        literal.withUnsafeBufferPointer { text in
            for i in 0..<max(0, text.count - 3) {
                let slot = Self.slot(Gram.folded(text, i))
                if counts[slot] < .max { counts[slot] += 1 }
            }
        }
    }

    func count(_ gram: UInt32) -> Int { counts.isEmpty ? 0 : Int(counts[Self.slot(gram)]) }

    private static func slot(_ gram: UInt32) -> Int { Int((gram &* 0x9e37_79b1) >> (32 - bits)) }
}

/// Four bytes as a little-endian number.
enum Gram {
    static func of(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> UInt32 {
        UInt32(text[index]) | UInt32(text[index + 1]) << 8 | UInt32(text[index + 2]) << 16
            | UInt32(text[index + 3]) << 24
    }

    /// The same with ASCII capitals as small letters.
    static func folded(_ text: UnsafeBufferPointer<UInt8>, _ index: Int) -> UInt32 { fold(of(text, index)) }

    /// A gram with ASCII capitals as small letters.
    static func fold(_ gram: UInt32) -> UInt32 {
        // In each byte below 0x80, bit 7 of the sums says "at least A" and "above Z".
        let low = gram & 0x7f7f_7f7f
        let capital = ((low &+ 0x3f3f_3f3f) & ~(low &+ 0x2525_2525) & ~gram) & 0x8080_8080
        return gram | capital >> 2
    }
}
