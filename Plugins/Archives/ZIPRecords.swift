import BytesE

/// One entry of a ZIP archive as one of its two headers describes it (APPNOTE.TXT 6.3, 4.3.7 and 4.3.12).
struct ZIPEntry {
    /// Where its local header is, or should be.
    var headerOffset: Int
    var flags: UInt16
    var method: UInt16
    var packedSize: UInt64
    var size: UInt64
    var crc32: UInt32
    var name: ByteView
    /// From the Info-ZIP Unicode path extra field; empty if there is none.
    var unicodeName = ByteView()
    /// First byte behind this header.
    var end: Int
    /// Time of day of the last change, as DOS has it.
    private var time: UInt16
    /// The extra field of encryption by AES: its strength, 0 when there is none, and the compression of the content.
    private(set) var aesStrength: UInt8 = 0
    private var aesMethod: UInt16 = 0

    static let localSignature: UInt32 = 0x0403_4B50
    static let centralSignature: UInt32 = 0x0201_4B50

    var isEncrypted: Bool { flags & 1 != 0 || method == 99 }
    /// The sizes stand behind the data.
    var hasDescriptor: Bool { flags & 8 != 0 }
    /// The method of the content that encryption hides.
    var plainMethod: UInt16 { method == 99 ? aesMethod : method }
    /// What the last byte before encrypted data is (6.1.6).
    var passwordCheck: UInt8 { hasDescriptor ? UInt8(time >> 8) : UInt8(crc32 >> 24) }
    var isNameUTF8: Bool { flags & 0x800 != 0 }

    /// The local header at an offset; nil when there is none.
    init?(localIn data: ByteView, at offset: Int) {
        guard data.load(UInt32.self, at: offset) == Self.localSignature,
            let flags = data.load(UInt16.self, at: offset + 6), let method = data.load(UInt16.self, at: offset + 8),
            let time = data.load(UInt16.self, at: offset + 10), let crc32 = data.load(UInt32.self, at: offset + 14),
            let packed = data.load(UInt32.self, at: offset + 18), let size = data.load(UInt32.self, at: offset + 22),
            let nameLength = data.load(UInt16.self, at: offset + 26),
            let extraLength = data.load(UInt16.self, at: offset + 28)
        else { return nil }
        headerOffset = offset
        self.flags = flags
        self.method = method
        self.time = time
        packedSize = UInt64(packed)
        self.size = UInt64(size)
        self.crc32 = crc32
        let nameEnd = offset + 30 + Int(nameLength)
        name = data.slice(offset + 30, nameEnd)
        end = min(data.count, nameEnd + Int(extraLength))
        readExtra(data.slice(nameEnd, end), hasOffset: false)
    }

    /// The central header at an offset; nil when there is none. `headerOffset` is as it stands there.
    init?(centralIn data: ByteView, at offset: Int) {
        guard data.load(UInt32.self, at: offset) == Self.centralSignature,
            let flags = data.load(UInt16.self, at: offset + 8), let method = data.load(UInt16.self, at: offset + 10),
            let time = data.load(UInt16.self, at: offset + 12), let crc32 = data.load(UInt32.self, at: offset + 16),
            let packed = data.load(UInt32.self, at: offset + 20), let size = data.load(UInt32.self, at: offset + 24),
            let nameLength = data.load(UInt16.self, at: offset + 28),
            let extraLength = data.load(UInt16.self, at: offset + 30),
            let commentLength = data.load(UInt16.self, at: offset + 32),
            let local = data.load(UInt32.self, at: offset + 42)
        else { return nil }
        headerOffset = Int(local)
        self.flags = flags
        self.method = method
        self.time = time
        packedSize = UInt64(packed)
        self.size = UInt64(size)
        self.crc32 = crc32
        let nameEnd = offset + 46 + Int(nameLength)
        name = data.slice(offset + 46, nameEnd)
        let extraEnd = nameEnd + Int(extraLength)
        end = min(data.count, extraEnd + Int(commentLength))
        readExtra(data.slice(nameEnd, extraEnd), hasOffset: true)
    }

    /// Zip64 sizes (4.5.3), the Unicode path (4.6.9), AES as WinZip has it.
    private mutating func readExtra(_ extra: ByteView, hasOffset: Bool) {
        var index = 0
        while let id = extra.load(UInt16.self, at: index), let length = extra.load(UInt16.self, at: index + 2) {
            let field = extra.slice(index + 4, index + 4 + Int(length))
            index += 4 + Int(length)
            if id == 0x0001 {
                var at = 0
                func take() -> UInt64? {
                    defer { at += 8 }
                    return field.load(UInt64.self, at: at)
                }
                if size == 0xFFFF_FFFF, let value = take() { size = value }
                if packedSize == 0xFFFF_FFFF, let value = take() { packedSize = value }
                if hasOffset, headerOffset == 0xFFFF_FFFF, let value = take() { headerOffset = Int(clamping: value) }
            } else if id == 0x7075, field.count > 5, field[0] == 1 {
                unicodeName = field.dropFirst(5)
            } else if id == 0x9901, field.count >= 7 {
                aesStrength = field[4]
                aesMethod = field.load(UInt16.self, at: 5) ?? 0
            }
        }
    }
}

/// Where the central directory is.
struct ZIPDirectory {
    /// First header.
    let start: Int
    /// What is added to offsets: bytes that stand before the archive.
    let shift: Int

    /// Finds the end record: the last one in the file, as unpackers do. nil when there is none with a directory.
    init?(_ data: ByteView) {
        // 22 bytes and a comment of up to 65,535; some unpackers accept junk behind it.
        let lowest = max(0, data.count - 65536 - 1024)
        // The rarest bytes of "PK\u{5}\u{6}" in most data are the last two.
        var end = data.count - 22 + 3
        while end > lowest + 2, let last = data.lastIndex(of: 0x05, then: 0x06, distance: 1, in: lowest + 2..<end) {
            if data.load(UInt32.self, at: last - 2) == 0x0605_4B50, let found = Self.directory(data, last - 2) {
                start = found.start
                shift = found.shift
                return
            }
            end = last
        }
        return nil
    }

    /// The directory that the end record at an offset names.
    private static func directory(_ data: ByteView, _ record: Int) -> (start: Int, shift: Int)? {
        guard var size = data.load(UInt32.self, at: record + 12).map(UInt64.init),
            var offset = data.load(UInt32.self, at: record + 16).map(UInt64.init)
        else { return nil }
        var end = record
        // Zip64 (4.3.14, 4.3.15): a locator before the record.
        if data.load(UInt32.self, at: record - 20) == 0x0706_4B50,
            let at = data.load(UInt64.self, at: record - 12).flatMap({ Int(exactly: $0) })
        {
            // Where it says, or right before the locator when something precedes the archive.
            for place in [at, record - 20 - 56] where data.load(UInt32.self, at: place) == 0x0606_4B50 {
                guard let wideSize = data.load(UInt64.self, at: place + 40),
                    let wideOffset = data.load(UInt64.self, at: place + 48)
                else { continue }
                size = wideSize
                offset = wideOffset
                end = place
                break
            }
        }
        // By its size it lies before the end record; by its offset, at the offset.
        if let length = Int(exactly: size), length <= end, let claimed = Int(exactly: offset),
            ZIPEntry(centralIn: data, at: end - length) != nil
        {
            return (end - length, max(0, end - length - claimed))
        }
        if let claimed = Int(exactly: offset), ZIPEntry(centralIn: data, at: claimed) != nil { return (claimed, 0) }
        return nil
    }
}
