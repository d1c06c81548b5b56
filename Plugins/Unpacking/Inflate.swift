package import BytesE
import CDeflate
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
    if let used = try inflateAtOnce(input, isWrapped: false, into: &output) { return (.complete, used) }
    return try inflate(input, windowBits: -15, into: &output)
}

/// The same for a stream with the header and the checksum of zlib (RFC 1950).
package func inflateZlib(
    _ input: ByteView, into output: inout Output
) throws(ModuleError) -> (end: InflateEnd, used: Int) {
    if let used = try inflateAtOnce(input, isWrapped: true, into: &output) { return (.complete, used) }
    return try inflate(input, windowBits: 15, into: &output)
}

/// A stream longer than this is inflated piece by piece, so that the scan can be stopped.
private let mostAtOnce = 8 << 20

/// Inflates a whole and sound stream into memory for all of it: twice as fast, and nearly all streams are so.
///
/// - Returns: how many bytes of the input belong to the stream; nil when it is damaged, not whole, too long or over a
///   limit, and nothing was put out.
private func inflateAtOnce(
    _ input: ByteView, isWrapped: Bool, into output: inout Output
) throws(ModuleError) -> Int? {
    guard let inflater = libdeflate_alloc_decompressor() else { throw .memory }
    defer { libdeflate_free_decompressor(inflater) }
    // What is said of the size is not believed, but tried first.
    var size = output.expected > Output.step ? output.expected : max(Output.step, 4 * min(input.count, mostAtOnce))
    while size <= mostAtOnce, let room = try output.reserve(size) {
        var used = 0
        var made = 0
        let result =
            isWrapped
            ? libdeflate_zlib_decompress_ex(
                inflater, input.buffer.baseAddress, input.count, room.baseAddress, room.count, &used, &made)
            : libdeflate_deflate_decompress_ex(
                inflater, input.buffer.baseAddress, input.count, room.baseAddress, room.count, &used, &made)
        if result == LIBDEFLATE_SUCCESS {
            output.advance(made)
            return used
        }
        guard result == LIBDEFLATE_INSUFFICIENT_SPACE else { return nil }
        size *= 4
        try output.check()
    }
    return nil
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
