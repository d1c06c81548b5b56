import BytesE

/// One element of ASN.1 in BER (X.690): its tag, and where its content lies. Lengths may be indefinite.
struct BERElement {
    let tag: UInt8
    let content: Range<Int>
    /// Behind the element, its end mark included.
    let end: Int
    /// Whether the length was not given; then content goes to the end of what is there, and the end is found by walking.
    let isIndefinite: Bool

    var isConstructed: Bool { tag & 0x20 != 0 }

    /// Reads the element at an offset, not going beyond `limit`; nil when there is none, or it is no element of one byte of tag.
    init?(_ data: ByteView, at offset: Int, limit: Int) {
        guard offset >= 0, offset + 2 <= limit, limit <= data.count else { return nil }
        tag = data[offset]
        guard tag & 0x1f != 0x1f else { return nil }
        let first = data[offset + 1]
        var start = offset + 2
        if first < 0x80 {
            content = start..<min(limit, start + Int(first))
            end = content.upperBound
            isIndefinite = false
            return
        }
        if first == 0x80 {
            content = start..<limit
            end = limit
            isIndefinite = true
            return
        }
        let bytes = Int(first & 0x7f)
        guard bytes <= 4, start + bytes <= limit else { return nil }
        var length = 0
        for index in 0..<bytes { length = length << 8 | Int(data[start + index]) }
        start += bytes
        content = start..<min(limit, start + length)
        end = content.upperBound
        isIndefinite = false
    }
}
