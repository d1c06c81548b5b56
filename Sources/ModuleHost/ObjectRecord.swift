import Bytes
import CModuleABI

/// What the host keeps of each object until the scan ends: enough to show where it lay, without its data.
struct ObjectRecord {
    let parent: UInt64
    let offset: UInt64
    let extent: UInt64
    let size: UInt64
    let depth: UInt32
    var type: UInt32
    var flags: UInt32
    /// In the scan's `NameStore`.
    let name: ByteView
    let format: ByteView
}

/// Copies of object names, which stay where they are until the scan ends.
struct NameStore: ~Copyable {
    private var chunks: [UnsafeMutablePointer<UInt8>] = []
    private var used = chunkSize

    /// Longer names are cut.
    static let maximumName = 1_024
    private static let chunkSize = 16_384

    init() {}

    deinit {
        for chunk in chunks { chunk.deallocate() }
    }

    /// A copy of at most `maximumName` bytes.
    mutating func copy(_ slice: em_slice) -> ByteView {
        copy(whole: ByteView(base: slice.ptr, count: Int(clamping: slice.len)).prefix(Self.maximumName))
    }

    /// A copy of all bytes; whoever asks bounds them.
    mutating func copy(whole source: ByteView) -> ByteView {
        guard let from = source.buffer.baseAddress, source.count > 0 else { return ByteView() }
        if used + source.count > Self.chunkSize {
            chunks.append(.allocate(capacity: max(Self.chunkSize, source.count)))
            used = 0
        }
        guard let chunk = chunks.last else { return ByteView() }
        let target = chunk + used
        target.update(from: from, count: source.count)
        used += source.count
        return ByteView(base: target, count: source.count)
    }
}
