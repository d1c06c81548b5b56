import BytesE
import ModuleKit
import Unpacking

/// A header of an ARJ archive with what it is of.
struct ARJEntry {
    /// Without its mark and size.
    let header: ByteView
    let packed: ByteView
    /// Where the packed bytes begin.
    let start: Int

    /// - Parameter place: of the mark. The first header of an archive has nothing packed.
    init?(_ data: ByteView, at place: Int) {
        guard data.load(UInt16.self, at: place) == 0xea60, let size = data.load(UInt16.self, at: place + 2),
            (30...2600).contains(size), place + 4 + Int(size) + 6 <= data.count
        else { return nil }
        header = data.slice(place + 4, place + 4 + Int(size))
        guard Int(header[0]) >= 30, Int(header[0]) < header.count else { return nil }
        // Its checksum, then further headers, each with a checksum of its own.
        var position = place + 4 + header.count + 4
        for _ in 0..<16 {
            guard let size = data.load(UInt16.self, at: position) else { return nil }
            position += 2
            guard size > 0 else {
                start = position
                let count = header[6] == 2 ? 0 : Int(header.load(UInt32.self, at: 12) ?? 0)
                packed = data.dropFirst(position).prefix(count)
                return
            }
            position += Int(size) + 4
        }
        return nil
    }

    /// The next volume has more of it.
    var goesOn: Bool { header[4] & 4 != 0 }
    var isLaterPiece: Bool { header[4] & 8 != 0 }
    var isEncrypted: Bool { header[4] & 1 != 0 }
    var size: Int { Int(header.load(UInt32.self, at: 16) ?? 0) }
    var canBeJoined: Bool { !isEncrypted && header[5] <= 4 && header[6] < 2 }

    var name: ByteView {
        let name = header.dropFirst(Int(header[0]))
        return name.prefix(name.firstIndex(of: 0) ?? name.count)
    }

    /// The header of the file as it would be stored in one piece; its sizes and its checksum are still to be put in.
    var stored: [UInt8] {
        var result = header.prefix(30).array
        result[0] = 30
        result[4] &= ~0x0c
        result[5] = 0
        return result + name.array + [0, 0]
    }

    /// Unpacks it; false when it is damaged.
    func expand(into output: inout Output) throws(ModuleError) -> Bool {
        guard header[5] > 0 else { return try output.append(packed) }
        var decoder = BlockHuffman(packed, distances: 17, width: 5)
        return try header[5] == 4 ? decoder.fast(size, into: &output) : decoder.run(size, into: &output)
    }
}
