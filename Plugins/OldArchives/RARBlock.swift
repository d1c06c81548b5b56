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

    static let signature = ByteView("Rar!\u{1a}\u{7}\u{1}\0")

    static func isArchive(_ data: ByteView) -> Bool { data.hasPrefix(signature) }

    /// - Parameter dataAt: where the data begins when the header was decrypted; nil: behind the header.
    init?(_ data: ByteView, at position: Int, dataAt: Int? = nil) {
        var reader = RARReader(data, position + 4)
        guard let size = reader.number(), size > 0, size < 2 << 20 else { return nil }
        let headerEnd = reader.position + Int(size)
        guard headerEnd <= data.count, let kind = reader.number(), let flags = reader.number() else { return nil }
        self.kind = kind
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
        if kind == 4 {
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
                break
            }
            record = RARReader(header, recordEnd)
        }
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

    mutating func number(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
