import CModuleABI
import YARA

/// Tells by four bytes of most places that no anchor begins there. See em_pattern_index.
///
/// Each of sixteen groups of anchors has four sets of bytes, so that a place passes when each of its bytes is in the set of one
/// group. An anchor joins the group that then lets the fewest further places pass, by how often bytes are in ordinary files.
struct Sieve {
    private static let groups = Int(EM_SIEVE_GROUPS)
    /// For each byte, the groups in whose first set it is, and, 16, 32 and 48 bits higher, in whose others.
    private var words = [UInt64](repeating: 0, count: 256)
    /// For each group, the shares of bytes that are in each of its four sets, in ordinary files and in noise. These two are kept
    /// apart: a place lies in one or the other with all of its bytes.
    private var shares = [Shares](repeating: Shares(), count: groups)
    /// The groups that have all bytes in their last two sets.
    private var open: UInt64 = 0
    private let folds: Bool

    private struct Shares {
        var ordinary = SIMD4<Double>.zero
        var noise = SIMD4<Double>.zero

        /// The share of places that have their four bytes in the sets.
        var product: Double {
            (1 - Sieve.noise) * Sieve.product(ordinary) + Sieve.noise * Sieve.product(noise)
        }

        /// With a byte more in some of the sets.
        func adding(_ shares: SIMD4<Double>, where missing: SIMD4<Double>) -> Shares {
            Shares(ordinary: ordinary + missing * shares, noise: noise + missing / 256)
        }
    }

    /// - Parameter folds: capitals pass as small letters do.
    init(folds: Bool) { self.folds = folds }

    /// Whether places with these four bytes, little-endian, pass.
    func passes(_ gram: UInt32) -> Bool { groupsWith(gram) != 0 }

    /// The groups that let a gram pass.
    private func groupsWith(_ gram: UInt32) -> UInt64 {
        words[Int(gram & 0xff)] & words[Int(gram >> 8 & 0xff)] >> 16 & words[Int(gram >> 16 & 0xff)] >> 32
            & words[Int(gram >> 24)] >> 48
    }

    /// What a gram costs that does not pass yet: the group that it would join, and the share of places that pass then, and
    /// did not before.
    func best(for gram: UInt32) -> (group: Int, cost: Double) {
        let bytes = Self.bytes(gram)
        let added = SIMD4(Self.share(bytes.0), Self.share(bytes.1), Self.share(bytes.2), Self.share(bytes.3))
        let sets = (words[bytes.0], words[bytes.1] >> 16, words[bytes.2] >> 32, words[bytes.3] >> 48)
        var best = (group: 0, cost: Double.infinity)
        for group in 0..<Self.groups {
            let bit = UInt64(group)
            let missing = SIMD4<Double>(
                Double(1 - (sets.0 >> bit & 1)), Double(1 - (sets.1 >> bit & 1)), Double(1 - (sets.2 >> bit & 1)),
                Double(1 - (sets.3 >> bit & 1)))
            let cost = shares[group].adding(added, where: missing).product - shares[group].product
            if cost < best.cost { best = (group, cost) }
        }
        return best
    }

    /// Lets places with these four bytes pass.
    mutating func add(_ gram: UInt32) {
        guard !passes(gram) else { return }
        add(gram, to: best(for: gram).group)
    }

    mutating func add(_ gram: UInt32, to group: Int) {
        for place in 0..<4 { set(Int(gram >> UInt32(8 * place) & 0xff), place, group) }
    }

    /// Lets places pass that have a byte of each set.
    mutating func add(_ sets: [ByteSet], to group: Int) {
        for (place, set) in sets.enumerated() {
            set.forEach { self.set(Int($0), place, group) }
        }
    }

