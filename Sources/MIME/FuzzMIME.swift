#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// Runs the whole parser over any bytes and traps when it breaks its promises. For fuzzing and replay tests.
package func fuzzMIME(_ bytes: ByteView) {
    _ = MIMEMessage.likelihood(bytes)
    var readings = MIMEReadings()
    var found = walk(bytes, MIMEReading())
    var count = 0
    while let reading = readings.next(after: found) {
        found = walk(bytes, reading)
        count += 1
    }
    precondition(count <= MIMEReading.most)
    _ = EncodedWords.decode(bytes)
    let parameters = HeaderParameters(bytes)
    _ = parameters.texts("filename")
    _ = parameters.values("boundary")
    var blocks = UUBlocks(bytes, in: 0..<bytes.count)
    var end = 0
    while let block = blocks.next() {
        precondition(block.range.lowerBound >= end && block.range.upperBound <= bytes.count)
        end = block.range.upperBound
    }
}

private func walk(_ bytes: ByteView, _ reading: MIMEReading) -> MIMEAmbiguities {
    var walker = MIMEWalker(bytes, reading: reading, depth: 20)
    var open = 0
    var lastEnd = 0
    while let part = walker.next() {
        precondition(part.header.upperBound <= part.body.lowerBound && part.body.upperBound <= bytes.count)
        switch part.kind {
        case .multipart: open += 1
        case .multipartEnd: open -= 1
        case .leaf, .preamble, .epilogue:
            // Parts of one reading never overlap.
            precondition(part.body.lowerBound >= lastEnd)
            lastEnd = part.body.upperBound
            _ = part.text(in: bytes, limit: 65536)
        }
    }
    precondition(open <= 1)
    return walker.ambiguities
}
