package import BytesE
import CModuleABI
package import ModuleKit

/// Expands shrunk data, ZIP's method 1 (APPNOTE.TXT 5.1): LZW with codes of 9 to 13 bits, of which those that nothing is
/// built upon are forgotten whenever the data says so.
///
/// - Parameter size: of the content: the data has no end mark.
package func unshrink(_ input: ByteView, size: UInt64, into output: inout Output) throws(ModuleError) -> InflateEnd {
    var decoder = Unshrinker(input)
    return try decoder.run(size: size, into: &output)
}

private struct Unshrinker {
    private static let most = 8192
    private static let control = 256
    /// Marks codes that are free.
    private static let free: UInt16 = .max

    private let input: ByteView
    private var position = 0
    private var bits: UInt32 = 0
    private var count = 0
    private var codeSize = 9
    /// What a code continues, and with which byte.
    private var parents = [UInt16](repeating: Self.free, count: Self.most)
    private var bytes = [UInt8](repeating: 0, count: Self.most)
    /// Below it no code is free.
    private var newest = Self.control

    init(_ input: ByteView) { self.input = input }

    /// The next code, the lowest bit first; nil behind the end.
    private mutating func take() -> Int? {
        while count < codeSize {
            guard position < input.count else { return nil }
            bits |= UInt32(input[position]) << UInt32(count)
            position += 1
            count += 8
        }
        let value = bits & ((1 << UInt32(codeSize)) - 1)
        bits >>= UInt32(codeSize)
        count -= codeSize
        return Int(value)
    }

    mutating func run(size: UInt64, into output: inout Output) throws(ModuleError) -> InflateEnd {
        guard size > 0 else { return .complete }
        guard var last = take() else { return .truncated }
        guard last < Self.control else { return .damaged }
        var first = UInt8(last)
        guard try output.append(first) else { return .overLimit }
        var text: [UInt8] = []
        var turns = 0
        while UInt64(output.count) < size {
            turns += 1
            if turns & 0xfff == 0 { try output.check() }
            guard let code = take() else { return .truncated }
            if code == Self.control {
                guard let order = take() else { return .truncated }
                switch order {
                case 1 where codeSize < 13: codeSize += 1
                case 2: forget()
                default: return .damaged
                }
                continue
            }
            // The bytes of the code, the last one first.
            text.removeAll(keepingCapacity: true)
            var current = code
            while current > Self.control {
                if parents[current] == Self.free {
                    // Not there yet: what came last, and its first byte again.
                    guard text.isEmpty, current == code else { return .damaged }
                    text.append(first)
                    current = last
                    // Nor is that any more: it was forgotten since.
                    guard current <= Self.control || parents[current] != Self.free else { return .damaged }
                    continue
                }
                guard text.count < Self.most else { return .damaged }
                text.append(bytes[current])
                current = Int(parents[current])
            }
            guard current < Self.control else { return .damaged }
            text.append(UInt8(current))
            first = UInt8(current)
            let left = size - UInt64(output.count)
            for byte in text.reversed().prefix(Int(min(left, UInt64(text.count)))) {
                guard try output.append(byte) else { return .overLimit }
            }
            // The new code continues the one before, even when that was forgotten.
            repeat { newest += 1 } while newest < Self.most && parents[newest] != Self.free
            if newest < Self.most {
                parents[newest] = UInt16(last)
                bytes[newest] = first
            } else {
                newest = Self.most - 1
            }
            last = code
        }
        return .complete
    }

    /// Frees the codes that no other one continues.
    private mutating func forget() {
        var isContinued = [Bool](repeating: false, count: Self.most)
        for code in (Self.control + 1)..<Self.most where parents[code] != Self.free {
            isContinued[Int(parents[code])] = true
        }
        for code in (Self.control + 1)..<Self.most where !isContinued[code] { parents[code] = Self.free }
        newest = Self.control
    }
}