    /// The share of places that have a byte of each set.
    static func share(ofPlacesWith sets: [ByteSet]) -> Double {
        var ordinary = 1.0
        var noise = 1.0
        for set in sets {
            // Of the smaller one of the set and what it lacks.
            let isSmall = set.count <= 128
            var sum = 0.0
            (isSmall ? set : set.inverted).forEach { sum += share(Int($0)) }
            ordinary *= isSmall ? sum : 1 - sum
            noise *= Double(set.count) / 256
        }
        return (1 - Self.noise) * ordinary + Self.noise * noise
    }

    /// Lets places pass that begin with two bytes.
    mutating func add(pair: UInt32) {
        if open & words[Int(pair & 0xff)] & words[Int(pair >> 8 & 0xff)] >> 16 != 0 { return }
        // What follows them may be anything: the group that has the most of that.
        var best = (group: 0, cost: Double.infinity)
        for group in 0..<Self.groups {
            let cost = pairShares(group, pair).product - shares[group].product
            if cost < best.cost { best = (group, cost) }
        }
        for place in 0..<2 { set(Int(pair >> UInt32(8 * place) & 0xff), place, best.group) }
        for byte in 0..<256 {
            set(byte, 2, best.group)
            set(byte, 3, best.group)
        }
        open |= 1 << UInt64(best.group)
    }

    private func pairShares(_ group: Int, _ pair: UInt32) -> Shares {
        var result = shares[group]
        for place in 0..<2 {
            let byte = Int(pair >> UInt32(8 * place) & 0xff)
            guard words[byte] >> UInt64(16 * place + group) & 1 == 0 else { continue }
            result.ordinary[place] += Self.share(byte)
            result.noise[place] += 1 / 256
        }
        for place in 2..<4 {
            result.ordinary[place] = 1
            result.noise[place] = 1
        }
        return result
    }

    private mutating func set(_ byte: Int, _ place: Int, _ group: Int) {
        let bit: UInt64 = 1 << UInt64(16 * place + group)
        guard words[byte] & bit == 0 else { return }
        words[byte] |= bit
        shares[group].ordinary[place] += Self.share(byte)
        shares[group].noise[place] += 1 / 256
        // Capitals are counted as what they pass as.
        if folds, (0x61...0x7a).contains(byte) { words[byte & ~0x20] |= bit }
    }

    /// EM_SIEVE_SIZE bytes.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(EM_SIEVE_SIZE))
        for word in words { withUnsafeBytes(of: word.littleEndian) { bytes += $0 } }
        for shift in stride(from: 0, to: UInt64(64), by: 8) {
            for word in words { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        return bytes
    }

    private static func bytes(_ gram: UInt32) -> (Int, Int, Int, Int) {
        (Int(gram & 0xff), Int(gram >> 8 & 0xff), Int(gram >> 16 & 0xff), Int(gram >> 24))
    }

    private static func product(_ shares: SIMD4<Double>) -> Double { shares[0] * shares[1] * shares[2] * shares[3] }

    private static func share(_ byte: Int) -> Double { byteShares[byte] }

    /// How many bytes of ordinary files are this one.
    private static let byteShares: [Double] = {
        let small = (0...255).map { UInt8($0) }.filter { Rarity.folded($0) == $0 }
        var shares = [Double](repeating: 0, count: 256)
        for first in small {
            for second in small {
                let rarity = Rarity.ofPair(first, second)
                shares[Int(first)] += steps[rarity % 12] / Double(UInt64(1) << UInt64(rarity / 12))
            }
        }
        let sum = shares.reduce(0, +)
        for byte in 0..<256 { shares[byte] = shares[Int(Rarity.folded(UInt8(byte)))] }
        return shares.map { $0 / sum }
    }()

    /// How much of what is looked at is compressed or encrypted, so that all bytes are alike in it.
    private static let noise = 0.4
    /// 2^(-n / 12).
    private static let steps = [
        1, 0.943874, 0.890899, 0.840896, 0.793701, 0.749154, 0.707107, 0.66742, 0.629961, 0.594604, 0.561231, 0.529732,
    ]
}
