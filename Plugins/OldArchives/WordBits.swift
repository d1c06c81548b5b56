import BytesE

/// Bits of words of 16 bits, little-endian, the highest bit of each first; bytes may be read in between. Beyond the end
/// they are 0, and `isPastEnd` becomes true.
struct WordBits {
    private let input: ByteView
    private(set) var position = 0
    private var bits: UInt64 = 0
    private var count = 0

    init(_ input: ByteView, from position: Int = 0) {
        self.input = input
        self.position = position
    }

    var isPastEnd: Bool { position - count / 8 > input.count }

    /// Makes so many bits, at most 32, available: bytes that are read later lie behind them.
    mutating func ensure(_ wanted: Int) {
        while count < wanted {
            let low: UInt64 = position < input.count ? UInt64(input[position]) : 0
            let high: UInt64 = position + 1 < input.count ? UInt64(input[position + 1]) : 0
            bits = bits << 16 | high << 8 | low
            position += 2
            count += 16
        }
    }

    /// The next bits, at most 32, as a number.
    mutating func take(_ wanted: Int) -> Int {
        ensure(wanted)
        count -= wanted
        return Int(bits >> UInt64(count) & ((1 << UInt64(wanted)) - 1))
    }

    mutating func decode(_ code: PrefixCode) -> Int? { code.decode { take(1) } }

    /// Goes to the next word. One that is whole is left out too.
    mutating func align() {
        ensure(1)
        count = 0
    }

    /// A byte behind the words that were read.
    mutating func byte() -> Int? {
        guard position < input.count else { return nil }
        position += 1
        return Int(input[position - 1])
    }

    /// A number of four bytes, behind the words that were read.
    mutating func number() -> UInt32? {
        let result = input.load(UInt32.self, at: position)
        position += 4
        return result
    }

    /// So many bytes behind the words that were read; fewer at the end.
    mutating func bytes(_ count: Int) -> ByteView {
        let result = input.dropFirst(min(position, input.count)).prefix(count)
        position += count
        return result
    }
}
