#if MODULE_WORLD
    import BytesE
#else
    import Bytes
#endif

extension TransferEncoding {
    /// The encodings whose names occur in a header value that, read strictly, names none: `(a(b)c) base64`,
    /// `7bit, base64`, `x-base64`, `ba<NUL>se64`. Some readers look for the name only, or skip what they do not know.
    static func suspected(in headerValue: ByteView) -> [TransferEncoding] {
        var text: [UInt8] = []
        for byte in headerValue.prefix(1024).buffer {
            let low = asciiLowercased(byte)
            if low &- 0x61 < 26 || low &- 0x30 < 10 { text.append(low) }
        }
        return text.withUnsafeBufferPointer { buffer in
            let letters = ByteView(buffer)
            var found: [TransferEncoding] = []
            if letters.firstIndex(of: ByteView("base64")) != nil { found.append(.base64) }
            if letters.firstIndex(of: ByteView("quotedprintable")) != nil { found.append(.quotedPrintable) }
            if letters.firstIndex(of: ByteView("uue")) != nil || letters.firstIndex(of: ByteView("uuencode")) != nil {
                found.append(.uuencode)
            }
            return found
        }
    }
}
