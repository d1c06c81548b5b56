package import BytesE
package import ModuleKit
import Passwords
package import Unpacking

/// Writes one archive out of the volumes of a RAR archive: files that go on in the next volume are put together.
///
/// - Parameters:
///   - volumes: in their order; the first may be a program.
///   - output: where to; a limit that it meets ends the archive.
/// - Returns: false when they are no volumes of one archive, or their headers are encrypted.
/// - Throws: what the host answers when the scan must end.
package func joinRAR(_ volumes: [ByteView], _ scan: ScanContext, into output: inout Output) throws(ModuleError) -> Bool
{
    guard var first = volumes.first else { return false }
    if !OldRARBlock.isArchive(first), !RARBlock.isArchive(first) {
        // Behind the program that unpacks it.
        guard let start = first.prefix(1 << 20).firstIndex(of: ByteView("Rar!\u{1a}\u{7}")) else { return false }
        first = first.dropFirst(start)
    }
    let all = [first] + volumes.dropFirst()
    if OldRARBlock.isArchive(first) { return try joinOld(all, scan, into: &output) }
    return try joinNew(all, scan, into: &output)
}

/// Whether an archive says of itself that it is one of several volumes, and is not whole without them.
package func isRARVolume(_ data: ByteView) -> Bool {
    if OldRARBlock.isArchive(data) {
        return OldRARBlock(data, at: OldRARBlock.signature.count)?.isVolume ?? false
    }
    guard RARBlock.isArchive(data), let block = RARBlock(data, at: RARBlock.signature.count) else { return false }
    return block.kind == 1 && block.isVolume
}

/// Whether a RAR archive begins here: a first header whose checksum fits.
package func isRARArchive(_ data: ByteView) -> Bool {
    if OldRARBlock.isArchive(data) {
        guard let block = OldRARBlock(data, at: OldRARBlock.signature.count) else { return false }
        return block.kind == OldRARBlock.archive && block.isSound
    }
    guard RARBlock.isArchive(data), let block = RARBlock(data, at: RARBlock.signature.count) else { return false }
    let start = RARBlock.signature.count
    // The checksum covers the header from its size on, as far as its data.
    return (block.kind == 1 || block.kind == 4)
        && data.load(UInt32.self, at: start) == checksum(data.slice(start + 4, block.dataStart))
}

/// Most blocks of all volumes.
private let mostBlocks = 100_000

private func joinOld(_ volumes: [ByteView], _ scan: ScanContext, into output: inout Output) throws(ModuleError) -> Bool
{
    var pending: (file: OldRARFile, pieces: [ByteView])?
    var isAny = false
    var blocks = 0

    func finish(_ last: OldRARFile?) throws(ModuleError) -> Bool {
        guard let file = pending else { return true }
        pending = nil
        isAny = true
        let size = file.pieces.reduce(0) { $0 + $1.count }
        let header = file.file.rewritten(packedSize: UInt64(size), last: last, keepsEncryption: true)
        guard try append(header, &output) else { return false }
        for piece in file.pieces { guard try output.append(piece) else { return false } }
        return true
    }

    guard try output.append(OldRARBlock.signature) else { return false }
    for (number, volume) in volumes.enumerated() {
        guard OldRARBlock.isArchive(volume), let head = OldRARBlock(volume, at: OldRARBlock.signature.count),
            head.kind == OldRARBlock.archive, !head.hasHiddenHeaders
        else { return false }
        if number == 0, try !append(oldArchiveHeader(isSolid: head.isSolid), &output) { return false }
        var position = head.end
        while position < volume.count, blocks < mostBlocks, let block = OldRARBlock(volume, at: position) {
            try scan.check()
            blocks += 1
            position = block.end
            if block.kind == OldRARBlock.last { break }
            guard let file = block.file else { continue }
            let piece = volume.slice(block.dataStart, block.end)
            if file.continuesOther, pending?.file.name == file.name {
                pending?.pieces.append(piece)
            } else {
                guard try finish(nil) else { return isAny }
                pending = (file, [piece])
            }
            if !file.goesOn, try !finish(file) { return isAny }
        }
    }
    _ = try finish(nil)
    return isAny
}

private func joinNew(_ volumes: [ByteView], _ scan: ScanContext, into output: inout Output) throws(ModuleError) -> Bool
{
    var pending: (file: RARFile, pieces: [ByteView])?
    var isAny = false
    var blocks = 0

    func finish() throws(ModuleError) -> Bool {
        guard let file = pending else { return true }
        pending = nil
        isAny = true
        let size = file.pieces.reduce(0) { $0 + $1.count }
        guard try append(file.file.rewritten(packedSize: UInt64(size), keepsEncryption: true), &output) else {
            return false
        }
        for piece in file.pieces { guard try output.append(piece) else { return false } }
        return true
    }

    guard try output.append(RARBlock.signature) else { return false }
    for (number, volume) in volumes.enumerated() {
        guard RARBlock.isArchive(volume), let head = RARBlock(volume, at: RARBlock.signature.count), head.kind == 1
        else { return false }
        if number == 0, try !append(RARWriter.block([1, 0, head.isSolid ? 4 : 0]), &output) { return false }
        var position = head.end
        while position < volume.count, blocks < mostBlocks, let block = RARBlock(volume, at: position) {
            try scan.check()
            blocks += 1
            position = block.end
            if block.kind == 5 { break }
            guard block.kind == 2, let file = block.file else { continue }
            let piece = volume.slice(block.dataStart, block.end)
            if block.continuesOther, pending?.file.name == file.name {
                pending?.pieces.append(piece)
            } else {
                guard try finish() else { return isAny }
                pending = (file, [piece])
            }
            if !block.goesOn, try !finish() { return isAny }
        }
    }
    _ = try finish()
    _ = try append(RARWriter.block([5, 0, 0]), &output)
    return isAny
}

/// The header of an archive of version 3 in one volume.
func oldArchiveHeader(isSolid: Bool) -> [UInt8] {
    var bytes: [UInt8] = [OldRARBlock.archive, isSolid ? 0x08 : 0, 0, 13, 0, 0, 0, 0, 0, 0, 0]
    let sum = bytes.withUnsafeBufferPointer { checksum(ByteView($0)) }
    bytes.insert(contentsOf: [UInt8(truncatingIfNeeded: sum), UInt8(truncatingIfNeeded: sum >> 8)], at: 0)
    return bytes
}

private func append(_ bytes: [UInt8], _ output: inout Output) throws(ModuleError) -> Bool {
    try bytes.span.withUnsafeBufferPointer { buffer throws(ModuleError) in try output.append(ByteView(buffer)) }
}
