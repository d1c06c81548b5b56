import Bytes
import CZlib

/// Unpacks gzip piece by piece.
enum Inflater {
    private static let step = 1 << 16

    /// Calls `take` with pieces of what is packed, until it says false.
    ///
    /// - Returns: whether the end of the packed data was seen, or `take` said false.
    static func unpack(_ bytes: ByteView, _ take: (ByteView) throws(CVDError) -> Bool) throws(CVDError) -> Bool {
        var stream = z_stream()
        // 31: gzip, a window of 32 KiB.
        guard CZlib_inflateInit(&stream, 31) == Z_OK else { throw CVDError(.limit, "there is no memory to unpack it") }
        defer { inflateEnd(&stream) }
        let output = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: step)
        defer { output.deallocate() }
        var at = 0
        while true {
            if stream.avail_in == 0, at < bytes.count {
                let part = bytes.slice(at, at + (1 << 30))
                stream.next_in = UnsafeMutablePointer(mutating: part.base)
                stream.avail_in = UInt32(part.count)
                at += part.count
            }
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(step)
            let status = inflate(&stream, Z_NO_FLUSH)
            let made = step - Int(stream.avail_out)
            if made > 0, try !take(ByteView(base: UnsafePointer(output.baseAddress), count: made)) { return true }
            switch status {
            case Z_STREAM_END: return true
            case Z_OK: if made == 0, stream.avail_in == 0, at == bytes.count { return false }
            case Z_BUF_ERROR: return false
            default: throw CVDError(.malformed, "what it holds is damaged: it cannot be unpacked")
            }
        }
    }
}
