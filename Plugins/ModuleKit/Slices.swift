package import BytesE
package import CModuleABI

extension ByteView {
    /// The bytes that a slice of the ABI lends.
    package init(_ slice: em_slice) {
        self.init(base: slice.ptr, count: Int(clamping: slice.len))
    }

    /// Lends these bytes across the ABI.
    package var slice: em_slice { em_slice(ptr: base, len: UInt64(count)) }
}

/// A literal as a C string; never freed.
package func cString(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

/// A literal across the ABI; never freed.
package func slice(_ text: StaticString) -> em_slice {
    em_slice(ptr: text.utf8Start, len: UInt64(text.utf8CodeUnitCount))
}

/// Whether a C string equals a literal.
package func equals(_ text: UnsafePointer<CChar>?, _ literal: StaticString) -> Bool {
    guard let text else { return false }
    for index in 0..<literal.utf8CodeUnitCount {
        let byte = UInt8(bitPattern: text[index])
        if byte != literal.utf8Start[index] || byte == 0 { return false }
    }
    return text[literal.utf8CodeUnitCount] == 0
}

/// The address of a global variable, which is the same for the whole life of the module.
/// Tables that the ABI asks for are globals, so that loading allocates nothing and unloading frees nothing.
package func address<T>(ofGlobal value: inout T) -> UnsafePointer<T> {
    withUnsafeMutablePointer(to: &value) { UnsafePointer($0) }
}
