import BytesE
import CModuleABI
import CZlib
import ModuleKit
import Unpacking

/// A bare zlib stream (RFC 1950).
final class ZlibUnpacker: Unpacker {
    private var isDone = false

    static var extractor: Extractor {
        Extractor(
            "ZLIB",
            identify: { candidate in
                isStream(candidate.data) ? Claim(.whole, sureness: 70, type: EM_TYPE_ARCHIVE) : nil
            },
            open: { scan, object, _ throws(ModuleError) in ZlibUnpacker(scan, object, format: "ZLIB") })
    }

    /// Whether the header's check is right, and the beginning can be inflated: the header alone is two bytes of text.
    private static func isStream(_ data: ByteView) -> Bool {
        guard data.count > 8, data[0] & 0x0f == 8, data[0] >> 4 <= 7, data[1] & 0x20 == 0,
            (Int(data[0]) << 8 | Int(data[1])) % 31 == 0
        else { return false }
        var stream = z_stream()
        guard CZlib_inflateInit(&stream, 15) == Z_OK else { return false }
        defer { inflateEnd(&stream) }
        let head = data.prefix(512)
        var room = InlineArray<512, UInt8>(repeating: 0)
        stream.next_in = UnsafeMutablePointer(mutating: head.buffer.baseAddress)
        stream.avail_in = UInt32(head.count)
        var mutable = room.mutableSpan
        let status = mutable.withUnsafeMutableBufferPointer { buffer in
            stream.next_out = buffer.baseAddress
            stream.avail_out = UInt32(buffer.count)
            return inflate(&stream, Z_NO_FLUSH)
        }
        return status == Z_STREAM_END || status == Z_OK && stream.avail_out < 512
    }

    override func next() throws(ModuleError) -> Bool {
        guard !isDone, mayHaveChildren() else { return false }
        isDone = true
        var output = try Output(scan, in: object)
        let result = try inflateZlib(data, into: &output)
        var child = Child()
        child.offset = 0
        child.extent = UInt64(result.used)
        note(result.end, &child)
        found(child.flags)
        try close(&output, &child)
        try submit(child, name: [])
        return true
    }
}
