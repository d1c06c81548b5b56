package import BytesE

/// Expands a compressed container of VBA (MS-OVBA 2.4.1), at most `limit` bytes; what could be read of a damaged one.
package func decompressedMacros(_ data: ByteView, limit: Int) -> [UInt8] {
    guard !data.isEmpty, data[0] == 1 else { return [] }
    var result: [UInt8] = []
    var index = 1
    while result.count < limit, let header = data.load(UInt16.self, at: index) {
        guard (header >> 12) & 7 == 3 else { break }
        let end = min(data.count, index + Int(header & 0x0fff) + 3)
        index += 2
        if header >> 15 == 0 {
            result.append(contentsOf: data.slice(index, end).buffer)
        } else {
            guard expand(data.slice(index, end), into: &result) else { break }
        }
        index = end
    }
    return result
}

/// Expands one chunk; false when it is damaged.
private func expand(_ chunk: ByteView, into result: inout [UInt8]) -> Bool {
    let start = result.count
    var index = 0
    while index < chunk.count {
        let flags = chunk[index]
        index += 1
        var bit: UInt8 = 1
        while bit != 0, index < chunk.count {
            if flags & bit == 0 {
                result.append(chunk[index])
                index += 1
            } else {
                guard let token = chunk.load(UInt16.self, at: index) else { return false }
                index += 2
                let done = result.count - start
                var bits = 4
                while bits < 12, 1 << bits < done { bits += 1 }
                let distance = Int(token >> UInt16(16 - bits)) + 1
                let length = Int(token & (0xffff >> UInt16(bits))) + 3
                guard distance <= done, done + length <= 4096 else { return false }
                for _ in 0..<length { result.append(result[result.count - distance]) }
            }
            bit = bit &<< 1
        }
    }
    return true
}
