package import BytesE
package import ModuleKit
package import Unpacking

/// Expands a stream of LZMA that has only its five bytes of properties before it, as several formats keep it.
///
/// - Parameter mostWindow: a larger window is not given, whatever the stream states: more is for callers that have reserved it
///   (`StreamFormat.reserveWindow`).
package func expandLZMA(
    _ data: ByteView, most: Int = .max, mostWindow: UInt32 = 1 << 26, into output: inout Output
) throws(ModuleError) -> (end: InflateEnd, used: Int) {
    guard data.count > 5, let window = data.load(UInt32.self, at: 1) else { return (.truncated, data.count) }
    let result = try expandLZMA(
        data.dropFirst(5), properties: data[0], window: min(window, mostWindow), most: most, into: &output)
    return (result.end, 5 + result.used)
}

/// The same for a stream whose properties stand elsewhere.
///
/// - Parameter window: the bytes that it looks back.
package func expandLZMA(
    _ data: ByteView, properties: UInt8, window: UInt32, most: Int = .max, into output: inout Output
) throws(ModuleError) -> (end: InflateEnd, used: Int) {
    // Nothing lies further back than what comes out.
    let window = most == .max ? window : min(window, UInt32(clamping: most))
    let decoder = StreamDecoder(lzma: properties, window: max(window, 4096))
    return try expandOne(data, decoder, most: most, into: &output)
}
