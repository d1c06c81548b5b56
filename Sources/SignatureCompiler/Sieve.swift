import CModuleABI

/// Tells of most places that none of a few grams and pairs begins there. See em_pattern_index.
struct Sieve {
    private(set) var bytes: [UInt8]

    /// Beyond that, too much passes.
    static let mostGrams = 320
    private static let mostPairs = 48
    private static let bits = 8

    /// - Parameters:
    ///   - grams: four bytes each, little-endian, as the index has them.
    ///   - pairs: two bytes each.
    /// - Returns: nil when there are none, or too many.
    init?(grams: [UInt32], pairs: [UInt32]) {
        let grams = Set(grams).sorted()
        let pairs = Set(pairs).sorted()
        guard grams.count + pairs.count > 0, grams.count <= Self.mostGrams, pairs.count <= Self.mostPairs else {
            return nil
        }
        bytes = [UInt8](repeating: 0, count: Int(EM_SIEVE_SIZE))
        // A pair says half as much as a gram, so that fewer share a bit.
        let forPairs = pairs.isEmpty ? 0 : grams.isEmpty ? Self.bits : min(4, (pairs.count + 3) / 4)
        for (number, gram) in grams.enumerated() {
            set(1 << UInt8(number % (Self.bits - forPairs)), gram)
        }
        for (number, pair) in pairs.enumerated() {
            let bit: UInt8 = 1 << UInt8(Self.bits - 1 - number % forPairs)
            set(bit, first: pair & 0xff, second: pair >> 8, in: 0)
            for at in 256..<bytes.count { bytes[at] |= bit }
        }
    }

    private mutating func set(_ bit: UInt8, _ gram: UInt32) {
        set(bit, first: gram & 0xff, second: gram >> 8 & 0xff, in: 0)
        set(bit, first: gram >> 16 & 0xff, second: gram >> 24, in: 256)
    }

    private mutating func set(_ bit: UInt8, first: UInt32, second: UInt32, in table: Int) {
        bytes[table + Int((first + 2 * second) & 127)] |= bit
        bytes[table + 128 + Int((second + 2 * first) & 127)] |= bit
    }
}
