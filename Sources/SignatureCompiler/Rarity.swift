import CFrequencies

/// How rare fragments are in ordinary files: where anchors are best. Measured: see `tools/frequencies`.
enum Rarity {
    /// -12 × log2 of the share of places in ordinary files where a fragment begins; of more than four bytes, the first four
    /// count. Case does not count, as an index may not tell it either.
    static func of(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ length: Int) -> Int {
        switch length {
        case ...0: 0
        case 1: oneByte
        case 2, 3: ofPair(folded(text[start]), folded(text[start + 1]))
        default: 3 * Int(CFrequencies_gram(Gram.folded(text, start)))
        }
    }

    /// The same of two bytes that are no capitals.
    static func ofPair(_ first: UInt8, _ second: UInt8) -> Int {
        3 * Int(CFrequencies_pair(UInt16(first) | UInt16(second) << 8))
    }

    /// Nothing is looked for by one byte: a guess.
    private static let oneByte = 60

    /// An ASCII capital as its small letter.
    @inline(__always) static func folded(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
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
