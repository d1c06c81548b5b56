import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// The compressions of UPX: NRV2B, NRV2D and NRV2E of the UCL library, with bits in words of 1, 2 or 4 bytes.
struct NRV {
    enum Variant: Sendable { case b, d, e }

    private let input: ByteView
    private let wordSize: Int
    private var position = 0
    private var word: UInt32 = 0
    private var count = 0
    /// Whether more was read than there is.
    private(set) var isPastEnd = false

    private init(_ input: ByteView, wordSize: Int) {
        self.input = input
        self.wordSize = wordSize
    }

    /// Expands a stream up to its end mark.
    ///
    /// - Parameters:
    ///   - wordSize: of the bits' words, in bytes.
    ///   - most: more comes of no sound stream.
    static func expand(
        _ input: ByteView, _ variant: Variant, wordSize: Int, most: Int, into output: inout Output
    ) throws(ModuleError) -> InflateEnd {
        var decoder = NRV(input, wordSize: wordSize)
        return try decoder.run(variant, most, into: &output)
    }

    private mutating func bit() -> Int {
        if count == 0 {
            word = 0
            for index in 0..<wordSize { word |= UInt32(byte()) << UInt32(8 * index) }
            count = 8 * wordSize
        }
        count -= 1
        return Int(word >> UInt32(count) & 1)
    }

    private mutating func byte() -> UInt8 {
        guard position < input.count else {
            isPastEnd = true
            return 0
        }
        position += 1
        return input[position - 1]
    }

    private mutating func run(
        _ variant: Variant, _ most: Int, into output: inout Output
    ) throws(ModuleError) -> InflateEnd {
        let start = output.count
        var last = 1
        var turns = 0
        while true {
            turns += 1
            if turns & 0xfff == 0 { try output.check() }
            if bit() == 1 {
                let literal = byte()
                guard !isPastEnd, output.count - start < most else { return isPastEnd ? .truncated : .damaged }
                guard try output.append(literal) else { return .overLimit }
                continue
            }
            guard let code = offsetCode(variant) else { return isPastEnd ? .truncated : .damaged }
            var length: Int
            if code == 2 {
                length = variant == .b ? 0 : bit()
            } else {
                let offset = (code - 3) << 8 | Int(byte())
                if offset == 0xffff_ffff { return .complete }
                if variant == .b {
                    length = 0
                    last = offset + 1
                } else {
                    length = ~offset & 1
                    last = (offset >> 1) + 1
                }
            }
            guard let more = self.length(variant, length) else { return isPastEnd ? .truncated : .damaged }
            length = more + (last > (variant == .b ? 0xd00 : 0x500) ? 2 : 1)
            guard !isPastEnd, last > 0, last <= output.count - start, length <= most - (output.count - start) else {
                return isPastEnd ? .truncated : .damaged
            }
            guard try output.repeatBytes(from: last, count: length) else { return .overLimit }
        }
    }

    /// The number that the high part of a distance is made of; nil when it is none.
    private mutating func offsetCode(_ variant: Variant) -> Int? {
        var code = 1
        while code < 1 << 26, !isPastEnd {
            code = code * 2 + bit()
            if bit() == 1 { return code }
            if variant != .b { code = (code - 1) * 2 + bit() }
        }
        return nil
    }

    private mutating func length(_ variant: Variant, _ begin: Int) -> Int? {
        var length = begin
        if variant == .e {
            if length == 1 { return 1 + bit() }
            if bit() == 1 { return 3 + bit() }
            return growing().map { $0 + 3 }
        }
        if variant == .b { length = bit() }
        length = length * 2 + bit()
        return length == 0 ? growing().map { $0 + 2 } : length
    }

    private mutating func growing() -> Int? {
        var value = 1
        while value < 1 << 28, !isPastEnd {
            value = value * 2 + bit()
            if bit() == 1 { return value }
        }
        return nil
    }
}
