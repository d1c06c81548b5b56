import BytesE
import ModuleKit
import Unpacking

/// Puts x86 code together that was divided by BCJ2 of 7z: the code, the targets of its calls and of its jumps, and what tells
/// which of them were taken out.
struct BranchMerger {
    private let code, calls, jumps: ByteView
    private var choices: RangeDecoder
    /// For each byte before a call, for jumps, and for jumps with a condition.
    private var odds = [UInt32](repeating: 1024, count: 258)

    init(code: ByteView, calls: ByteView, jumps: ByteView, choices: ByteView) {
        self.code = code
        self.calls = calls
        self.jumps = jumps
        self.choices = RangeDecoder(choices)
    }

    /// Writes so many bytes; false when a stream ends early or a limit is met.
    mutating func run(_ size: UInt64, into output: inout Output) throws(ModuleError) -> Bool {
        var place = 0
        var call = 0
        var jump = 0
        var before: UInt8 = 0
        while UInt64(output.count) < size {
            try output.check()
            // Up to the next branch, 64 KiB at most.
            let start = place
            var isBranch = false
            let end = min(code.count, start + Int(min(size - UInt64(output.count), 65_536)))
            while place < end, !isBranch {
                let byte = code[place]
                place += 1
                isBranch = byte & 0xfe == 0xe8 || before == 0x0f && byte & 0xf0 == 0x80
                if !isBranch { before = byte }
            }
            guard place > start, try output.append(code.slice(start, place)) else { return false }
            guard isBranch else { continue }
            let byte = code[place - 1]
            let isMoved = choices.bit(&odds[byte == 0xe8 ? Int(before) : byte == 0xe9 ? 256 : 257])
            before = byte
            guard isMoved else { continue }
            let target: UInt32?
            if byte == 0xe8 {
                target = calls.loadBigEndian(UInt32.self, at: call)
                call += 4
            } else {
                target = jumps.loadBigEndian(UInt32.self, at: jump)
                jump += 4
            }
            guard let target else { return false }
            let distance = target &- UInt32(truncatingIfNeeded: output.count + 4)
            for shift: UInt32 in [0, 8, 16, 24] where UInt64(output.count) < size {
                guard try output.append(UInt8(truncatingIfNeeded: distance >> shift)) else { return false }
            }
            before = UInt8(distance >> 24)
        }
        return true
    }
}

/// The range coder of LZMA, for single bits.
private struct RangeDecoder {
    private let data: ByteView
    private var position = 5
    private var range = UInt32.max
    private var code: UInt32

    init(_ data: ByteView) {
        self.data = data
        code = data.loadBigEndian(UInt32.self, at: 1) ?? 0
    }

    /// - Parameter odds: that it is 0, of 2,048; they move with each bit.
    mutating func bit(_ odds: inout UInt32) -> Bool {
        let bound = (range >> 11) &* odds
        let isOne = code >= bound
        if isOne {
            range &-= bound
            code &-= bound
            odds -= odds >> 5
        } else {
            range = bound
            odds += (2048 - odds) >> 5
        }
        if range < 1 << 24 {
            range <<= 8
            code = code << 8 | UInt32(position < data.count ? data[position] : 0)
            position += 1
        }
        return isOne
    }
}
