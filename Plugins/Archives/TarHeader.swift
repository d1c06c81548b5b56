import BytesE

/// A header block of a tar archive (POSIX.1-1988 ustar, GNU, old v7).
struct TarHeader {
    static let blockSize = 512

    let size: UInt64
    /// Type flag; 0 in old archives.
    let type: UInt8
    let name: [UInt8]
    /// GNU sparse: more header blocks follow.
    let isExtended: Bool
    /// GNU sparse: of the file with its holes.
    let realSize: UInt64

    /// nil when the block's checksum does not fit.
    init?(_ block: ByteView) {
        guard block.count >= Self.blockSize, Self.checksumFits(block), let size = Self.number(block.slice(124, 136))
        else {
            return nil
        }
        self.size = size
        type = block[156]
        var name: [UInt8] = []
        let isUstar = block.slice(257, 262).equals(ByteView("ustar"))
        // In GNU's format other fields lie where the prefix is.
        if isUstar, block[262] == 0, block[345] != 0 {
            name = Self.text(block.slice(345, 500)).array
            name.append(0x2F)
        }
        name.append(contentsOf: Self.text(block.slice(0, 100)).array)
        self.name = name
        isExtended = type == 0x53 && block[482] != 0
        realSize = type == 0x53 ? Self.number(block.slice(483, 495)) ?? 0 : 0
    }

    /// Up to the first NUL.
    private static func text(_ field: ByteView) -> ByteView {
        field.prefix(field.firstIndex(of: 0) ?? field.count)
    }

    /// Octal digits, or big-endian binary when the first bit is set (GNU, star). nil when it is neither.
    static func number(_ field: ByteView) -> UInt64? {
        guard !field.isEmpty else { return nil }
        if field[0] & 0x80 != 0 {
            var value = UInt64(field[0] & 0x7F)
            for index in 1..<field.count {
                guard value < 1 << 55 else { return nil }
                value = value << 8 | UInt64(field[index])
            }
            return value
        }
        var value: UInt64 = 0
        for byte in field.buffer {
            if byte == 0x20 || byte == 0 { continue }
            guard byte &- 0x30 < 8 else { return nil }
            value = value << 3 | UInt64(byte - 0x30)
        }
        return value
    }

    /// The checksum counts its own field as spaces; old programs summed signed bytes.
    static func checksumFits(_ block: ByteView) -> Bool {
        guard block.count >= blockSize, let wanted = number(block.slice(148, 156)) else { return false }
        var unsigned = 0
        var signed = 0
        for index in 0..<blockSize {
            let byte = index >= 148 && index < 156 ? 0x20 : block[index]
            unsigned += Int(byte)
            signed += Int(Int8(bitPattern: byte))
        }
        // A block of NULs is no header.
        return (unsigned != 256 && UInt64(unsigned) == wanted) || (signed > 256 && UInt64(signed) == wanted)
    }
}
