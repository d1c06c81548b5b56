// Objects of Swift behind the opaque pointers of the ABI.

/// Gives an object to the other side, which hands it back to `release` once.
package func retain<T: AnyObject>(_ object: T) -> OpaquePointer {
    OpaquePointer(Unmanaged.passRetained(object).toOpaque())
}

/// The object behind a pointer that `retain` gave out.
package func borrow<T: AnyObject>(_ type: T.Type, _ pointer: OpaquePointer) -> T {
    Unmanaged<T>.fromOpaque(UnsafeRawPointer(pointer)).takeUnretainedValue()
}

/// Takes back what `retain` gave out.
package func release<T: AnyObject>(_ type: T.Type, _ pointer: OpaquePointer?) {
    guard let pointer else { return }
    Unmanaged<T>.fromOpaque(UnsafeRawPointer(pointer)).release()
}

/// Writes the sentence of a failed self-test into the buffer of the ABI.
package func writeReason(
    _ text: StaticString, _ buffer: UnsafeMutablePointer<UInt8>?, _ capacity: UInt64,
    _ length: UnsafeMutablePointer<UInt64>?
) {
    let count = min(text.utf8CodeUnitCount, Int(clamping: capacity))
    if let buffer { buffer.update(from: text.utf8Start, count: count) }
    length?.pointee = buffer == nil ? 0 : UInt64(count)
}
