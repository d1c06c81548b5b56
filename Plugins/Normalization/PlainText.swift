package import BytesE

/// Text as signatures for text expect it: small letters, one space for each run of white space, neither control
/// characters nor bytes above 127.
package enum PlainText {
    /// Bytes of one step.
    package static let step = 65_536

    /// Appends the form of `bytes`. Going on with more bytes of the same object gives the form of the whole.
    ///
    /// - Parameter afterSpace: whether the form ends with a space that stands for white space.
    package static func normalize(_ bytes: ByteView, afterSpace: inout Bool, into output: inout NormalizedText) {
        var isSpace = afterSpace
        var at = 0
        while at < bytes.count {
            at += output.appendPlain(bytes.dropFirst(at), afterSpace: &isSpace)
            guard at < bytes.count else { break }
            let byte = bytes[at]
            at += 1
            if byte &- 0x21 < 0x5f {
                output.append(asciiLowercased(byte))
                isSpace = false
            } else if isASCIISpace(byte), !isSpace {
                output.append(0x20)
                isSpace = true
            }
        }
        afterSpace = isSpace
    }

    /// Whether a form with room for all would be the same as the bytes: then matching it twice is pointless.
    package static func isNormal(_ bytes: ByteView) -> Bool {
        var last: UInt8 = 0
        for byte in bytes.buffer {
            guard byte &- 0x20 < 0x60, byte &- 0x41 >= 26, byte != 0x20 || last != 0x20 else { return false }
            last = byte
        }
        return true
    }
}
