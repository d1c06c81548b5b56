import BytesE
import ModuleKit
import Unpacking

/// Expands what LArc packs ("-lzs-" and "-lz5-" in LHA archives): literals, and copies that name a place in a ring, which holds
/// something before anything came out.
struct LArc {
    private let packed: ByteView
    private var bits: BitReader
    private let isNew: Bool
    /// How large the ring is, and where what comes out begins in it.
    private let ringSize, first: Int

    /// - Parameter isNew: "-lz5-".
    init(_ packed: ByteView, isNew: Bool) {
        self.packed = packed
        self.isNew = isNew
        bits = BitReader(packed.buffer)
        ringSize = isNew ? 4096 : 2048
        first = isNew ? 4096 - 18 : 2048 - 17
    }

    /// Expands so many bytes; false when it ended early.
    mutating func run(_ size: Int, into output: inout Output) throws(ModuleError) -> Bool {
        try isNew ? runNew(size, &output) : runOld(size, &output)
    }

    private mutating func runOld(_ size: Int, _ output: inout Output) throws(ModuleError) -> Bool {
        var turns = 0
        while output.count < size {
            turns += 1
            if turns & 0xfff == 0 { try output.check() }
            guard !bits.isPastEnd else { return false }
            if bits.take(1) == 1 {
                guard try output.append(UInt8(bits.take(8))) else { return false }
            } else {
                let place = bits.take(11)
                guard try copy(place, bits.take(4) + 2, size, &output) else { return false }
            }
        }
        return !bits.isPastEnd
    }

    /// Eight flags, and what they are of.
    private func runNew(_ size: Int, _ output: inout Output) throws(ModuleError) -> Bool {
        var read = 0
        while output.count < size, read < packed.count {
            if read & 0xfff < 17 { try output.check() }
            let flags = packed[read]
            read += 1
            for bit in 0..<8 where output.count < size {
                guard read < packed.count else { return false }
                if flags >> UInt8(bit) & 1 != 0 {
                    guard try output.append(packed[read]) else { return false }
                    read += 1
                    continue
                }
                guard read + 1 < packed.count else { return false }
                let place = Int(packed[read]) | Int(packed[read + 1] & 0xf0) << 4
                guard try copy(place, Int(packed[read + 1] & 15) + 3, size, &output) else { return false }
                read += 2
            }
        }
        return output.count >= size
    }

    private func copy(_ place: Int, _ count: Int, _ size: Int, _ output: inout Output) throws(ModuleError) -> Bool {
        for index in 0..<min(count, size - output.count) {
            let place = (place + index) & (ringSize - 1)
            let back = (first + output.count - place - 1) & (ringSize - 1) + 1
            let byte = back <= output.count ? output.bytes[output.count - back] : before(place)
            guard try output.append(byte) else { return false }
        }
        return true
    }

    /// What stands in the ring at the beginning.
    private func before(_ place: Int) -> UInt8 {
        guard isNew else { return 0x20 }
        switch place {
        case 0..<3328: return UInt8(place / 13)
        case 3328..<3584: return UInt8(place - 3328)
        case 3584..<3840: return UInt8(3839 - place)
        case 3840..<3968: return 0
        default: return 0x20
        }
    }
}
