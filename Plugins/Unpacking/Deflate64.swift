package import BytesE
import CModuleABI
package import ModuleKit

/// Expands Deflate64, as ZIP's method 9 has it (APPNOTE.TXT 4.4.5): deflate (RFC 1951) with a window of 64 KiB, two more
/// distances, and a last length code of 16 more bits. zlib does not read it.
package func inflate64(
    _ input: ByteView, into output: inout Output
) throws(ModuleError) -> (end: InflateEnd, used: Int) {
    var decoder = Deflate64(input)
    let end = try decoder.run(into: &output)
    return (end, min(input.count, decoder.used))
}

/// Expands deflate as NSIS writes it: the length of a stored block is not repeated.
package func inflateNSIS(
    _ input: ByteView, into output: inout Output
) throws(ModuleError) -> (end: InflateEnd, used: Int) {
    var decoder = Deflate64(input, isNSIS: true)
    let end = try decoder.run(into: &output)
    return (end, min(input.count, decoder.used))
}

private struct Deflate64 {
    private let input: ByteView
    private let isNSIS: Bool
    private var position = 0
    private var bits: UInt64 = 0
    private var count = 0
    private var literals = CanonicalCode()
    private var distances = CanonicalCode()

    init(_ input: ByteView, isNSIS: Bool = false) {
        self.input = input
        self.isNSIS = isNSIS
    }

    /// Bytes of the input that were used, whole ones.
    var used: Int { position - count / 8 }

    /// The next bits as a number; beyond the end they are 0, and `isPastEnd` becomes true.
    private mutating func take(_ wanted: Int) -> Int {
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

    private var isPastEnd: Bool { position - count / 8 > input.count }

    mutating func run(into output: inout Output) throws(ModuleError) -> InflateEnd {
        while true {
            try output.check()
            let isLast = take(1) == 1
            let kind = take(2)
            if isPastEnd { return .truncated }
            switch kind {
            case 0:
                if let end = try stored(&output) { return end }
            case 1:
                fixedCodes()
                if let end = try block(&output) { return end }
            case 2:
                guard dynamicCodes() else { return isPastEnd ? .truncated : .damaged }
                if let end = try block(&output) { return end }
            default: return .damaged
            }
            if isLast { return .complete }
        }
    }

    private mutating func stored(_ output: inout Output) throws(ModuleError) -> InflateEnd? {
        _ = take(count % 8)
        let size = take(16)
        guard isNSIS || take(16) == ~size & 0xffff else { return isPastEnd ? .truncated : .damaged }
        position -= count / 8
        count = 0
        bits = 0
        let bytes = input.slice(position, position + size)
        guard try output.append(bytes) else { return .overLimit }
        position += size
        return bytes.count < size ? .truncated : nil
    }

    private mutating func fixedCodes() {
        var lengths = [UInt8](repeating: 8, count: 288)
        for index in 144..<256 { lengths[index] = 9 }
        for index in 256..<280 { lengths[index] = 7 }
        literals = CanonicalCode(lengths[...])
        distances = CanonicalCode([UInt8](repeating: 5, count: 32)[...])
    }

    /// RFC 1951 3.2.7.
    private mutating func dynamicCodes() -> Bool {
        let literalCount = take(5) + 257
        let distanceCount = take(5) + 1
        let order: InlineArray<19, Int> = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
        var codeLengths = [UInt8](repeating: 0, count: 19)
        for index in 0..<(take(4) + 4) { codeLengths[order[index]] = UInt8(take(3)) }
        let code = CanonicalCode(codeLengths[...])
        var lengths: [UInt8] = []
        while lengths.count < literalCount + distanceCount {
            guard let symbol = decode(code), !isPastEnd else { return false }
            switch symbol {
            case 0..<16: lengths.append(UInt8(symbol))
            case 16:
                guard let last = lengths.last else { return false }
                lengths.append(contentsOf: repeatElement(last, count: take(2) + 3))
            case 17: lengths.append(contentsOf: repeatElement(0, count: take(3) + 3))
            default: lengths.append(contentsOf: repeatElement(0, count: take(7) + 11))
            }
        }
        guard lengths.count == literalCount + distanceCount else { return false }
        literals = CanonicalCode(lengths[..<literalCount])
        distances = CanonicalCode(lengths[literalCount...])
        return true
    }

    private mutating func decode(_ code: CanonicalCode) -> Int? {
        var value = 0
        var first = 0
        var index = 0
        for length in 1...15 {
            value |= take(1)
            let many = Int(code.counts[length])
            if value - first < many { return Int(code.symbols[index + value - first]) }
            index += many
            first = (first + many) << 1
            value <<= 1
        }
        return nil
    }

    private mutating func block(_ output: inout Output) throws(ModuleError) -> InflateEnd? {
        var turns = 0
        while true {
            turns += 1
            if turns & 0xfff == 0 { try output.check() }
            guard let symbol = decode(literals) else { return .damaged }
            if isPastEnd { return .truncated }
            if symbol < 256 {
                guard try output.append(UInt8(symbol)) else { return .overLimit }
                continue
            }
            if symbol == 256 { return nil }
            guard let length = length(symbol), let code = decode(distances), code < 32 else { return .damaged }
            let extra = code < 2 ? 0 : code / 2 - 1
            let base = code < 2 ? code + 1 : ((2 + code % 2) << extra) + 1
            let distance = base + take(extra)
            guard distance <= output.count else { return .damaged }
            guard try output.repeatBytes(from: distance, count: length) else { return .overLimit }
        }
    }

    /// RFC 1951 3.2.5, but the last code.
    private mutating func length(_ symbol: Int) -> Int? {
        if symbol < 265 { return symbol - 254 }
        if symbol == 285 { return isNSIS ? 258 : 3 + take(16) }
        guard symbol < 285 else { return nil }
        let extra = (symbol - 261) / 4
        return ((4 + (symbol - 265) % 4) << extra) + 3 + take(extra)
    }
}

/// A Huffman code by the lengths of its codewords (RFC 1951 3.2.2).
private struct CanonicalCode {
    /// How many codewords of each length there are.
    var counts = InlineArray<16, UInt16>(repeating: 0)
    /// The symbols in the order of their codewords.
    var symbols: [UInt16] = []

    init() {}

    init(_ lengths: ArraySlice<UInt8>) {
        for length in lengths { counts[Int(length)] += 1 }
        counts[0] = 0
        var places = InlineArray<16, Int>(repeating: 0)
        for length in 1..<15 { places[length + 1] = places[length] + Int(counts[length]) }
        symbols = [UInt16](repeating: 0, count: lengths.count)
        for (symbol, length) in lengths.enumerated() where length > 0 {
            symbols[places[Int(length)]] = UInt16(symbol)
            places[Int(length)] += 1
        }
    }
}
