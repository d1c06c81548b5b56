package import BytesE
import CModuleABI

/// One section of the database: its bytes, known to lie inside, and its number of elements.
package struct Section {
    package var bytes = ByteView()
    package var count = 0

    package init() {}

    package init(bytes: ByteView, count: Int) {
        self.bytes = bytes
        self.count = count
    }

    /// Reads a fixed-size element, or nil when there is none with that index.
    ///
    /// C structures of the database are read unaligned and by value, so nothing depends on where it is mapped.
    @inline(__always) package func element<T: BitwiseCopyable>(_ index: Int, as type: T.Type) -> T? {
        guard index >= 0, index < count, let base = bytes.base else { return nil }
        // `count` was checked against the length when the database was opened.
        return UnsafeRawPointer(base).loadUnaligned(fromByteOffset: index * MemoryLayout<T>.stride, as: type)
    }
}

extension ByteView {
    /// A structure at an offset, or nil when it does not lie inside.
    @inline(__always) package func structure<T: BitwiseCopyable>(_ type: T.Type, at offset: Int) -> T? {
        guard let base, offset >= 0, offset <= count - MemoryLayout<T>.size else { return nil }
        return UnsafeRawPointer(base).loadUnaligned(fromByteOffset: offset, as: type)
    }

    /// `elements` elements of `size` bytes at an offset, or nil when they do not lie inside.
    package func part(at offset: UInt64, elements: UInt64, size: Int) -> ByteView? {
        guard offset <= UInt64(count), elements <= (UInt64(count) - offset) / UInt64(size) else { return nil }
        return slice(Int(offset), Int(offset) + Int(elements) * size)
    }
}
