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
    var decoder = LZXDecoder(packed, start: start, window: window, hasShortSizes: true)
    let isWhole = try decoder.run(to: size, into: &output)
    translateCalls(output.bytes.dropFirst(start))
    return isWhole
}

/// Expands LZX as compiled help has it: frames of 32 KiB, of which some begin anew and all others go on.
///
/// - Parameters:
///   - frame: the packed bytes of a frame by its number, with what follows them; nil when there are none.
///   - size: of the content, in bytes.
///   - window: a power of two.
///   - interval: every so many frames begin anew.
/// - Returns: whether all of it came out.
func expandLZXFrames(
    _ frame: (Int) -> ByteView?, size: Int, window: Int, interval: Int, into output: inout Output
) throws(ModuleError) -> Bool {
    let start = output.count
    var decoder = LZXDecoder(ByteView(), start: start, window: window)
    var number = 0
    var fileSize = 0
    defer {
        // Calls are translated at the end: until then copies refer to them as they were.
        if fileSize > 0 {
            var place = start
            while place < output.count {
                translateCalls(
                    output.bytes.slice(place, place + LZXDecoder.frameSize), at: place - start, fileSize: fileSize)
                place += LZXDecoder.frameSize
            }
        }
    }
    while output.count - start < size {
        guard let packed = frame(number) else { return false }
        if number % interval == 0 { decoder = LZXDecoder(packed, start: start, window: window) }
        if let stated = decoder.begin(packed, isFirst: number % interval == 0), stated > 0 { fileSize = stated }
        let end = min(size, (number + 1) * LZXDecoder.frameSize)
        guard try decoder.run(to: end, into: &output) else { return false }
        number += 1
    }
    return true
}

private struct LZXDecoder {
    static let frameSize = 32768

    private var bits: WordBits
    // The block under way, where blocks go on from frame to frame.
    private var kind = 0
    private var left = 0
    private var isOdd = false
    private var main = PrefixCode()
    private var long = PrefixCode()
    private let start: Int
    private let window: Int
    /// Of blocks: one bit for the usual one, else 16 bits for a small window.
    private let hasShortSizes: Bool
    private let slots: Int
    private var recent = InlineArray<3, Int>(repeating: 1)
    /// Lengths of the codewords, to which those of the next block are differences.
    private var mainLengths: [UInt8]
    private var longLengths = [UInt8](repeating: 0, count: 249)
    private var aligned = PrefixCode()

    init(_ packed: ByteView, start: Int, window: Int, hasShortSizes: Bool = false) {
        bits = WordBits(packed)
        self.hasShortSizes = hasShortSizes
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

    /// Goes on with the bytes of a frame; what the first one says about the size for calls.
    mutating func begin(_ packed: ByteView, isFirst: Bool) -> Int? {
        bits = WordBits(packed)
        guard isFirst, bits.take(1) == 1 else { return nil }
        return bits.take(16) << 16 | bits.take(16)
    }

    /// Expands up to so many bytes from the beginning; a block may go on behind them.
    mutating func run(to end: Int, into output: inout Output) throws(ModuleError) -> Bool {
        while output.count - start < end {
            try output.check()
            if left == 0 {
                if isOdd { _ = bits.byte() }
                isOdd = false
                guard readBlockHeader() else { return false }
            }
            let from = output.count
            let upTo = min(end, from - start + left)
            if kind == 3 {
                guard try output.append(bits.bytes(upTo - (from - start))), output.count - start == upTo else {
                    return false
                }
            } else if try !symbols(upTo, isAligned: kind == 2, &output) {
                return false
            }
            left -= output.count - from
        }
        return true
    }

    private mutating func readBlockHeader() -> Bool {
        kind = bits.take(3)
        left = 32768
        if !hasShortSizes || bits.take(1) == 0 {
            left = bits.take(16)
            if !hasShortSizes || window >= 65536 { left = left << 8 | bits.take(8) }
        }
        guard left > 0, !bits.isPastEnd else { return false }
        switch kind {
        case 1, 2:
            if kind == 2 {
                var lengths: [UInt8] = []
                for _ in 0..<8 { lengths.append(UInt8(bits.take(3))) }
                aligned = PrefixCode(lengths)
            }
            guard Self.readLengths(&bits, &mainLengths, 0..<256),
                Self.readLengths(&bits, &mainLengths, 256..<256 + 8 * slots),
                Self.readLengths(&bits, &longLengths, 0..<249)
            else { return false }
            main = PrefixCode(mainLengths)
            long = PrefixCode(longLengths)
            return true
        case 3:
            bits.align()
            for index in 0..<3 {
                guard let number = bits.number() else { return false }
                recent[index] = Int(number)
            }
            isOdd = left & 1 == 1
            return true
        default: return false
        }
    }

    private mutating func symbols(_ end: Int, isAligned: Bool, _ output: inout Output) throws(ModuleError) -> Bool {
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

/// Makes the absolute targets of calls relative again, as if the file had so many bytes; WIM always says 12,000,000.
private func translateCalls(_ content: ByteView, at position: Int = 0, fileSize: Int = 12_000_000) {
    guard content.count > 10, let bytes = UnsafeMutablePointer(mutating: content.buffer.baseAddress) else { return }
    let fileSize = Int32(clamping: fileSize)
    var place = 0
    while place < content.count - 10 {
        guard bytes[place] == 0xe8 else {
            place += 1
            continue
        }
        let target = Int32(bitPattern: content.load(UInt32.self, at: place + 1) ?? 0)
        let here = Int32(clamping: position + place)
        if target >= -here && target < fileSize {
            let relative = UInt32(bitPattern: target >= 0 ? target &- here : target &+ fileSize)
            for index in 0..<4 { bytes[place + 1 + index] = UInt8(truncatingIfNeeded: relative >> UInt32(8 * index)) }
        }
        place += 5
    }
}
