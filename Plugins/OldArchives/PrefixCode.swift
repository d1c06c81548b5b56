/// A canonical prefix code of at most 510 symbols and codewords of at most 20 bits, read bit by bit.
struct PrefixCode {
    /// How many codewords of each length there are.
    private var counts = InlineArray<21, Int>(repeating: 0)
    /// The symbols in the order of their codewords.
    private var symbols: [UInt16] = []
    /// The symbol when there is but one, which takes no bits.
    private var only: Int?

    init() {}

    /// A code without bits.
    init(only symbol: Int) { only = symbol }

    /// - Parameter lengths: of each symbol's codeword, 0…20; 0: it has none.
    init(_ lengths: ArraySlice<UInt8>) {
        for length in lengths where length <= 20 { counts[Int(length)] += 1 }
        counts[0] = 0
        var places = InlineArray<22, Int>(repeating: 0)
        for length in 1...20 { places[length + 1] = places[length] + counts[length] }
        symbols = [UInt16](repeating: 0, count: lengths.count)
        for (symbol, length) in lengths.enumerated() where length > 0 && length <= 20 {
            symbols[places[Int(length)]] = UInt16(truncatingIfNeeded: symbol)
            places[Int(length)] += 1
        }
    }

    init(_ lengths: [UInt8]) { self.init(lengths[...]) }

    /// The next symbol; nil when the bits are no codeword.
    func decode(_ bit: () -> Int) -> Int? {
        if let only { return only }
        var value = 0
        var first = 0
        var index = 0
        for length in 1...20 {
            value |= bit()
            let many = counts[length]
            if value - first < many { return Int(symbols[index + value - first]) }
            index += many
            first = (first + many) << 1
            value <<= 1
        }
        return nil
    }
}

/// Bits of a stream, the highest of each byte first. Beyond the end they are 0, and `isPastEnd` becomes true.
struct BitReader {
    private let input: UnsafeBufferPointer<UInt8>
    private var position = 0
    private var bits: UInt64 = 0
    private var count = 0

    /// The bytes must stay where they are.
    init(_ input: UnsafeBufferPointer<UInt8>) { self.input = input }

    var isPastEnd: Bool { position - count / 8 > input.count }

    /// The next bits, at most 32, as a number.
    mutating func take(_ wanted: Int) -> Int {
        while count < wanted {
            let byte: UInt8 = position < input.count ? input[position] : 0
            bits = bits << 8 | UInt64(byte)
            position += 1
            count += 8
        }
        count -= wanted
        return Int(bits >> UInt64(count) & ((1 << UInt64(wanted)) - 1))
    }

    mutating func decode(_ code: PrefixCode) -> Int? { code.decode { take(1) } }

    /// Counts ones up to a zero, which is taken too; at most `most`.
    mutating func ones(most: Int) -> Int {
        var result = 0
        while result < most, take(1) == 1 { result += 1 }
        return result
    }
}
