import CSearch
import Testing

/// Looking all places up in a sieve and in filters, compared with looking each place up by itself.
@Suite("Places that are looked up")
struct PlacesTests {
    private static func folded(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte + 0x20 : byte }

    /// A sieve and filters of random bits.
    private struct Index {
        let shift: UInt32
        let grams: [UInt32]
        let pairs: [UInt8]
        let groups: [UInt64]
        let folds, hasGrams, hasPairs: Bool

        init(
            _ random: inout Deterministic, density: Int, groupDensity: Int, folds: Bool, hasGrams: Bool, hasPairs: Bool
        ) {
            shift = UInt32.random(in: 20...32, using: &random)
            var grams = [UInt32](repeating: 0, count: 1 << Int(32 - shift))
            for _ in 0..<(grams.count * density) {
                grams[Int.random(in: 0..<grams.count, using: &random)] |= 1 << UInt32.random(in: 0..<32, using: &random)
            }
            self.grams = grams
            pairs = (0..<8192).map { _ in
                UInt8.random(in: 0...255, using: &random) & .random(in: 0...255, using: &random)
            }
            var groups = [UInt64](repeating: 0, count: 256)
            for byte in 0..<256 {
                for _ in 0..<groupDensity { groups[byte] |= 1 << UInt64.random(in: 0..<64, using: &random) }
            }
            if folds { for byte in 0x41...0x5a { groups[byte] = groups[byte + 0x20] } }
            self.groups = groups
            self.folds = folds
            self.hasGrams = hasGrams
            self.hasPairs = hasPairs
        }

        /// As a database has it.
        var sieve: [UInt8] {
            groups.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
                + (0..<8).flatMap { part in groups.map { UInt8(truncatingIfNeeded: $0 >> UInt64(8 * part)) } }
        }

        func places(_ bytes: [UInt8], _ range: Range<Int>) -> [Int] {
            let text = folds ? bytes.map(PlacesTests.folded) : bytes
            return range.compactMap { place in
                let common = (0..<4).reduce(UInt64(0xffff)) { common, next in
                    let byte = place + next < bytes.count ? bytes[place + next] : 0
                    return common & groups[Int(byte)] >> UInt64(16 * next)
                }
                guard common != 0 else { return nil }
                var kinds = 0
                if hasGrams, place + 4 <= text.count {
                    let gram = (0..<4).reduce(UInt32(0)) { $0 | UInt32(text[place + $1]) << UInt32(8 * $1) }
                    let word = grams[Int(UInt64(gram &* 0x9e37_79b1) >> UInt64(shift))]
                    let bits = gram &* 0x85eb_ca77
                    let isSet = word >> (bits >> 27) & word >> (bits >> 22 & 31) & word >> (bits >> 17 & 31) & 1
                    if isSet != 0 { kinds |= Int(CSEARCH_GRAM) }
                }
                let pair = Int(text[place]) | Int(text[place + 1]) << 8
                if hasPairs, pairs[pair / 8] >> UInt8(pair % 8) & 1 != 0 { kinds |= Int(CSEARCH_PAIR) }
                return kinds != 0 ? place << 2 | kinds : nil
            }
        }
    }

    @Test("every place, with every choice of filters, with and without capitals", arguments: [false, true])
    func places(isPlain: Bool) {
        var random = Deterministic(11)
        for round in 0..<256 {
            let index = Index(
                &random, density: 1 + round % 19, groupDensity: 8 + round / 8 % 9 * 5, folds: round & 1 != 0,
                hasGrams: round & 2 != 0, hasPairs: round & 4 != 0)
            let size = round % 5 == 0 ? Int(CSEARCH_CHUNK) + 1 : Int.random(in: 2...700, using: &random)
            // Of random bytes, of text, and of both.
            let most: UInt8 = round % 3 == 0 ? 0x7a : 0xff
            let bytes = (0..<size).map { _ in UInt8.random(in: 0x30...most, using: &random) }
            var from = 0
            while from < size - 1 {
                let to = round % 5 == 0 ? size - 1 : Int.random(in: (from + 1)...(size - 1), using: &random)
                #expect(found(index, bytes, from..<to, isPlain: isPlain) == index.places(bytes, from..<to))
                from = to
            }
        }
    }

    @Test("nothing behind the object is read", arguments: [false, true])
    func edges(isPlain: Bool) {
        var random = Deterministic(12)
        for size in 2...140 {
            let index = Index(&random, density: 30, groupDensity: 40, folds: false, hasGrams: true, hasPairs: true)
            // An allocation of its own, so that a sanitizer sees what goes beyond.
            let bytes = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(found(index, bytes, 0..<(size - 1), isPlain: isPlain) == index.places(bytes, 0..<(size - 1)))
        }
    }

