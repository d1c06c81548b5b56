import CSearch
import Testing

/// Looking blocks up in filters, compared with looking each place up.
@Suite("Blocks of places")
struct BlockTests {
    private func folded(_ byte: UInt8) -> UInt8 { (0x41...0x5a).contains(byte) ? byte + 0x20 : byte }

    /// Filters over random bytes, of which about one place in `rarity` passes.
    private struct Filters {
        let shift: UInt32
        let windows, spans, grams: [UInt32]
        let pairs: [UInt32]
        let sieve: [UInt8]

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
            spans = words(1 << Int(32 - shift), &random)
            grams = words(1 << Int(32 - shift), &random)
            pairs = words(2048, &random)
            sieve = (0..<Int(CSEARCH_SIEVE_SIZE)).map { _ in
                // Few bits at a few places, so that about half of all places pass.
                UInt8.random(in: 0...255, using: &random) & UInt8.random(in: 0...255, using: &random)
            }
        }

        func passes(_ gram: UInt32) -> Bool {
            let bytes = (0..<4).map { Int(gram >> UInt32(8 * $0) & 0xff) }
            let numbers = [
                bytes[0] + 2 * bytes[1], bytes[1] + 2 * bytes[0], bytes[2] + 2 * bytes[3], bytes[3] + 2 * bytes[2],
            ]
            return numbers.enumerated().reduce(0xff) { $0 & sieve[128 * $1.offset + $1.element % 128] } != 0
        }

        func has(_ words: [UInt32], _ gram: UInt32) -> Bool {
            let word = words[Int(UInt64(gram &* 0x9e37_79b1) >> UInt64(shift))]
            let bits = gram &* 0x85eb_ca77
            return word >> (bits >> 27) & word >> (bits >> 22 & 31) & word >> (bits >> 17 & 31) & 1 != 0
        }
    }

    @Test("every block, with every choice of filters, with and without capitals", arguments: [false, true])
    func blocks(isPlain: Bool) {
        var random = Deterministic(11)
        for round in 0..<128 {
            let filters = Filters(&random, density: 1 + round % 9)
            let bytes = (0..<1024).map { _ in UInt8.random(in: 0x30...0x7a, using: &random) }
            let folds = round & 16 != 0
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
                        filters.spans.withUnsafeBytes { spans in
                            let sifts = round & 32 != 0 && !isPlain && CSearch_sifts() != 0
                            if round & 8 != 0 {
                                wanted.spans = CSearch_filter(words: spans.baseAddress, shift: filters.shift)
                            }
                            filters.sieve.withUnsafeBufferPointer { sieve in
                                if round & 32 != 0 { wanted.sieve = sieve.baseAddress }
                                let end = bytes.count - Int(CSEARCH_REACH) + 1
                                var next = 0
                                for block in stride(from: 0, to: end, by: Int(CSEARCH_BLOCK)) {
                                    var expected = CSearch_hits()
                                    for place in 0..<Int(CSEARCH_BLOCK) {
                                        let value = gram(block + place)
                                        if round & 1 != 0, place % 4 == 0, filters.has(filters.windows, value) {
                                            expected.windows |= 1 << UInt32(place)
                                        }
                                        if round & 8 != 0, place % 2 == 0, filters.has(filters.spans, value) {
                                            expected.spans |= 1 << UInt32(place)
                                        }
                                        let passes = !sifts || filters.passes(value)
                                        if round & 2 != 0, passes, filters.has(filters.grams, value) {
                                            expected.grams |= 1 << UInt32(place)
                                        }
                                        let pair = Int(value & 0xffff)
                                        if round & 4 != 0, passes,
                                            filters.pairs[pair / 32] >> UInt32(pair % 32) & 1 != 0
                                        {
                                            expected.pairs |= 1 << UInt32(place)
                                        }
                                    }
                                    if expected.windows | expected.spans | expected.grams | expected.pairs == 0 {
                                        continue
                                    }
                                    var hits = CSearch_hits()
                                    next =
                                        isPlain
                                        ? CSearch_blocks_plain(bytes, next, end, &wanted, &hits)
                                        : CSearch_blocks(bytes, next, end, &wanted, &hits)
                                    #expect(next == block)
                                    #expect(hits.windows == expected.windows)
                                    #expect(hits.spans == expected.spans)
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
    }
}
