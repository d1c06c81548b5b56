package import BytesE
import CStreams
package import ModuleKit
package import Unpacking

/// Expands compressed streams; several one behind another are one file, as the tools of the format have it.
///
/// What came out before damage or the end of the data is in the output.
///
/// - Parameters:
///   - data: begins with a stream.
///   - format: its compression.
///   - most: the streams end after so many bytes, whatever follows.
/// - Returns: how they ended, and how many bytes of the data belong to them.
/// - Throws: what the host answers when the scan must end.
package func expand(
    _ data: ByteView, by format: StreamFormat, most: Int = .max, into output: inout Output
) throws(ModuleError) -> (end: InflateEnd, used: Int) {
    var used = 0
    let last = most < .max - output.count ? output.count + most : .max
    let decoder = format.library.map { StreamDecoder($0) }
    while true {
        let rest = data.dropFirst(used)
        let result: (end: InflateEnd, used: Int)
        if let decoder {
            if used > 0 { try decoder.beginAgain() }
            result = try expandOne(rest, decoder, most: last - output.count, into: &output)
        } else if format == .lz4 {
            result = try expandLZ4Frame(rest, into: &output)
        } else {
            result = try uncompress(rest, into: &output)
        }
        used += result.used
        guard result.end == .complete, output.count < last else { return (result.end, used) }
        // Between streams of XZ there may be zeros, in fours.
        var next = used
        if format == .xz { while data.load(UInt32.self, at: next) == 0 { next += 4 } }
        guard format.isContinued(by: data.dropFirst(next)) else { return (.complete, used) }
        used = next
    }
}

/// A decoder of a library (CStreams), for one stream at a time.
final class StreamDecoder {
    /// NULL when there was no memory for it.
    let handle: UnsafeMutableRawPointer?

    init(_ kind: Int32) { handle = CStreams_new(kind) }
    init(lzma properties: UInt8, window: UInt32) { handle = CStreams_new_lzma(properties, window) }
    deinit { CStreams_free(handle) }

    func beginAgain() throws(ModuleError) {
        guard let handle, CStreams_again(handle) == 1 else { throw .memory }
    }
}

/// Expands one stream by a library.
func expandOne(
    _ data: ByteView, _ decoder: StreamDecoder, most: Int, into output: inout Output
) throws(ModuleError) -> (end: InflateEnd, used: Int) {
    guard let handle = decoder.handle else { throw .memory }
    var used = 0
    var left = most
    while left > 0 {
        // A stream can use much input without any output.
        try output.check()
        guard let room = try output.room() else { return (.overLimit, used) }
        let piece = data.slice(used, used + Output.step)
        var input = piece.buffer.baseAddress
        var inputLeft = piece.count
        var place = room.baseAddress
        let given = min(room.count, left)
        var roomLeft = given
        let status = CStreams_expand(handle, &inputLeft, &input, &roomLeft, &place)
        let consumed = piece.count - inputLeft
        let made = given - roomLeft
        used += consumed
        left -= made
        output.advance(made)
        if output.stoppedBy != 0 { return (.overLimit, used) }
        switch status {
        case CSTREAMS_END: return (.complete, used)
        case CSTREAMS_MORE:
            // Neither input nor output moved although there was room: the input is at its end.
            if consumed == 0 && made == 0 { return (used >= data.count ? .truncated : .damaged, used) }
        case CSTREAMS_NO_MEMORY: throw .memory
        default: return (.damaged, used)
        }
    }
    return (.complete, used)
}
