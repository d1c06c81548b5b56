#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

extension MIMEPart {
    /// The decoded bytes of the body, at most `limit` of them.
    package func decoded(in message: ByteView, limit: Int) -> [UInt8] {
        let input = message.slice(body.lowerBound, body.upperBound)
        var decoder = TransferDecoder(encoding)
        var result: [UInt8] = []
        var position = 0
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 16384) { buffer in
            while position < input.count, result.count < limit {
                let count = decoder.decode(input, from: &position, into: buffer)
                result.append(contentsOf: buffer[..<min(count, limit - result.count)])
            }
        }
        return result
    }

    /// The text of the body as UTF-8: decoded, and converted from its character set.
    ///
    /// No more than `limit` decoded bytes are read; the text is at most three times as long.
    package func text(in message: ByteView, limit: Int) -> [UInt8] {
        let bytes = decoded(in: message, limit: limit)
        let set = charset.withUnsafeBufferPointer { Charset(label: ByteView($0)) }
        return bytes.withUnsafeBufferPointer { set.decode(ByteView($0)) }
    }
}
