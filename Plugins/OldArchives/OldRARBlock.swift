import BytesE
import Passwords
import Unpacking

/// A block of a RAR archive of version 3 or 4: its header, and where its data lies.
struct OldRARBlock {
    /// 0x73 the archive, 0x74 a file, 0x7A a service record, 0x7B the end.
    let kind: UInt8
    let flags: UInt16
    let size: Int
    let dataStart: Int
    let end: Int
    private(set) var file: OldRARFile?

    static let signature = ByteView("Rar!\u{1a}\u{7}\0")
    static let archive: UInt8 = 0x73
    static let file: UInt8 = 0x74
    static let last: UInt8 = 0x7b

    static func isArchive(_ data: ByteView) -> Bool { data.hasPrefix(signature) }

    /// What the archive's header says: headers are encrypted; files depend on those before them; one of several volumes.
    var hasHiddenHeaders: Bool { kind == Self.archive && flags & 0x80 != 0 }
    var isSolid: Bool { kind == Self.archive && flags & 0x08 != 0 }
    var isVolume: Bool { kind == Self.archive && flags & 0x01 != 0 }

    /// - Parameters:
    ///   - data: the archive, or a header that was decrypted.
    ///   - dataAt: where the data begins when the header was decrypted; nil: behind the header.
    init?(_ data: ByteView, at position: Int, dataAt: Int? = nil) {
        guard let checksum = data.load(UInt16.self, at: position), position + 7 <= data.count,
            let flags = data.load(UInt16.self, at: position + 3), let size = data.load(UInt16.self, at: position + 5),
            size >= 7, position + Int(size) <= data.count
        else { return nil }
        let header = data.slice(position, position + Int(size))
        kind = header[2]
        self.flags = flags
        self.size = Int(size)
        guard (0x72...0x7b).contains(kind) else { return nil }
        isSound = UInt16(truncatingIfNeeded: Passwords.checksum(header.dropFirst(2))) == checksum
        var more: UInt64 = 0
        if flags & 0x8000 != 0 || kind == Self.file {
            guard let low = header.load(UInt32.self, at: 7) else { return nil }
            more = UInt64(low)
        }
        if kind == Self.file {
            guard let file = OldRARFile(header, flags) else { return nil }
            self.file = file
            more = file.packedSize
        }
        dataStart = dataAt ?? position + Int(size)
        end = dataStart + Int(more)
    }

    /// Whether the header's checksum fits; comments in headers are not covered by it.
    let isSound: Bool
}

/// What a header says about a file.
struct OldRARFile {
    /// The whole header.
    private let header: [UInt8]
    let packedSize: UInt64
    let size: UInt64
    let crc32: UInt32
    let method: UInt8
    let version: UInt8
    /// nil: not encrypted.
    private(set) var cipher: OldRARCipher?
    private let saltAt: Int
    private let isLarge: Bool
    private let flags: UInt16
    let name: [UInt8]

    var isStored: Bool { method == 0x30 }
    var isEncrypted: Bool { flags & 0x04 != 0 }
    var continuesOther: Bool { flags & 0x01 != 0 }
    var goesOn: Bool { flags & 0x02 != 0 }

    init?(_ header: ByteView, _ flags: UInt16) {
        guard header.count >= 32, let packed = header.load(UInt32.self, at: 7),
            let size = header.load(UInt32.self, at: 11), let crc32 = header.load(UInt32.self, at: 16),
            let nameSize = header.load(UInt16.self, at: 26)
        else { return nil }
        self.flags = flags
        isLarge = flags & 0x100 != 0
        var high: (packed: UInt64, size: UInt64) = (0, 0)
        if isLarge {
            guard let more = header.load(UInt32.self, at: 32), let most = header.load(UInt32.self, at: 36),
                more < 1 << 14, most < 1 << 14
            else { return nil }
            high = (UInt64(more) << 32, UInt64(most) << 32)
        }
        packedSize = high.packed | UInt64(packed)
        self.size = high.size | UInt64(size)
        self.crc32 = crc32
        version = header[24]
        method = header[25]
        let nameAt = isLarge ? 40 : 32
        saltAt = nameAt + Int(nameSize)
        guard saltAt <= header.count else { return nil }
        name = header.slice(nameAt, saltAt).array
        self.header = header.array
        // Other ciphers before version 2.9.
        if flags & 0x04 != 0, version >= 29 {
            cipher = OldRARCipher(salt: flags & 0x400 != 0 ? header.slice(saltAt, saltAt + 8) : ByteView())
        }
    }

    /// The header as it would be without encryption and in one volume.
    ///
    /// - Parameters:
    ///   - size: of the data that follows.
    ///   - last: the same file's header in the last volume, which has the checksum of the whole.
    func rewritten(packedSize size: UInt64, last: OldRARFile? = nil, keepsEncryption: Bool = false) -> [UInt8] {
        var bytes = header
        let crc = last?.crc32 ?? crc32
        var newFlags = flags & ~0x03 | 0x8000
        if !keepsEncryption, flags & 0x04 != 0 {
            newFlags &= ~0x404
            if flags & 0x400 != 0, saltAt + 8 <= bytes.count { bytes.removeSubrange(saltAt..<(saltAt + 8)) }
        }
        func put(_ value: UInt64, _ count: Int, at place: Int) {
            for index in 0..<count { bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
        }
        put(UInt64(newFlags), 2, at: 3)
        put(UInt64(bytes.count), 2, at: 5)
        put(size & 0xffff_ffff, 4, at: 7)
        put(UInt64(crc), 4, at: 16)
        if isLarge { put(size >> 32, 4, at: 32) }
        let sum = bytes.withUnsafeBufferPointer { checksum(ByteView($0).dropFirst(2)) }
        put(UInt64(sum & 0xffff), 2, at: 0)
        return bytes
    }
}
