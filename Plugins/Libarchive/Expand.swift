package import BytesE
package import ModuleKit
package import Unpacking

/// Expands one stream by a filter of libarchive, for formats that libarchive itself does not read.
///
/// - Parameters:
///   - data: the stream; bytes behind it are not wanted, as another stream might be seen in them.
///   - head: bytes before it, e.g. a header that the format leaves out.
///   - filter: its compression.
///   - most: the stream ends after so many bytes, whatever follows.
/// - Returns: how it ended; damage and truncation are both `.damaged`.
/// - Throws: what the host answers when the scan must end.
package func expand(
    _ data: ByteView, head: ByteView = ByteView(), by filter: LibarchiveSupport, most: Int = .max, _ scan: ScanContext,
    into output: inout Output
) throws(ModuleError) -> InflateEnd {
    guard let reader = LibarchiveReader(scan, head: head, data, filter.union(.raw)), try reader.next().outcome == .ready
    else { return .damaged }
    var left = most
    while left > 0 {
        guard let room = try output.room() else { return .overLimit }
        let (outcome, count) = try reader.read(into: UnsafeMutableBufferPointer(rebasing: room.prefix(left)))
        output.advance(count)
        left -= count
        if output.stoppedBy != 0 { return .overLimit }
        switch outcome {
        case .ready: continue
        case .end: return .complete
        case .failed, .fatal: return .damaged
        }
    }
    return .complete
}

/// Expands a stream of LZMA that has only its five bytes of properties before it, as several formats keep it.
package func expandLZMA(
    _ data: ByteView, most: Int = .max, _ scan: ScanContext, into output: inout Output
) throws(ModuleError) -> InflateEnd {
    guard data.count > 5, let window = data.load(UInt32.self, at: 1) else { return .damaged }
    // libarchive takes powers of two only; a larger window does no harm.
    var dictionary: UInt32 = 4096
    while dictionary < window && dictionary < 1 << 25 { dictionary <<= 1 }
    var head = InlineArray<13, UInt8>(repeating: 0xff)
    head[0] = data[0]
    for index in 0..<4 { head[1 + index] = UInt8(truncatingIfNeeded: dictionary >> UInt32(8 * index)) }
    var end = InflateEnd.damaged
    var failure: ModuleError?
    head.span.withUnsafeBufferPointer { buffer in
        do throws(ModuleError) {
            end = try expand(
                data.dropFirst(5), head: ByteView(buffer), by: .lzma, most: most, scan, into: &output)
        } catch { failure = error }
    }
    if let failure { throw failure }
    return end
}

/// The first frame of Zstandard (RFC 8878 3.1.1), for formats that do not tell where it ends; all when it is damaged.
package func zstandardFrame(_ data: ByteView) -> ByteView {
    guard data.count > 6, data.load(UInt32.self, at: 0) == 0xfd2f_b528 else { return data }
    let descriptor = Int(data[4])
    let isSingle = descriptor & 0x20 != 0
    let dictionary = descriptor & 3
    let size = descriptor >> 6
    var position = 5 + (isSingle ? 0 : 1) + (dictionary == 3 ? 4 : dictionary)
    position += size == 0 ? (isSingle ? 1 : 0) : 1 << size
    while position + 3 <= data.count {
        let header = Int(data[position]) | Int(data[position + 1]) << 8 | Int(data[position + 2]) << 16
        position += 3 + (header >> 1 & 3 == 1 ? 1 : header >> 3)
        if header & 1 == 1 { return data.prefix(position + (descriptor & 4 != 0 ? 4 : 0)) }
    }
    return data
}
