import BytesE
import CModuleABI
import MIMEE
import ModuleKit
import Unpacking

/// TAR: every entry lies unpacked in the archive, so nothing is copied.
final class TarUnpacker: Unpacker {
    private var position = 0
    /// Name and size that a pax or GNU header gives to the next entry.
    private var longName: [UInt8] = []
    private var longSize: UInt64?
    /// The map of a sparse file that a pax header gives to the next entry, and whether it stands before the content.
    private var sparse: TarSparseMap?
    private var isMapInside = false

    /// Longest name or pax header that is read, in bytes.
    private static let longest = 65536

    init(_ scan: ScanContext, _ object: UnsafePointer<em_object>) {
        super.init(scan, object, format: "TAR")
    }

    override func next() throws(ModuleError) -> Bool {
        guard mayHaveChildren() else { return false }
        while position + TarHeader.blockSize <= data.count {
            try scan.check()
            guard let header = TarHeader(data.dropFirst(position)) else {
                // The end of the archive, or damage: what follows is looked at all the same, as with
                // `tar --ignore-zeros`.
                if data[position] != 0 { found(EM_OBJECT_MALFORMED) }
                try skipToHeader()
                continue
            }
            if try entry(header) { return true }
        }
        return false
    }

    /// Goes forward to the next block that is a header.
    private func skipToHeader() throws(ModuleError) {
        var blocks = 0
        repeat {
            position += TarHeader.blockSize
            blocks += 1
            if blocks % 128 == 0 { try scan.check() }
        } while position + TarHeader.blockSize <= data.count
            && !TarHeader.checksumFits(data.slice(position, position + TarHeader.blockSize))
    }

    /// Reads the entry at `position` and goes behind it; whether a child was submitted.
    private func entry(_ header: TarHeader) throws(ModuleError) -> Bool {
        var start = position + TarHeader.blockSize
        var isExtended = header.isExtended
        var map: TarSparseMap? = header.type == 0x53 ? TarSparseMap() : sparse
        if header.type == 0x53 {
            map?.size = header.realSize
            map?.add(gnu: data.slice(position, start), at: 386, pairs: 4)
        }
        while isExtended, start + TarHeader.blockSize <= data.count {
            map?.add(gnu: data.slice(start, start + TarHeader.blockSize), at: 0, pairs: 21)
            isExtended = data[start + 504] != 0
            start += TarHeader.blockSize
        }
        let isSpecial = header.type == 0x4C || header.type == 0x4B || header.type == 0x78 || header.type == 0x67
        let size = isSpecial ? header.size : longSize ?? header.size
        let available = UInt64(data.count - start)
        let isTruncated = size > available
        let count = Int(min(size, available))
        let body = data.slice(start, start + count)
        position = isTruncated ? data.count : min(data.count, start + (count + 511) & ~511)
        if isTruncated { found(EM_OBJECT_TRUNCATED) }
        switch header.type {
        case 0x4C:  // GNU: the name of the next entry
            longName = body.prefix(body.firstIndex(of: 0) ?? body.count).prefix(Self.longest).array
            return false
        case 0x4B, 0x67: return false  // long link target, global pax header
        case 0x78:
            readPax(body.prefix(Self.longest))
            return false
        default: break
        }
        defer {
            longName = []
            longSize = nil
            sparse = nil
            isMapInside = false
        }
        // Links, devices, directories have no content.
        guard count > 0 else { return false }
        var child = part(start..<(start + count))
        if isTruncated { child.flags |= EM_OBJECT_TRUNCATED }
        if var map {
            let stored = isMapInside ? map.take(from: body) : body
            try fill(stored, map, &child)
        }
        let name = longName.isEmpty ? header.name : longName
        try submit(
            child, name: name.withUnsafeBufferPointer { entryName(ByteView($0), isUTF8: false, otherwise: .latin1) })
        return true
    }

    /// Writes a sparse file with its holes. Where the pieces do not ascend, what is stored is looked at as it lies.
    private func fill(_ stored: ByteView, _ map: TarSparseMap, _ child: inout Child) throws(ModuleError) {
        guard !map.pieces.isEmpty else { return }
        var output = try Output(scan, in: object, expected: stored.count)
        var rest = stored
        for piece in map.pieces {
            try scan.check()
            let offset = Int(piece.offset)
            guard offset >= output.count else {
                child.flags |= EM_OBJECT_MALFORMED
                return
            }
            guard try output.append(0, count: offset - output.count) else { break }
            guard try output.append(rest.prefix(Int(piece.count))) else { break }
            rest = rest.dropFirst(Int(piece.count))
        }
        let end = Int(min(map.size, 1 << 48))
        if output.stoppedBy == 0, end > output.count { _ = try output.append(0, count: end - output.count) }
        guard output.stoppedBy == 0 else {
            // Holes may be larger than what is scanned: then they are left out.
            child.flags |= EM_OBJECT_OVER_LIMIT
            return scan.exceeded(output.stoppedBy, object)
        }
        child.statedSize = map.size
        child.flags &= ~EM_OBJECT_IN_PLACE
        try close(&output, &child)
    }

    /// Records "length key=value\n" (POSIX.1-2001 pax).
    private func readPax(_ bytes: ByteView) {
        var index = 0
        while index < bytes.count {
            var length = 0
            var digits = index
            while digits < bytes.count, bytes[digits] &- 0x30 < 10, length < Self.longest {
                length = length * 10 + Int(bytes[digits] - 0x30)
                digits += 1
            }
            guard digits < bytes.count, bytes[digits] == 0x20, length > digits - index + 1 else {
                found(EM_OBJECT_MALFORMED)
                return
            }
            let record = bytes.slice(digits + 1, index + length - 1)
            index += length
            guard let equals = record.firstIndex(of: 0x3D) else { continue }
            let key = record.prefix(equals)
            let value = record.dropFirst(equals + 1)
            if key.equals(ByteView("path")) || key.equals(ByteView("GNU.sparse.name")) { longName = value.array }
            if key.equals(ByteView("size")) { longSize = TarSparseMap.decimal(value) }
            if key.hasPrefix(ByteView("GNU.sparse.")) {
                var map = sparse ?? TarSparseMap()
                map.add(pax: key, value)
                sparse = map
                if key.equals(ByteView("GNU.sparse.major")) { isMapInside = value.equals(ByteView("1")) }
            }
        }
    }
}