    @Test("places that pass a sieve", arguments: [false, true])
    func sifted(isPlain: Bool) {
        var random = Deterministic(14)
        for round in 0..<120 {
            let index = Index(
                &random, density: 1, groupDensity: 8 + round % 9 * 5, folds: false, hasGrams: false, hasPairs: false)
            let bytes = (0..<(2 + round * 7)).map { _ in UInt8.random(in: 0x30...0x80, using: &random) }
            let range = Int.random(in: 0..<bytes.count / 2, using: &random)..<bytes.count
            let expected = range.filter { place in
                (0..<4).reduce(UInt64(0xffff)) { common, next in
                    let byte = place + next < bytes.count ? bytes[place + next] : 0
                    return common & index.groups[Int(byte)] >> UInt64(16 * next)
                } != 0
            }
            let found = [Int](unsafeUninitializedCapacity: range.count) { space, count in
                let sift = isPlain ? CSearch_sift_plain : CSearch_sift
                count = sift(
                    bytes, bytes.count, range.lowerBound, range.upperBound, index.sieve, space.baseAddress)
            }
            #expect(found == expected)
        }
    }

    /// Short and long texts are searched in different ways: all of them find what one byte at a time finds.
    @Test func searches() {
        var random = Deterministic(15)
        func byte() -> CSearch_byte {
            let letter = UInt8.random(in: 0x61...0x66, using: &random)
            return Bool.random(using: &random)
                ? CSearch_byte(value: letter, mask: 0x20) : CSearch_byte(value: letter & ~0x20, mask: 0)
        }
        func fits(_ byte: UInt8, _ wanted: CSearch_byte) -> Bool { byte | wanted.mask == wanted.value }
        for round in 0..<600 {
            let size = [20, 70, 250, 300, 319, 320, 321, 700, 4_000][round % 9]
            // What is looked for is rare in most rounds.
            let text = (0..<size).map { _ in
                UInt8.random(in: 0..<100, using: &random) < round % 7
                    ? [0x41, 0x61, 0x43, 0x63, 0x66, 0x46].randomElement(using: &random) ?? 0 : UInt8(0x2e)
            }
            let pairs = (0..<4).map { _ in
                CSearch_words(first: byte(), second: byte(), distance: Int.random(in: 0...5, using: &random))
            }
            let from = Int.random(in: 0..<10, using: &random)
            let end = size - 5
            func first(_ isThere: (Int) -> Bool) -> Int { (from..<end).first(where: isThere) ?? end }
            func holds(_ pair: CSearch_words, _ place: Int) -> Bool {
                fits(text[place], pair.first) && fits(text[place + pair.distance], pair.second)
            }
            let pair = pairs[0]
            #expect(
                CSearch_pair(text, from, end, pair.distance, pair.first, pair.second) == first { holds(pair, $0) })
            #expect(CSearch_any_pair(text, from, end, pairs) == first { place in pairs.contains { holds($0, place) } })
            #expect(CSearch_either(text, from, end, 0x41, 0x63) == first { text[$0] == 0x41 || text[$0] == 0x63 })
        }
    }

    @Test("every gram is noted, and nothing behind the object is read", arguments: [false, true])
    func notedGrams(isPlain: Bool) {
        var random = Deterministic(13)
        for size in Array(4...140) + [4_000] {
            let bytes = (0..<size).map { _ in UInt8.random(in: 0x30...0x80, using: &random) }
            let shift = UInt32.random(in: 10...27, using: &random)
            let start = Int.random(in: 0..<(size - 3), using: &random)
            var expected = [UInt32](repeating: 0, count: 1 << Int(27 - shift))
            for place in start..<(size - 3) {
                let gram = (0..<4).reduce(UInt32(0)) { $0 | UInt32(Self.folded(bytes[place + $1])) << UInt32(8 * $1) }
                let bit = (gram &* CSEARCH_FACTOR) >> shift
                expected[Int(bit >> 5)] |= 1 << (bit & 31)
            }
            var noted = [UInt32](repeating: 0, count: expected.count)
            (isPlain ? CSearch_note_grams_plain : CSearch_note_grams)(bytes, start, size - 3, &noted, shift)
            #expect(noted == expected)
        }
    }

    private func found(_ index: Index, _ bytes: [UInt8], _ range: Range<Int>, isPlain: Bool) -> [Int] {
        index.sieve.withUnsafeBytes { sieve in
            index.grams.withUnsafeBytes { grams in
                index.pairs.withUnsafeBytes { pairs in
                    var wanted = CSearch_index(
                        sieve: sieve.baseAddress, grams: CSearch_filter(), pairs: nil, folds: index.folds ? 1 : 0)
                    if index.hasGrams { wanted.grams = CSearch_filter(words: grams.baseAddress, shift: index.shift) }
                    if index.hasPairs { wanted.pairs = pairs.baseAddress }
                    return [Int](unsafeUninitializedCapacity: range.count) { space, count in
                        let search = isPlain ? CSearch_places_plain : CSearch_places
                        count = search(
                            bytes, bytes.count, range.lowerBound, range.upperBound, &wanted, space.baseAddress)
                    }
                }
            }
        }
    }
}
