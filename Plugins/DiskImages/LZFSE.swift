import BytesE
import ModuleKit
import Unpacking

/// Expands LZFSE: blocks that are stored, packed by LZVN, or of literals and copies in four codes of finite states. (As Apple's
/// lzfse_internal.h and lzfse_fse.h describe it.)
///
/// - Returns: false when it is damaged, or has no end.
func expandLZFSE(_ packed: ByteView, into output: inout Output) throws(ModuleError) -> Bool {
    let start = output.count
    var place = 0
    // A block of few bytes may have many copies of nothing.
    var work = 0
    while let magic = packed.load(UInt32.self, at: place), output.stoppedBy == 0 {
        try output.check()
        switch magic {
        // "bvx$", "bvx-", "bvxn", "bvx1", "bvx2".
        case 0x2478_7662: return true
        case 0x2d78_7662:
            guard let size = packed.load(UInt32.self, at: place + 4) else { return false }
            let bytes = packed.slice(place + 8, place + 8 + Int(size))
            guard try output.append(bytes), bytes.count == Int(size) else { return false }
            place += 8 + Int(size)
        case 0x6e78_7662:
            guard let size = packed.load(UInt32.self, at: place + 4),
                let count = packed.load(UInt32.self, at: place + 8)
            else { return false }
            let stream = packed.slice(place + 12, place + 12 + Int(count))
            guard try expandLZVN(stream, most: Int(size), from: start, into: &output) else { return false }
            place += 12 + Int(count)
        case 0x3178_7662, 0x3278_7662:
            guard let block = LZFSEBlock(packed, at: place, isPackedHeader: magic == 0x3278_7662),
                work < 64 * packed.count + 16 * (output.count - start),
                try block.expand(packed, from: start, into: &output)
            else { return false }
            work += block.work
            place = block.end
        default: return false
        }
    }
    return false
}

/// The header of a block with codes.
private struct LZFSEBlock {
    private static let mostLiterals = 40_000
    private static let mostMatches = 10_000
    /// Symbols of the codes for lengths of literals, lengths of copies, distances and literals; and their states.
    private static let symbols = [20, 20, 64, 256]
    private static let states = [64, 64, 256, 1024]

    let end: Int
    private let literalCount, matchCount: Int
    /// Where the literals and the matches end, which are read backwards.
    private let literalEnd: Int
    /// Bits of the last bytes of both that do not count, negated.
    private let literalBits, matchBits: Int
    private let literalStates: [Int]
    private let matchStates: [Int]
    private let codes: [[StateCode]]

    /// What it costs beside what comes out.
    var work: Int { 1500 + matchCount }

    init?(_ data: ByteView, at place: Int, isPackedHeader: Bool) {
        var frequencies: [Int] = []
        let total = Self.symbols.reduce(0) { $0 + $1 }
        let header: Int
        let literalSize, matchSize: Int
        if isPackedHeader {
            guard let first = data.load(UInt64.self, at: place + 8),
                let second = data.load(UInt64.self, at: place + 16),
                let third = data.load(UInt64.self, at: place + 24)
            else { return nil }
            func field(_ number: UInt64, _ from: UInt64, _ width: UInt64) -> Int {
                Int(number >> from & (1 << width - 1))
            }
            literalCount = field(first, 0, 20)
            literalSize = field(first, 20, 20)
            matchCount = field(first, 40, 20)
            literalBits = field(first, 60, 3) - 7
            literalStates = [0, 10, 20, 30].map { field(second, $0, 10) }
            matchSize = field(second, 40, 20)
            matchBits = field(second, 60, 3) - 7
            header = field(third, 0, 32)
            matchStates = [32, 42, 52].map { field(third, $0, 10) }
            guard header >= 32, place + header <= data.count else { return nil }
            if header > 32 {
                guard let read = Self.frequencies(data.slice(place + 32, place + header), total) else { return nil }
                frequencies = read
            }
        } else {
            func number(_ at: Int) -> Int { Int(data.load(UInt32.self, at: place + at) ?? 0) }
            func short(_ at: Int) -> Int { Int(data.load(UInt16.self, at: place + at) ?? 0) }
            // Two bytes are left at its end.
            header = 52 + 2 * total
            guard place + header <= data.count else { return nil }
            literalCount = number(12)
            matchCount = number(16)
            literalSize = number(20)
            matchSize = number(24)
            literalBits = Int(Int32(truncatingIfNeeded: number(28)))
            literalStates = [32, 34, 36, 38].map { short($0) }
            matchBits = Int(Int32(truncatingIfNeeded: number(40)))
            matchStates = [44, 46, 48].map { short($0) }
            for index in 0..<total { frequencies.append(short(50 + 2 * index)) }
        }
        literalEnd = place + header + literalSize
        end = literalEnd + matchSize
        guard end <= data.count, literalCount <= Self.mostLiterals, matchCount <= Self.mostMatches,
            (-7...0).contains(literalBits), (-7...0).contains(matchBits), literalStates.allSatisfy({ $0 < 1024 }),
            matchStates[0] < 64, matchStates[1] < 64, matchStates[2] < 256
        else { return nil }
        var codes: [[StateCode]] = []
        var rest = frequencies[...]
        for (index, count) in Self.symbols.enumerated() {
            guard
                let code = StateCode.table(
                    rest.prefix(count), states: Self.states[index],
                    extra: { symbol in
                        Self.extra(index, symbol)
                    })
            else { return nil }
            codes.append(code)
            rest = rest.dropFirst(count)
        }
        self.codes = codes
    }

