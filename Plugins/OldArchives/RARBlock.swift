import BytesE
import Passwords

/// A block of a RAR archive of version 5: its header, and where its data lies.
struct RARBlock {
    let kind: UInt64
    let dataStart: Int
    let end: Int
    /// Of a block that says that all others are encrypted.
    private(set) var cipher: RARCipher?
    private(set) var file: RARFile?
    /// The file begins in another volume, or ends in one.
    let continuesOther, goesOn: Bool
    /// Files depend on those before them.
    private(set) var isSolid = false
    /// Of the archive's own block: there are other volumes.
    private(set) var isVolume = false

    static let signature = ByteView("Rar!\u{1a}\u{7}\u{1}\0")

    static func isArchive(_ data: ByteView) -> Bool { data.hasPrefix(signature) }

    /// - Parameter dataAt: where the data begins when the header was decrypted; nil: behind the header.
    init?(_ data: ByteView, at position: Int, dataAt: Int? = nil) {
        var reader = RARReader(data, position + 4)
        guard let size = reader.number(), size > 0, size < 2 << 20 else { return nil }
        let headerEnd = reader.position + Int(size)
        guard headerEnd <= data.count, let kind = reader.number(), let flags = reader.number() else { return nil }
        self.kind = kind
        continuesOther = flags & 8 != 0
        goesOn = flags & 16 != 0
        var extraSize: UInt64 = 0
        var dataSize: UInt64 = 0
        if flags & 1 != 0 {
            guard let number = reader.number(), number <= size else { return nil }
            extraSize = number
        }
        if flags & 2 != 0 {
            guard let number = reader.number(), number < 1 << 48 else { return nil }
            dataSize = number
        }
        dataStart = dataAt ?? headerEnd
        end = dataStart + Int(dataSize)
        if kind == 1 {
            let archive = reader.number() ?? 0
            isVolume = archive & 1 != 0
            isSolid = archive & 4 != 0
        } else if kind == 4 {
            cipher = RARCipher(data.slice(reader.position, headerEnd), hasVector: false)
        } else if kind == 2 {
            file = RARFile(data.prefix(headerEnd), reader.position, extra: headerEnd - Int(extraSize))
        }
    }
}

/// What a header says about a file.
struct RARFile {
    let flags: UInt64
    let size: UInt64
    let compression: UInt64
    let name: [UInt8]
    private(set) var encryption: RARCipher?
    /// The record that says how it is encrypted, with its size.
    private var record: [UInt8] = []

    var isStored: Bool { compression >> 7 & 7 == 0 }
    var isSizeUnknown: Bool { flags & 8 != 0 }

    init?(_ header: ByteView, _ position: Int, extra: Int) {
        var reader = RARReader(header, position)
        guard let flags = reader.number(), let size = reader.number(), reader.number() != nil else { return nil }
        if flags & 2 != 0 { reader.skip(4) }
        if flags & 4 != 0 { reader.skip(4) }
        guard let compression = reader.number(), reader.number() != nil, let length = reader.number(), length < 65536
        else { return nil }
        self.flags = flags
        self.size = size
        self.compression = compression
        name = header.slice(reader.position, reader.position + Int(length)).array
        // Records, each with its size and its kind.
        var record = RARReader(header, extra)
        for _ in 0..<64 {
            guard let recordSize = record.number(), recordSize < 65536 else { break }
            let start = record.position
            let recordEnd = start + Int(recordSize)
            if record.number() == 1 {
                encryption = RARCipher(header.slice(record.position, recordEnd), hasVector: true)
                var sized = RARWriter()
                sized.number(recordSize)
                self.record = sized.bytes + header.slice(start, recordEnd).array
                break
            }
            record = RARReader(header, recordEnd)
        }
    }

    /// A header for the file in one volume: neither with times nor with checksums, which the encryption changes too.
    func rewritten(packedSize: UInt64, keepsEncryption: Bool = false) -> [UInt8] {
        let extra = keepsEncryption ? record : []
        var header = RARWriter()
        header.number(2)
        header.number(extra.isEmpty ? 2 : 3)
        if !extra.isEmpty { header.number(UInt64(extra.count)) }
        header.number(packedSize)
        header.number(flags & 9)
        header.number(size)
        header.number(0)
        header.number(compression)
        header.number(1)
        header.number(UInt64(name.count))
        return RARWriter.block(header.bytes + name + extra)
    }
}

/// Numbers of seven bits a byte, the lowest first; nil behind the end.
struct RARReader {
    private let data: ByteView
    private(set) var position: Int

    init(_ data: ByteView, _ position: Int) {
        self.data = data
        self.position = position
    }

    mutating func skip(_ count: Int) { position += count }

    mutating func number() -> UInt64? {
        var result: UInt64 = 0
        for index in 0..<10 {
            guard position >= 0, position < data.count else { return nil }
            let byte = data[position]
            position += 1
            if index < 9 || byte < 2 { result |= UInt64(byte & 0x7f) << UInt64(7 * index) }
            if byte & 0x80 == 0 { return result }
        }
        return nil
    }
}

/// Writes what `RARReader` reads.
struct RARWriter {
    var bytes: [UInt8] = []

    /// A header with its checksum and its size.
    static func block(_ header: [UInt8]) -> [UInt8] {
        var sized = RARWriter()
        sized.number(UInt64(header.count))
        sized.bytes += header
        let crc = sized.bytes.withUnsafeBufferPointer { checksum(ByteView($0)) }
        var all: [UInt8] = []
        for shift: UInt32 in [0, 8, 16, 24] { all.append(UInt8(truncatingIfNeeded: crc >> shift)) }
        return all + sized.bytes
    }

    mutating func number(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
