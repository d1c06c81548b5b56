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
    private var isSparse = false

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
        while isExtended, start + TarHeader.blockSize <= data.count {
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
            isSparse = false
        }
        // Links, devices, directories have no content.
        guard count > 0 else { return false }
        var child = Child()
        child.data = body
        child.offset = UInt64(start)
        child.extent = UInt64(count)
        child.flags = EM_OBJECT_IN_PLACE
        if isTruncated { child.flags |= EM_OBJECT_TRUNCATED }
        // What is stored of a sparse file is looked at without its holes.
        if isSparse || header.type == 0x53 { child.flags |= EM_OBJECT_UNSUPPORTED }
        let name = longName.isEmpty ? header.name : longName
        try submit(
            child, name: name.withUnsafeBufferPointer { entryName(ByteView($0), isUTF8: false, otherwise: .latin1) })
        return true
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
            if key.equals(ByteView("size")) { longSize = decimal(value) }
            if key.hasPrefix(ByteView("GNU.sparse.")) { isSparse = true }
        }
    }

    private func decimal(_ text: ByteView) -> UInt64? {
        guard !text.isEmpty, text.count < 19 else { return nil }
        var value: UInt64 = 0
        for byte in text.buffer {
            guard byte &- 0x30 < 10 else { return nil }
            value = value * 10 + UInt64(byte - 0x30)
        }
        return value
    }
}
