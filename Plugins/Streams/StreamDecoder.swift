import BytesE
import CModuleABI
import CStreams
import ModuleKit
import Unpacking

/// A decoder of a library (CStreams), for one stream at a time.
final class StreamDecoder {
    /// NULL when there was no memory for it.
    let handle: UnsafeMutableRawPointer?

    init(_ kind: Int32) { handle = CStreams_new(kind) }
    init(lzma properties: UInt8, window: UInt32) { handle = CStreams_new_lzma(properties, window) }
    deinit { CStreams_free(handle) }

    /// Whether it is ready for another stream: not without memory.
    func beginAgain() -> Bool { handle.map { CStreams_again($0) == 1 } ?? false }
}

/// Expands one stream by a library.
func expandOne(
    _ data: ByteView, _ decoder: StreamDecoder, most: Int, into output: inout Output
) throws(ModuleError) -> (end: InflateEnd, used: Int) {
    guard let handle = decoder.handle else {
        output.stop(by: EM_BUDGET_MEMORY)
        return (.overLimit, 0)
    }
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
        case CSTREAMS_NO_MEMORY:
            // What came out before is looked at.
            output.stop(by: EM_BUDGET_MEMORY)
            return (.overLimit, used)
        default: return (.damaged, used)
        }
    }
    return (.complete, used)
}
