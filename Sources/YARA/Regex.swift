/// A regular expression or hex string, parsed.
package struct Regex: Sendable, Equatable {
    package let root: Node
    /// Whether ASCII letters match in either case.
    package let ignoresCase: Bool

    package init(root: Node, ignoresCase: Bool) {
        self.root = root
        self.ignoresCase = ignoresCase
    }

    package indirect enum Node: Sendable, Equatable {
        case empty
        case byte(UInt8)
        /// One byte with `byte & mask == value`.
        case masked(value: UInt8, mask: UInt8)
        case set(ByteSet)
        case sequence([Node])
        case alternation([Node])
        /// `most` nil: no upper limit.
        case repetition(Node, least: Int, most: Int?, isGreedy: Bool)
        /// No byte: the data's beginning, its end, the edge of a word or none.
        case start, end, boundary, notBoundary
    }
}

/// A set of bytes.
package struct ByteSet: Sendable, Hashable {
    /// Bit n of word n / 64 stands for byte n.
    package var words: SIMD4<UInt64>

    package init() { words = .zero }

    package init(_ ranges: ClosedRange<UInt8>...) {
        self.init()
        for range in ranges { insert(range) }
    }

    /// Every byte.
    package static let all = ByteSet(0...255)
    package static let word = ByteSet(0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a)
    package static let digit = ByteSet(0x30...0x39)
    package static let space = ByteSet(0x09...0x0d, 0x20...0x20)
    /// What `.` matches without the flag s.
    package static let notNewline = ByteSet(0...0x09, 0x0b...0xff)

    package func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 != 0 }
    package mutating func insert(_ byte: UInt8) { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
    package mutating func insert(_ range: ClosedRange<UInt8>) { for byte in range { insert(byte) } }
    package mutating func formUnion(_ other: ByteSet) { words |= other.words }
    package func union(_ other: ByteSet) -> ByteSet {
        var result = self
        result.formUnion(other)
        return result
    }

    package var inverted: ByteSet {
        var result = self
        result.words = ~words
        return result
    }

    package var count: Int { words.indices.reduce(0) { $0 + words[$1].nonzeroBitCount } }

    /// With both cases of each letter.
    package var caseFolded: ByteSet {
        var result = self
        for letter in UInt8(0x41)...0x5a {
            if contains(letter) { result.insert(letter | 0x20) }
            if contains(letter | 0x20) { result.insert(letter) }
        }
        return result
    }

    /// Tells its members, ascending.
    package func forEach(_ body: (UInt8) -> Void) {
        for i in words.indices {
            var word = words[i]
            while word != 0 {
                body(UInt8(64 * i + word.trailingZeroBitCount))
                word &= word - 1
            }
        }
    }

    /// Its members, ascending.
    package var members: [UInt8] { (UInt8(0)...255).filter(contains) }
}
