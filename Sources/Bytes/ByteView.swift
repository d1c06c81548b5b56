/// Bytes that somebody else owns, with every access checked.
///
/// The one way in which esets hands borrowed memory around, in the host and in modules. It is a pointer
/// and a length: the owner must outlive it. Reading outside traps; the `load` functions return nil.
package struct ByteView: @unchecked Sendable {
    @usableFromInline package let base: UnsafePointer<UInt8>?
    /// Number of bytes.
    package let count: Int

    @inlinable package init(base: UnsafePointer<UInt8>?, count: Int) {
        self.base = base
        self.count = base == nil ? 0 : max(0, count)
    }

    /// No bytes.
    @inlinable package init() {
        self.init(base: nil, count: 0)
    }

    @inlinable package init(_ buffer: UnsafeBufferPointer<UInt8>) {
        self.init(base: buffer.baseAddress, count: buffer.count)
    }

    @inlinable package init(_ buffer: UnsafeRawBufferPointer) {
        self.init(base: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), count: buffer.count)
    }

    /// The bytes of a literal: never freed.
    @inlinable package init(_ text: StaticString) {
        self.init(base: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    @inlinable package var isEmpty: Bool { count == 0 }

    /// The byte at an index; an index outside traps.
    @inlinable package subscript(index: Int) -> UInt8 {
        guard let base, index >= 0, index < count else { fatalError("ByteView: index out of range") }
        return base[index]
    }

    /// The part of a range that lies inside; never traps.
    @inlinable package func slice(_ from: Int, _ to: Int) -> ByteView {
        let low = min(max(0, from), count)
        let high = min(max(low, to), count)
        guard let base else { return ByteView() }
        return ByteView(base: base + low, count: high - low)
    }

    /// Everything from an index on.
    @inlinable package func dropFirst(_ amount: Int) -> ByteView { slice(amount, count) }

    /// At most so many bytes from the beginning.
    @inlinable package func prefix(_ amount: Int) -> ByteView { slice(0, amount) }

    /// A little-endian integer, or nil when it does not lie inside.
    @inlinable package func load<T: FixedWidthInteger>(_ type: T.Type, at offset: Int) -> T? {
        guard let base, offset >= 0, offset <= count - MemoryLayout<T>.size else { return nil }
        return T(littleEndian: UnsafeRawPointer(base + offset).loadUnaligned(as: T.self))
    }

    /// A big-endian integer, or nil when it does not lie inside.
    @inlinable package func loadBigEndian<T: FixedWidthInteger>(_ type: T.Type, at offset: Int) -> T? {
        guard let base, offset >= 0, offset <= count - MemoryLayout<T>.size else { return nil }
        return T(bigEndian: UnsafeRawPointer(base + offset).loadUnaligned(as: T.self))
    }

    /// The bytes as an unsafe buffer, valid as long as the owner lets it.
    @inlinable package var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }

    /// A copy.
    @inlinable package var array: [UInt8] { [UInt8](buffer) }
}
