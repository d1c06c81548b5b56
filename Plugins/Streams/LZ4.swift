package import BytesE
package import ModuleKit
package import Unpacking

/// Expands one block of LZ4 (lz4_Block_format.md), which has neither a header nor an end mark.
///
/// - Parameter history: where in the output begins what the block may look back to; nil: with the block.
/// - Returns: whether it was whole; what came out until the damage is there.
package func expandLZ4(
    _ packed: ByteView, history: Int? = nil, into output: inout Output
) throws(ModuleError) -> Bool {
    let start = history ?? output.count
    var position = 0
    /// A count of 15 goes on as long as bytes are 255.
    func extended(_ base: Int) -> Int? {
        guard base == 15 else { return base }
        var result = base
        while position < packed.count {
            let byte = Int(packed[position])
            position += 1
            result += byte
            if byte != 255 { return result }
        }
        return nil
    }
    while position < packed.count {
        try output.check()
        let token = Int(packed[position])
        position += 1
        guard let count = extended(token >> 4) else { return false }
        let literals = packed.dropFirst(position).prefix(count)
        position += literals.count
        guard literals.count == count, try output.append(literals) else { return false }
        if position == packed.count { return true }
        guard let distance = packed.load(UInt16.self, at: position), distance > 0 else { return false }
        position += 2
        guard let length = extended(token & 15), Int(distance) <= output.count - start,
            try output.repeatBytes(from: Int(distance), count: length + 4)
        else { return false }
    }
    return true
}
