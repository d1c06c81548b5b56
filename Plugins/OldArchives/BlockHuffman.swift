import BytesE
import ModuleKit
import Unpacking

/// Expands what ARJ and LHA pack: literals and copies, their Huffman codes renewed in every block.
struct BlockHuffman {
    private var bits: BitReader
    private var blockLeft = 0
    private var literals = PrefixCode()
    private var distances = PrefixCode()

    /// How many codes of distances there may be, and the bits of their number.
    private let distanceCount, distanceWidth: Int
    /// What stands before the beginning; nil: nothing, and nobody may ask.
    private let before: UInt8?
    /// What the output had before.
    private var start = 0

    init(_ packed: ByteView, distances: Int, width: Int, before: UInt8? = nil) {
        bits = BitReader(packed.buffer)
        distanceCount = distances
        distanceWidth = width
        self.before = before
    }

    /// Methods 1 to 3 of ARJ, 4 to 7 of LHA; false when it ended early.
    mutating func run(_ size: Int, into output: inout Output) throws(ModuleError) -> Bool {
        start = output.count
        var turns = 0
        while output.count - start < size {
            turns += 1
            if turns & 0xfff == 0 { try output.check() }
            if blockLeft == 0 {
                blockLeft = bits.take(16)
                guard blockLeft > 0, readCodes() else { return false }
            }
            blockLeft -= 1
            guard let symbol = bits.decode(literals), !bits.isPastEnd else { return false }
            if symbol < 256 {
                guard try output.append(UInt8(symbol)) else { return false }
                continue
            }
            guard let code = bits.decode(distances), code < distanceCount else { return false }
            let distance = (code == 0 ? 0 : 1 << (code - 1) + bits.take(code - 1)) + 1
            guard try copy(symbol - 253, distance, size, &output) else { return false }
        }
        return true
    }

    /// Method 4 of ARJ: fixed codes.
    mutating func fast(_ size: Int, into output: inout Output) throws(ModuleError) -> Bool {
        start = output.count
        var turns = 0
        while output.count - start < size {
            turns += 1
            if turns & 0xfff == 0 { try output.check() }
            guard !bits.isPastEnd else { return false }
            let width = bits.ones(most: 7)
            let length = (1 << width) - 1 + bits.take(width)
            if length == 0 {
                guard try output.append(UInt8(bits.take(8))) else { return false }
                continue
            }
            let far = bits.ones(most: 4)
            let distance = (1 << (9 + far)) - 512 + bits.take(9 + far) + 1
            guard try copy(length + 2, distance, size, &output) else { return false }
        }
        return true
    }

    private func copy(_ count: Int, _ distance: Int, _ size: Int, _ output: inout Output) throws(ModuleError) -> Bool {
        let done = output.count - start
        let count = min(count, size - done)
        guard distance > done else { return try output.repeatBytes(from: distance, count: count) }
        guard let before else { return false }
        let early = min(count, distance - done)
        guard try output.append(before, count: early) else { return false }
        return try output.repeatBytes(from: distance, count: count - early)
    }

    private mutating func readCodes() -> Bool {
        guard let helper = readLengths(19, 5, 3), let lengths = readLiteralLengths(helper),
            let far = readLengths(distanceCount, distanceWidth, nil)
        else { return false }
        literals = lengths
        distances = far
        return !bits.isPastEnd
    }

    /// Lengths of three bits, longer ones with a one for each step. Behind the third of the helper's there may be a gap.
    private mutating func readLengths(_ most: Int, _ width: Int, _ gap: Int?) -> PrefixCode? {
        let count = bits.take(width)
        if count == 0 { return PrefixCode(only: bits.take(width)) }
        guard count <= most else { return nil }
        var lengths: [UInt8] = []
        while lengths.count < count {
            var length = bits.take(3)
            if length == 7 { length += bits.ones(most: 13) }
            guard length <= 16 else { return nil }
            lengths.append(UInt8(length))
            if lengths.count == gap {
                for _ in 0..<bits.take(2) { lengths.append(0) }
            }
        }
        return PrefixCode(lengths)
    }

    private mutating func readLiteralLengths(_ helper: PrefixCode) -> PrefixCode? {
        let count = bits.take(9)
        if count == 0 { return PrefixCode(only: bits.take(9)) }
        guard count <= 510 else { return nil }
        var lengths: [UInt8] = []
        while lengths.count < count {
            guard let symbol = bits.decode(helper), !bits.isPastEnd else { return nil }
            switch symbol {
            case 0: lengths.append(0)
            case 1: for _ in 0..<bits.take(4) + 3 { lengths.append(0) }
            case 2: for _ in 0..<bits.take(9) + 20 { lengths.append(0) }
            default:
                guard symbol < 19 else { return nil }
                lengths.append(UInt8(symbol - 2))
            }
        }
        return PrefixCode(lengths)
    }
}
