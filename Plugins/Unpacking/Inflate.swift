package import BytesE
import CModuleABI
import CZlib
package import ModuleKit

/// How an inflation ended.
package enum InflateEnd {
    case complete, truncated, damaged, overLimit
}

/// Inflates a raw deflate stream (RFC 1951) into an output.
///
/// - Parameters:
///   - input: begins with the stream; what follows it is not touched.
///   - output: where to; a limit that it meets ends the inflation.
/// - Returns: how it ended and how many bytes of the input belong to the stream.
/// - Throws: what the host answers when the scan must end.
package func inflateRaw(
    _ input: ByteView, into output: inout Output
) throws(ModuleError) -> (end: InflateEnd, used: Int) {
    try inflate(input, windowBits: -15, into: &output)
}

/// The same for a stream with the header and the checksum of zlib (RFC 1950).
package func inflateZlib(
    _ input: ByteView, into output: inout Output
) throws(ModuleError) -> (end: InflateEnd, used: Int) {
    try inflate(input, windowBits: 15, into: &output)
}

private func inflate(
    _ input: ByteView, windowBits: Int32, into output: inout Output
) throws(ModuleError) -> (end: InflateEnd, used: Int) {
    var stream = z_stream()
    guard CZlib_inflateInit(&stream, windowBits) == Z_OK else { throw .memory }
    defer { inflateEnd(&stream) }
    var used = 0
    while true {
        // A stream can use much input without any output.
        try output.check()
        guard let room = try output.room() else { return (.overLimit, used) }
        let piece = input.slice(used, used + Output.step)
        stream.next_in = UnsafeMutablePointer(mutating: piece.buffer.baseAddress)
        stream.avail_in = UInt32(piece.count)
        stream.next_out = room.baseAddress
        stream.avail_out = UInt32(clamping: room.count)
        let given = Int(stream.avail_out)
        let status = CZlib.inflate(&stream, Z_NO_FLUSH)
        let consumed = piece.count - Int(stream.avail_in)
        let produced = given - Int(stream.avail_out)
        used += consumed
        output.advance(produced)
        if output.stoppedBy != 0 { return (.overLimit, used) }
        switch status {
        case Z_STREAM_END: return (.complete, used)
        case Z_OK, Z_BUF_ERROR:
            // Neither input nor output moved although there was room: the input is at its end.
            if consumed == 0 && produced == 0 { return (used >= input.count ? .truncated : .damaged, used) }
        case Z_MEM_ERROR: throw .memory
        default: return (.damaged, used)
        }
    }
}
