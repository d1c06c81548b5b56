package import BytesE
import CModuleABI
package import ModuleKit

/// Expands imploded data, ZIP's method 6 (APPNOTE.TXT 5.3): literals and copies in a window of 4 or 8 KiB, with two or
/// three Shannon-Fano codes whose lengths stand before the data.
///
/// - Parameters:
///   - hasLargeWindow: bit 1 of the entry's flags.
///   - hasLiteralCode: bit 2.
///   - size: of the content: the data has no end mark.
package func explode(
    _ input: ByteView, hasLargeWindow: Bool, hasLiteralCode: Bool, size: UInt64, into output: inout Output
) throws(ModuleError) -> InflateEnd {
    var bits = ImplodedBits(input)
    var literals: InvertedCode?
    if hasLiteralCode {
        literals = bits.readCode(256)
        guard literals != nil else { return bits.isPastEnd ? .truncated : .damaged }
    }
    guard let lengths = bits.readCode(64), let distances = bits.readCode(64) else {
        return bits.isPastEnd ? .truncated : .damaged
    }
    let lowBits = hasLargeWindow ? 7 : 6
    var turns = 0
    while UInt64(output.count) < size {
        turns += 1
        if turns & 0xfff == 0 { try output.check() }
        let isLiteral = bits.take(1) == 1
        if bits.isPastEnd { return .truncated }
        if isLiteral {
            guard let byte = literals == nil ? bits.take(8) : literals.flatMap({ bits.decode($0) }) else {
                return .damaged
            }
            guard try output.append(UInt8(byte)) else { return .overLimit }
            continue
        }
        let low = bits.take(lowBits)
        guard let high = bits.decode(distances), var length = bits.decode(lengths) else { return .damaged }
        if length == 63 { length += bits.take(8) }
        length += hasLiteralCode ? 3 : 2
        length = Int(min(UInt64(length), size - UInt64(output.count)))
        let distance = (high << lowBits | low) + 1
        // The window begins with zeros.
        let before = min(length, max(0, distance - output.count))
        guard try output.append(0, count: before), try output.repeatBytes(from: distance, count: length - before) else {
            return .overLimit
        }
    }
    return .complete
}

/// The lowest bit of each byte first. Beyond the end they are 0, and `isPastEnd` becomes true.
private struct ImplodedBits {
    private let input: ByteView
    private var position = 0
    private var bits: UInt64 = 0
    private var count = 0

    init(_ input: ByteView) { self.input = input }

    var isPastEnd: Bool { position - count / 8 > input.count }

    mutating func take(_ wanted: Int) -> Int {
        while count < wanted {
            let byte: UInt8 = position < input.count ? input[position] : 0
            bits |= UInt64(byte) << UInt64(count)
            position += 1
            count += 8
        }
        let value = bits & ((1 << UInt64(wanted)) - 1)
        bits >>= UInt64(wanted)
        count -= wanted
        return Int(value)
    }

    mutating func decode(_ code: InvertedCode) -> Int? {
        var value = 0
        var first = 0
        var index = 0
        for length in 1...16 {
            value |= take(1) ^ 1
            let many = Int(code.counts[length])
            if value - first < many { return Int(code.symbols[index + value - first]) }
            index += many
            first = (first + many) << 1
            value <<= 1
        }
        return nil
    }

    /// Runs of lengths: the length less one in the low half of a byte, how many symbols have it, less one, above.
    mutating func readCode(_ symbols: Int) -> InvertedCode? {
        var lengths: [UInt8] = []
        for _ in 0...take(8) {
            let run = take(8)
            lengths.append(contentsOf: repeatElement(UInt8(run & 15) + 1, count: (run >> 4) + 1))
        }
        return lengths.count == symbols && !isPastEnd ? InvertedCode(lengths) : nil
    }
}

/// A canonical code whose codewords are written with ones for zeros.
private struct InvertedCode {
    var counts = InlineArray<17, UInt16>(repeating: 0)
    var symbols: [UInt8]

    init(_ lengths: [UInt8]) {
        for length in lengths { counts[Int(length)] += 1 }
        var places = InlineArray<18, Int>(repeating: 0)
        for length in 1...16 { places[length + 1] = places[length] + Int(counts[length]) }
        symbols = [UInt8](repeating: 0, count: lengths.count)
        for (symbol, length) in lengths.enumerated() {
            symbols[places[Int(length)]] = UInt8(symbol)
            places[Int(length)] += 1
        }
    }
}
