package import BytesE

/// A Mach-O file for one architecture, of either width and byte order (Mach-O file format reference).
package struct MachOFile: Sendable {
    package let bytes: ByteView
    /// 64-bit.
    package let isWide: Bool
    package let isBigEndian: Bool

    package let cpuType: UInt32
    package let cpuSubtype: UInt32
    package let fileType: UInt32
    package let commandCount: UInt32
    package let commandSize: UInt32
    package let flags: UInt32

    /// Load commands that are looked at; real files have some dozens.
    package static let commandLimit = 1024

    /// nil when the bytes do not begin with a Mach-O header.
    package init?(_ bytes: ByteView) {
        guard let magic = bytes.loadBigEndian(UInt32.self, at: 0), bytes.count >= 28 else { return nil }
        switch magic {
        case 0xfeed_face: (isWide, isBigEndian) = (false, true)
        case 0xfeed_facf: (isWide, isBigEndian) = (true, true)
        case 0xcefa_edfe: (isWide, isBigEndian) = (false, false)
        case 0xcffa_edfe: (isWide, isBigEndian) = (true, false)
        default: return nil
        }
        self.bytes = bytes
        let fields = OrderedFields(bytes: bytes, isBigEndian: isBigEndian)
        cpuType = fields.long(at: 4)
        cpuSubtype = fields.long(at: 8)
        fileType = fields.long(at: 12)
        commandCount = fields.long(at: 16)
        commandSize = fields.long(at: 20)
        flags = fields.long(at: 24)
    }

    var fields: OrderedFields { OrderedFields(bytes: bytes, isBigEndian: isBigEndian) }
    var headerSize: Int { isWide ? 32 : 28 }

    /// Load commands: their type, and their place and size in the file.
    package var commands: [(type: UInt32, extent: Range<Int>)] {
        var commands: [(type: UInt32, extent: Range<Int>)] = []
        var at = headerSize
        for _ in 0..<min(Int(commandCount), MachOFile.commandLimit) {
            guard at <= bytes.count - 8 else { break }
            let size = Int(fields.long(at: at + 4))
            guard size >= 8, size <= bytes.count - at else { break }
            commands.append((fields.long(at: at), at..<at + size))
            at += size
        }
        return commands
    }
}

/// A Mach-O file for several architectures: a big-endian table of Mach-O files.
package struct UniversalFile: Sendable {
    /// A slice for one architecture.
    package struct Slice: Sendable {
        package let cpuType: UInt32
        package let cpuSubtype: UInt32
        /// Place in the file, ended at its end.
        package let extent: Range<Int>
    }

    package let slices: [Slice]
    /// A slice lies outside the file, or there are more than can be.
    package let isDamaged: Bool

    private static let sliceLimit = 32

    /// nil when the bytes do not begin with the header of a universal file.
    package init?(_ bytes: ByteView) {
        guard case .universal? = ExecutableFormat(bytes), let magic = bytes.loadBigEndian(UInt32.self, at: 0),
            let count = bytes.loadBigEndian(UInt32.self, at: 4)
        else { return nil }
        let fields = OrderedFields(bytes: bytes, isBigEndian: true)
        let wide = magic == 0xcafe_babf
        let size = wide ? 32 : 20
        var slices: [Slice] = []
        var isDamaged = Int(count) > UniversalFile.sliceLimit
        for number in 0..<min(Int(count), UniversalFile.sliceLimit) {
            let at = 8 + number * size
            guard at <= bytes.count - size else {
                isDamaged = true
                break
            }
            let offset = fields.word(at: at + 8, wide: wide)
            let length = fields.word(at: at + (wide ? 16 : 12), wide: wide)
            // A slice that held the table would hold itself.
            guard offset >= UInt64(at + size), offset < UInt64(bytes.count) else {
                isDamaged = true
                continue
            }
            let room = UInt64(bytes.count) - offset
            if length > room { isDamaged = true }
            slices.append(
                Slice(
                    cpuType: fields.long(at: at), cpuSubtype: fields.long(at: at + 4),
                    extent: Int(offset)..<Int(offset + min(length, room))))
        }
        self.slices = slices
        self.isDamaged = isDamaged
    }
}
