import BytesE

/// Texts that functions make while an object is evaluated. Freed together.
final class TextStore {
    private var blocks: [UnsafeMutablePointer<UInt8>] = []
    private var size = 0

    /// Bytes of all texts of an object.
    private static let limit = 8 << 20

    /// Keeps a copy; nil when there is no room left.
    func keep(_ bytes: [UInt8]) -> ByteView? {
        guard !bytes.isEmpty else { return ByteView("") }
        guard size + bytes.count <= Self.limit else { return nil }
        let block = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
        for index in bytes.indices { block[index] = bytes[index] }
        blocks.append(block)
        size += bytes.count
        return ByteView(base: block, count: bytes.count)
    }

    func removeAll() {
        for block in blocks { block.deallocate() }
        blocks.removeAll(keepingCapacity: true)
        size = 0
    }

    deinit { removeAll() }
}
