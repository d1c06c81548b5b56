import BytesE
import ModuleKit
import Unpacking

/// Expands one block of LZO1X (Documentation/staging/lzo.rst of Linux).
///
/// - Returns: whether it came to its end mark; what came out until then is there.
func expandLZO(_ packed: ByteView, into output: inout Output) throws(ModuleError) -> Bool {
    var decoder = LZODecoder(packed, start: output.count)
    return try decoder.run(into: &output)
}

private struct LZODecoder {
    private let packed: ByteView
    /// Where the block begins in the output: copies do not reach before it.
    private let start: Int
    private var position = 0
    /// Literals that were copied by the last instruction: 0…3, or 4 for a run of them.
    private var state = 0

    init(_ packed: ByteView, start: Int) {
        self.packed = packed
        self.start = start
    }

    private mutating func byte() -> Int? {
        guard position < packed.count else { return nil }
        position += 1
        return Int(packed[position - 1])
    }

    /// A count that goes on as long as bytes are 0.
    private mutating func extended(_ base: Int) -> Int? {
        var result = base
        while let next = byte() {
            if next != 0 { return result + next }
            result += 255
        }
        return nil
    }

    private mutating func literals(_ count: Int, _ output: inout Output) throws(ModuleError) -> Bool {
        let bytes = packed.dropFirst(position).prefix(count)
        position += bytes.count
        guard try output.append(bytes) else { return false }
        return bytes.count == count
    }

    mutating func run(into output: inout Output) throws(ModuleError) -> Bool {
        if let first = packed.isEmpty ? nil : Int(packed[0]), first > 17 {
            position = 1
            guard try literals(first - 17, &output) else { return false }
            state = min(4, first - 17)
        }
        var turns = 0
        while let code = byte() {
            turns += 1
            if turns & 0xfff == 0 { try output.check() }
            if code < 16 && state == 0 {
                guard let count = code == 0 ? extended(15) : code, try literals(count + 3, &output) else {
                    return false
                }
                state = 4
                continue
            }
            guard let copy = copy(code) else { return false }
            if copy.distance == 0 { return true }
            guard copy.distance <= output.count - start,
                try output.repeatBytes(from: copy.distance, count: copy.count), try literals(copy.then, &output)
            else { return false }
            state = copy.then
        }
        return false
    }

    /// A copy, and how many literals follow it. A distance of 0 is the end.
    private mutating func copy(_ code: Int) -> (count: Int, distance: Int, then: Int)? {
        if code >= 64 {
            guard let high = byte() else { return nil }
            return (code >> 5 + 1, high << 3 + (code >> 2 & 7) + 1, code & 3)
        }
        if code < 16 {
            guard let high = byte() else { return nil }
            let distance = high << 2 + code >> 2
            return state == 4 ? (3, distance + 2049, code & 3) : (2, distance + 1, code & 3)
        }
        let mask = code >= 32 ? 31 : 7
        guard let length = code & mask == 0 ? extended(mask) : code & mask, let low = byte(), let high = byte() else {
            return nil
        }
        let pair = high << 8 | low
        if code >= 32 { return (length + 2, pair >> 2 + 1, pair & 3) }
        let distance = (code & 8) << 11 + pair >> 2
        return (length + 2, distance == 0 ? 0 : distance + 16384, pair & 3)
    }
}
