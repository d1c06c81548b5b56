import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Files that NTFS keeps compressed: units of clusters, each stored as it is, packed into fewer clusters with a hole behind
/// them, or nothing but a hole, which stands for zeros.
extension NTFSUnpacker {
    /// Largest unit that is unpacked; Windows has 64 KiB.
    private static let largestUnit: UInt64 = 1 << 20

    /// Reads such a content.
    ///
    /// - Returns: false when its units are not known.
    func readCompressed(
        _ runs: [NTFSRun], _ stream: NTFSRecord.Stream, _ volume: NTFSVolume, _ child: inout Child
    ) throws(ModuleError) -> Bool {
        let unit: UInt64 = 1 << stream.unitPower
        let unitSize = unit * UInt64(volume.clusterSize)
        guard unitSize <= Self.largestUnit, stream.firstCluster % unit == 0 else { return false }
        // A unit that lies in several pieces is put together here.
        let room = try scan.allocate(Int(unitSize))
        var output = try Output(scan, in: object, expected: Int(clamping: min(stream.size, UInt64(data.count))))
        var left = stream.size
        var rest = runs[...]
        /// Clusters of the first run that were read.
        var used: UInt64 = 0
        while left > 0, !rest.isEmpty, output.stoppedBy == 0 {
            try scan.check()
            var packed = ByteView()
            var stored: UInt64 = 0
            var clusters: UInt64 = 0
            while clusters < unit, let run = rest.first {
                let count = min(run.count - used, unit - clusters)
                if let start = run.start {
                    let piece = volume.bytes(NTFSRun(start: start + used, count: count))
                    if stored == 0 {
                        packed = piece
                    } else {
                        packed = join(packed, piece, in: room)
                    }
                    stored += count
                }
                clusters += count
                used += count
                if used == run.count {
                    rest.removeFirst()
                    used = 0
                }
            }
            // What a hole would be in a stream without a size is not known.
            guard stored > 0 || stream.size != .max else { break }
            let wanted = Int(min(left, unitSize))
            let before = output.count
            if stored == clusters {
                _ = try output.append(packed.prefix(wanted))
            } else if stored > 0 {
                if try !expandLZNT1(packed, most: wanted, into: &output) { child.flags |= EM_OBJECT_MALFORMED }
            }
            if stored > 0, UInt64(packed.count) < stored * UInt64(volume.clusterSize) {
                child.flags |= EM_OBJECT_TRUNCATED
            }
            // The end of a unit that was not packed is zeros.
            _ = try output.append(0, count: max(0, wanted - (output.count - before)))
            left -= UInt64(wanted)
        }
        if stream.size != .max, left > 0, output.stoppedBy == 0 { child.flags |= EM_OBJECT_TRUNCATED }
        try close(&output, &child)
        return true
    }

    /// Puts a piece behind what stands in the room, or is put there first.
    private func join(_ before: ByteView, _ piece: ByteView, in room: UnsafeMutableRawPointer) -> ByteView {
        let start = UnsafePointer(room.assumingMemoryBound(to: UInt8.self))
        if let base = before.buffer.baseAddress, base != start {
            room.copyMemory(from: base, byteCount: before.count)
        }
        if let base = piece.buffer.baseAddress { (room + before.count).copyMemory(from: base, byteCount: piece.count) }
        return ByteView(base: start, count: before.count + piece.count)
    }

    /// Expands LZNT1: chunks of at most 4 KiB, each with its size, as it is or of literals and copies; false when it is
    /// damaged.
    ///
    /// Described in Microsoft's [MS-XCA] 2.5.
    private func expandLZNT1(_ packed: ByteView, most: Int, into output: inout Output) throws(ModuleError) -> Bool {
        let begin = output.count
        var read = 0
        while output.count - begin < most, let header = packed.load(UInt16.self, at: read), header != 0 {
            let end = read + Int(header & 0xfff) + 3
            let chunk = packed.prefix(end)
            // Each chunk begins where a whole one before it would have ended.
            let start = (output.count - begin + 4095) / 4096 * 4096
            guard start < most, try output.append(0, count: start - (output.count - begin)) else { return true }
            let size = min(4096, most - start)
            let isSound =
                try header & 0x8000 == 0
                ? output.append(chunk.dropFirst(read + 2).prefix(size))
                : expandChunk(chunk, from: read + 2, most: size, into: &output)
            guard isSound, end <= packed.count else { return output.stoppedBy != 0 }
            read = end
        }
        return true
    }

    private func expandChunk(_ chunk: ByteView, from place: Int, most: Int, into output: inout Output)
        throws(ModuleError) -> Bool
    {
        let start = output.count
        var read = place
        while read < chunk.count {
            let flags = chunk[read]
            read += 1
            for bit in 0..<8 where read < chunk.count {
                let done = output.count - start
                // What the last chunk has beyond the end is nothing of the file.
                guard done < most else { return true }
                guard flags >> UInt8(bit) & 1 != 0 else {
                    guard try output.append(chunk[read]) else { return false }
                    read += 1
                    continue
                }
                guard let token = chunk.load(UInt16.self, at: read), done > 0 else { return false }
                read += 2
                // The further in, the more bits are for the distance.
                var lengthBits = 12
                while (done - 1) >> (16 - lengthBits) > 0 { lengthBits -= 1 }
                let distance = Int(token) >> lengthBits + 1
                let length = Int(token) & (1 << lengthBits - 1) + 3
                guard distance <= done,
                    try output.repeatBytes(from: distance, count: min(length, most - done))
                else { return false }
            }
        }
        return true
    }
}
