package import Bytes
import Glibc
package import Platform

/// The bytes of a root object, in memory that nobody else can change or truncate.
package final class ObjectBytes: @unchecked Sendable {
    /// Valid as long as this object lives.
    package let view: ByteView
    private let mapping: Mapping?
    private let owned: UnsafeMutableRawPointer?

    /// Maps a descriptor that is safe to map: a sealed memfd, or an unnamed file that only its maker holds.
    package init(mapping file: Descriptor, size: Int) throws(SystemError) {
        let mapping = try Mapping(file, size: size)
        self.mapping = mapping
        owned = nil
        view = ByteView(mapping.bytes)
    }

    /// Reads a file of a user, who may truncate it at any time, into memory of our own.
    package init(reading file: Descriptor, size: Int) throws(SystemError) {
        mapping = nil
        guard size > 0 else {
            owned = nil
            view = ByteView()
            return
        }
        let base = try BufferPool.shared.take(size)
        let count: Int
        do throws(SystemError) {
            count = try file.read(at: 0, into: UnsafeMutableRawBufferPointer(start: base, count: size))
        } catch {
            BufferPool.shared.giveBack(base, size)
            throw error
        }
        owned = base
        ownedSize = size
        // A file that became shorter is scanned as far as it goes.
        view = ByteView(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Copies bytes.
    package init(_ bytes: some Collection<UInt8>) {
        mapping = nil
        let base = UnsafeMutableRawPointer.allocate(byteCount: max(1, bytes.count), alignment: 16)
        UnsafeMutableRawBufferPointer(start: base, count: bytes.count).copyBytes(from: bytes)
        owned = base
        view = ByteView(UnsafeRawBufferPointer(start: base, count: bytes.count))
    }

    /// Size of `owned` when it is of the pool; 0 when it was allocated.
    private var ownedSize = 0

    deinit {
        guard let owned else { return }
        if ownedSize > 0 { BufferPool.shared.giveBack(owned, ownedSize) } else { owned.deallocate() }
    }
}
