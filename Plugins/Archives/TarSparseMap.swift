import BytesE

/// Where the stored pieces of a sparse file in a tar archive belong in the file; between them are zeros (GNU tar's manual,
/// "Storing Sparse Files").
struct TarSparseMap {
    private(set) var pieces: [(offset: UInt64, count: UInt64)] = []
    /// The file's size, where it is stated.
    var size: UInt64 = 0
    /// Offsets that wait for their counts.
    private var pending: UInt64?

    private static let most = 65_536

    mutating func add(_ offset: UInt64, _ count: UInt64) {
        guard pieces.count < Self.most, offset < 1 << 48, count < 1 << 48 else { return }
        pieces.append((offset, count))
    }

    /// Adds what a header of GNU's own format, or an extension of it, has: pairs of twelve digits.
    mutating func add(gnu block: ByteView, at place: Int, pairs: Int) {
        for index in 0..<pairs {
            let entry = place + 24 * index
            guard block.count >= entry + 24, block[entry] != 0,
                let offset = TarHeader.number(block.slice(entry, entry + 12)),
                let count = TarHeader.number(block.slice(entry + 12, entry + 24))
            else { return }
            add(offset, count)
        }
    }

    /// Adds a field of a pax header (its versions 0.0 and 0.1).
    mutating func add(pax key: ByteView, _ value: ByteView) {
        if key.equals(ByteView("GNU.sparse.offset")) {
            pending = Self.decimal(value)
        } else if key.equals(ByteView("GNU.sparse.numbytes")) {
            if let offset = pending, let count = Self.decimal(value) { add(offset, count) }
            pending = nil
        } else if key.equals(ByteView("GNU.sparse.map")) {
            var rest = value
            while let first = Self.take(&rest, 0x2c), let second = Self.take(&rest, 0x2c) { add(first, second) }
        } else if key.equals(ByteView("GNU.sparse.size")) || key.equals(ByteView("GNU.sparse.realsize")) {
            size = Self.decimal(value) ?? 0
        }
    }

    /// Takes the map from the beginning of the content (version 1.0): numbers in lines, up to a whole block. What of the
    /// content is stored begins behind it.
    mutating func take(from content: ByteView) -> ByteView {
        var rest = content
        guard let count = Self.take(&rest, 0x0a), count <= UInt64(Self.most) else { return content }
        for _ in 0..<count {
            guard let first = Self.take(&rest, 0x0a), let second = Self.take(&rest, 0x0a) else { return content }
            add(first, second)
        }
        let used = content.count - rest.count
        return content.dropFirst((used + TarHeader.blockSize - 1) / TarHeader.blockSize * TarHeader.blockSize)
    }

    /// A number up to a byte, which is passed over.
    private static func take(_ rest: inout ByteView, _ end: UInt8) -> UInt64? {
        let place = rest.firstIndex(of: end) ?? rest.count
        guard let value = decimal(rest.prefix(place)) else { return nil }
        rest = rest.dropFirst(place + 1)
        return value
    }

    static func decimal(_ text: ByteView) -> UInt64? {
        guard !text.isEmpty, text.count < 19 else { return nil }
        var value: UInt64 = 0
        for byte in text.buffer {
            guard byte &- 0x30 < 10 else { return nil }
            value = value * 10 + UInt64(byte - 0x30)
        }
        return value
    }
}
