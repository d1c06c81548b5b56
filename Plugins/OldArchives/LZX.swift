import BytesE
import ModuleKit
import Unpacking

/// Expands one chunk of LZX as WIM has it (MS-PATCH and "Windows Imaging File Format"): chunks are independent, and
/// calls in them are always translated.
///
/// - Parameters:
///   - size: of the content, in bytes.
///   - window: size of a whole chunk, a power of two.
/// - Returns: whether all of it came out.
func expandLZX(_ packed: ByteView, _ size: Int, window: Int, into output: inout Output) throws(ModuleError) -> Bool {
    let start = output.count
    var decoder = LZXDecoder(packed, start: start, window: window)
    let isWhole = try decoder.run(size, into: &output)
    translateCalls(output.bytes.dropFirst(start))
    return isWhole
}

private struct LZXDecoder {
    private var bits: WordBits
    private let start: Int
    private let window: Int
    private let slots: Int
    private var recent = InlineArray<3, Int>(repeating: 1)
    /// Lengths of the codewords, to which those of the next block are differences.
    private var mainLengths: [UInt8]
    private var longLengths = [UInt8](repeating: 0, count: 249)
    private var aligned = PrefixCode()

    init(_ packed: ByteView, start: Int, window: Int) {
        bits = WordBits(packed)
        self.start = start
        self.window = window
        var slots = 0
        while slots < 50, Self.base(slots) < window { slots += 1 }
        self.slots = slots
        mainLengths = [UInt8](repeating: 0, count: 256 + 8 * slots)
    }

    private static func extra(_ slot: Int) -> Int { slot < 4 ? 0 : min(17, slot / 2 - 1) }

    private static func base(_ slot: Int) -> Int {
        if slot < 4 { return slot }
        if slot >= 36 { return (slot - 34) << 17 }
        return (2 + slot & 1) << (slot / 2 - 1)
    }

    mutating func run(_ size: Int, into output: inout Output) throws(ModuleError) -> Bool {
        while output.count - start < size {
            try output.check()
            let kind = bits.take(3)
            var blockSize = 32768
            if bits.take(1) == 0 {
                blockSize = bits.take(16)
                if window >= 65536 { blockSize = blockSize << 8 | bits.take(8) }
            }
            guard blockSize > 0, !bits.isPastEnd else { return false }
            let end = min(size, output.count - start + blockSize)
            switch kind {
            case 1, 2:
                if kind == 2 {
                    var lengths: [UInt8] = []
                    for _ in 0..<8 { lengths.append(UInt8(bits.take(3))) }
                    aligned = PrefixCode(lengths)
                }
                guard Self.readLengths(&bits, &mainLengths, 0..<256),
                    Self.readLengths(&bits, &mainLengths, 256..<256 + 8 * slots),
                    Self.readLengths(&bits, &longLengths, 0..<249), try block(end, isAligned: kind == 2, &output)
                else { return false }
            case 3:
                bits.align()
                for index in 0..<3 {
                    guard let number = bits.number() else { return false }
                    recent[index] = Int(number)
                }
                let bytes = bits.bytes(end - (output.count - start))
                guard try output.append(bytes), output.count - start == end else { return false }
                if bytes.count & 1 == 1 { _ = bits.byte() }
            default: return false
            }
        }
        return true
    }

    private mutating func block(_ end: Int, isAligned: Bool, _ output: inout Output) throws(ModuleError) -> Bool {
        let main = PrefixCode(mainLengths)
        let long = PrefixCode(longLengths)
        while output.count - start < end {
            guard let symbol = bits.decode(main), !bits.isPastEnd else { return false }
            if symbol < 256 {
                guard try output.append(UInt8(symbol)) else { return false }
                continue
            }
            var length = (symbol - 256) & 7
            if length == 7 {
                guard let more = bits.decode(long) else { return false }
                length += more
            }
            guard let distance = distance((symbol - 256) >> 3, isAligned), distance > 0,
                distance <= output.count - start,
                try output.repeatBytes(from: distance, count: min(length + 2, end - (output.count - start)))
            else { return false }
        }
        return true
    }

    /// The first three slots are the distances that were used last.
    private mutating func distance(_ slot: Int, _ isAligned: Bool) -> Int? {
        if slot < 3 {
            let result = recent[slot]
            recent[slot] = recent[0]
            recent[0] = result
            return result
        }
        let extra = Self.extra(slot)
        var result = Self.base(slot) - 2
        if isAligned && extra >= 3 {
            result += bits.take(extra - 3) << 3
            guard let low = bits.decode(aligned) else { return nil }
            result += low
        } else {
            result += bits.take(extra)
        }
        recent[2] = recent[1]
        recent[1] = recent[0]
        recent[0] = result
        return result
    }

    private static func readLengths(_ bits: inout WordBits, _ lengths: inout [UInt8], _ range: Range<Int>) -> Bool {
        var helper: [UInt8] = []
        for _ in 0..<20 { helper.append(UInt8(bits.take(4))) }
        let code = PrefixCode(helper)
        var index = range.lowerBound
        while index < range.upperBound {
            guard let symbol = bits.decode(code), !bits.isPastEnd else { return false }
            var count = 1
            var value: UInt8 = 0
            switch symbol {
            case 17: count = 4 + bits.take(4)
            case 18: count = 20 + bits.take(5)
            case 19:
                count = 4 + bits.take(1)
                guard let difference = bits.decode(code), difference < 17 else { return false }
                value = UInt8((Int(lengths[index]) + 17 - difference) % 17)
            default: value = UInt8((Int(lengths[index]) + 17 - symbol) % 17)
            }
            for _ in 0..<count where index < range.upperBound {
                lengths[index] = value
                index += 1
            }
        }
        return true
    }
}

/// Makes the absolute targets of calls relative again, as if the file had 12,000,000 bytes.
private func translateCalls(_ content: ByteView) {
    guard content.count > 10 else { return }
    let bytes = UnsafeMutablePointer(mutating: content.buffer.baseAddress)
    guard let bytes else { return }
    let fileSize: Int32 = 12_000_000
    var place = 0
    while place < content.count - 10 {
        guard bytes[place] == 0xe8 else {
            place += 1
            continue
        }
        let target = Int32(bitPattern: content.load(UInt32.self, at: place + 1) ?? 0)
        let here = Int32(place)
        if target >= -here && target < fileSize {
            let relative = UInt32(bitPattern: target >= 0 ? target - here : target + fileSize)
            for index in 0..<4 { bytes[place + 1 + index] = UInt8(truncatingIfNeeded: relative >> UInt32(8 * index)) }
        }
        place += 5
    }
}
