import Bytes
import Platform

/// Content too large for the arena (em.host.tempfile/1): an anonymous file, mapped once it is complete.
final class TemporaryFile {
    private let file: Descriptor
    private(set) var size: UInt64 = 0
    private var mapping: Mapping?

    init() throws(SystemError) {
        file = try Descriptor.memory(name: "esets-scan")
    }

    /// Appends; false when it is mapped already.
    func append(_ bytes: ByteView) throws(SystemError) -> Bool {
        guard mapping == nil else { return false }
        try file.writeAll(UnsafeRawBufferPointer(bytes.buffer))
        size += UInt64(bytes.count)
        return true
    }

    /// Everything, read-only, as long as this object lives.
    func map() throws(SystemError) -> ByteView {
        if let mapping { return ByteView(mapping.bytes) }
        try file.seal()
        let mapping = try Mapping(file, size: Int(size))
        self.mapping = mapping
        return ByteView(mapping.bytes)
    }
}