    /// How often each symbol is, in a code of its own; nil when it does not end with the header.
    private static func frequencies(_ data: ByteView, _ total: Int) -> [Int]? {
        var result: [Int] = []
        var place = 0
        while result.count < total {
            var bits = 0
            for index in 0..<3 where place / 8 + index < data.count {
                bits |= Int(data[place / 8 + index]) << (8 * index)
            }
            bits >>= place % 8
            switch bits & 15 {
            case 15:
                result.append(24 + bits >> 4 & 0x3ff)
                place += 14
            case 7:
                result.append(8 + bits >> 4 & 15)
                place += 8
            case 3, 11:
                result.append(4 + bits >> 3 & 3)
                place += 5
            case 1, 5, 9, 13:
                result.append(bits & 4 == 0 ? 2 : 3)
                place += 3
            default:
                result.append(bits & 2 == 0 ? 0 : 1)
                place += 2
            }
        }
        return (place + 7) / 8 == data.count ? result : nil
    }

    /// The least value of a symbol, and how many bits are added to it.
    private static func extra(_ code: Int, _ symbol: Int) -> (base: Int, bits: Int) {
        switch (code, symbol) {
        case (3, _), (_, 0..<4), (0...1, 0..<16): return (symbol, 0)
        case (0, _): return ([16, 20, 28, 60][symbol & 3], [2, 3, 5, 8][symbol & 3])
        case (1, _): return ([16, 24, 56, 312][symbol & 3], [3, 5, 8, 11][symbol & 3])
        default:
            // Four symbols of each number of bits.
            let bits = symbol >> 2
            return ((4 + symbol & 3) << bits - 4, bits)
        }
    }

    func expand(_ data: ByteView, from start: Int, into output: inout Output) throws(ModuleError) -> Bool {
        var literalBits = BackwardBits(data, end: literalEnd, unused: -literalBits)
        var bits = BackwardBits(data, end: end, unused: -matchBits)
        var literals = literalStates
        var states = matchStates
        var used = 0
        var distance = 0
        for match in 0..<matchCount {
            if match & 0xff == 0 { try output.check() }
            let length = StateCode.next(codes[0], &states[0], &bits)
            let copied = StateCode.next(codes[1], &states[1], &bits)
            let other = StateCode.next(codes[2], &states[2], &bits)
            if other > 0 { distance = other }
            guard bits.isInside, used + length <= literalCount else { return false }
            // Four codes in turn.
            for index in used..<used + length {
                let literal = StateCode.next(codes[3], &literals[index & 3], &literalBits)
                guard literalBits.isInside, try output.append(UInt8(truncatingIfNeeded: literal)) else { return false }
            }
            used += length
            guard copied > 0 else { continue }
            guard distance > 0, distance <= output.count - start,
                try output.repeatBytes(from: distance, count: copied)
            else { return false }
        }
        return true
    }
}

/// What a state of a code stands for, and which follows.
private struct StateCode {
    var base = 0
    /// Bits that are added to the base, the lower ones, and to the next state.
    var extraBits = 0
    var stateBits = 0
    var nextState = 0

    /// The states of a code; nil when its symbols have more.
    static func table(
        _ frequencies: ArraySlice<Int>, states: Int, extra: (_ symbol: Int) -> (base: Int, bits: Int)
    ) -> [StateCode]? {
        var result: [StateCode] = []
        for (symbol, frequency) in frequencies.enumerated() where frequency > 0 {
            guard result.count + frequency <= states else { return nil }
            let (base, bits) = extra(symbol)
            // The most by which the number of states can be divided, so that no state is beyond them.
            let width = frequency.leadingZeroBitCount - states.leadingZeroBitCount
            let wide = (2 * states) >> width - frequency
            for index in 0..<frequency {
                let isWide = index < wide
                result.append(
                    StateCode(
                        base: base, extraBits: bits, stateBits: isWide ? width : width - 1,
                        nextState: isWide ? (frequency + index) << width - states : (index - wide) << (width - 1)))
            }
        }
        while result.count < states { result.append(StateCode()) }
        return result
    }

    /// The value that a state stands for; it becomes the next one.
    static func next(_ table: [StateCode], _ state: inout Int, _ bits: inout BackwardBits) -> Int {
        guard state < table.count else { return 0 }
        let entry = table[state]
        state = entry.nextState + bits.take(entry.stateBits)
        return entry.base + bits.take(entry.extraBits)
    }
}

/// Bits that are read from the end of some bytes backwards.
private struct BackwardBits {
    private let data: ByteView
    private var position: Int

    init(_ data: ByteView, end: Int, unused: Int) {
        self.data = data
        position = end * 8 - unused
    }

    /// Nothing was read before the beginning.
    var isInside: Bool { position >= 0 }

    /// At most 24 bits, those behind being the lower ones.
    mutating func take(_ count: Int) -> Int {
        position -= count
        guard position >= 0, count > 0 else { return 0 }
        var value = 0
        for index in 0..<4 where position / 8 + index < data.count {
            value |= Int(data[position / 8 + index]) << (8 * index)
        }
        return value >> (position % 8) & (1 << count - 1)
    }
}
