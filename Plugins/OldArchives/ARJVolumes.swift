package import BytesE
package import ModuleKit
import Passwords
package import Unpacking

/// Writes one archive out of the volumes of an ARJ archive. Each volume has packed its piece of a file by itself: such files are
/// stored here, the others stay as they are.
///
/// - Parameters:
///   - volumes: in their order.
///   - output: where to; a limit that it meets ends the archive.
/// - Returns: false when no file goes on from one of them to the next.
/// - Throws: what the host answers when the scan must end.
package func joinARJ(_ volumes: [ByteView], _ scan: ScanContext, into output: inout Output) throws(ModuleError) -> Bool
{
    guard let first = volumes.first, let main = ARJEntry(first, at: 0) else { return false }
    /// Where the header of a stored file is, and how it is put right when its size is known.
    var headers: [(place: Int, header: [UInt8], size: Int)] = []
    var name: [UInt8] = []
    var isAny = false
    var isGoingOn = false
    guard try output.append(first.prefix(main.start)) else { return false }
    for volume in volumes {
        guard var place = ARJEntry(volume, at: 0)?.start else { break }
        while let entry = ARJEntry(volume, at: place) {
            try scan.check()
            defer { place = entry.start + entry.packed.count }
            let continues = isGoingOn && entry.isLaterPiece && entry.name.array == name
            isGoingOn = entry.goesOn && entry.canBeJoined
            if continues, entry.canBeJoined, var last = headers.popLast() {
                let before = output.count
                _ = try entry.expand(into: &output)
                last.size += output.count - before
                headers.append(last)
                isAny = true
            } else if entry.goesOn, entry.canBeJoined, headers.count < mostJoined {
                let header = entry.stored
                name = entry.name.array
                let place = output.count
                // Mark, size; behind the header its checksum, and that no more follow.
                guard try output.append([0x60, 0xea] + number(header.count, 2)), try output.append(header),
                    try output.append(0, count: 6)
                else { return false }
                let before = output.count
                _ = try entry.expand(into: &output)
                headers.append((place, header, output.count - before))
            } else {
                guard try output.append(volume.slice(place, entry.start + entry.packed.count)) else { break }
            }
            if output.stoppedBy != 0 { break }
        }
    }
    _ = try output.append([0x60, 0xea, 0, 0])
    guard isAny else { return false }
    for (place, header, size) in headers {
        var header = header
        let start = place + 4 + header.count + 6
        let content = checksum(output.bytes.slice(start, start + size))
        for (at, value) in [(12, size), (16, size), (20, Int(content))] {
            header.replaceSubrange(at..<at + 4, with: number(value, 4))
        }
        let sum = header.withUnsafeBufferPointer { checksum(ByteView($0)) }
        output.replace(at: place + 4, with: header + number(Int(sum), 4))
    }
    return true
}

/// Whether an archive says of itself that it is one of several volumes, and is not whole without them.
package func isARJVolume(_ data: ByteView) -> Bool {
    guard let main = ARJEntry(data, at: 0) else { return false }
    return main.goesOn || ARJEntry(data, at: main.start)?.isLaterPiece == true
}

/// Most files that go on in another volume.
private let mostJoined = 4096

private func number(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}
