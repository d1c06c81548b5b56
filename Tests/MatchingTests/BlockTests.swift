import CSearch
import Testing

/// Looking blocks up in filters, compared with looking each place up.
@Suite("Blocks of places")
struct BlockTests {
    private func folded(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte + 0x20 : byte }

    /// Filters over random bytes, of which about one place in `rarity` passes.
    private struct Filters {
        let shift: UInt32
        let windows, grams: [UInt32]
        let pairs: [UInt32]

        init(_ random: inout Deterministic, density: Int) {
            shift = UInt32.random(in: 20...32, using: &random)
            func words(_ count: Int, _ random: inout Deterministic) -> [UInt32] {
                var words = [UInt32](repeating: 0, count: count)
                for _ in 0..<(count * density) {
                    words[Int.random(in: 0..<count, using: &random)] |= 1 << UInt32.random(in: 0..<32, using: &random)
                }
                return words
            }
            windows = words(1 << Int(32 - shift), &random)
            grams = words(1 << Int(32 - shift), &random)
            pairs = words(2048, &random)
        }

        func has(_ words: [UInt32], _ gram: UInt32) -> Bool {
            let hash = gram &* 0x9e37_79b1
            let word = words[Int(UInt64(hash) >> UInt64(shift))]
            return word >> (hash & 31) & word >> (hash >> 5 & 31) & 1 != 0
        }
    }

    @Test("every block, with every choice of filters, with and without capitals", arguments: [false, true])
    func blocks(isPlain: Bool) {
        var random = Deterministic(11)
        for round in 0..<48 {
            let filters = Filters(&random, density: 1 + round % 6)
            let bytes = (0..<1024).map { _ in UInt8.random(in: 0x30...0x7a, using: &random) }
            let folds = round & 8 != 0
            let text = folds ? bytes.map(folded) : bytes
            func gram(_ place: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(text[place + $1]) << UInt32(8 * $1) } }
            filters.windows.withUnsafeBytes { windows in
                filters.grams.withUnsafeBytes { grams in
                    filters.pairs.withUnsafeBytes { pairs in
                        var wanted = CSearch_filters()
                        wanted.folds = folds ? 1 : 0
                        if round & 1 != 0 {
                            wanted.windows = CSearch_filter(words: windows.baseAddress, shift: filters.shift)
                        }
                        if round & 2 != 0 {
                            wanted.grams = CSearch_filter(words: grams.baseAddress, shift: filters.shift)
                        }
                        if round & 4 != 0 { wanted.pairs = pairs.baseAddress }
                        let end = bytes.count - Int(CSEARCH_REACH) + 1
                        var next = 0
                        for block in stride(from: 0, to: end, by: Int(CSEARCH_BLOCK)) {
                            var expected = CSearch_hits()
                            for place in 0..<Int(CSEARCH_BLOCK) {
                                let value = gram(block + place)
                                if round & 1 != 0, place % 4 == 0, filters.has(filters.windows, value) {
                                    expected.windows |= 1 << UInt32(place / 4)
                                }
                                if round & 2 != 0, filters.has(filters.grams, value) {
                                    expected.grams |= 1 << UInt32(place)
                                }
                                let pair = Int(value & 0xffff)
                                if round & 4 != 0, filters.pairs[pair / 32] >> UInt32(pair % 32) & 1 != 0 {
                                    expected.pairs |= 1 << UInt32(place)
                                }
                            }
                            if expected.windows | expected.grams | expected.pairs == 0 { continue }
                            var hits = CSearch_hits()
                            next =
                                isPlain
                                ? CSearch_blocks_plain(bytes, next, end, &wanted, &hits)
                                : CSearch_blocks(bytes, next, end, &wanted, &hits)
                            #expect(next == block)
                            #expect(hits.windows == expected.windows)
                            #expect(hits.grams == expected.grams)
                            #expect(hits.pairs == expected.pairs)
                            next += Int(CSEARCH_BLOCK)
                        }
                        var hits = CSearch_hits()
                        #expect(CSearch_blocks(bytes, next, end, &wanted, &hits) >= end)
                    }
                }
            }
        }
    }
}
