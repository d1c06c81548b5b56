package import BytesE
import CModuleABI
package import ModuleKit
package import Unpacking

/// Expands compressed streams; several one behind another are one file, as the tools of the format have it.
///
/// What came out before damage or the end of the data is in the output.
///
/// - Parameters:
///   - data: begins with a stream.
///   - format: its compression.
///   - most: the streams end after so many bytes, whatever follows; not for LZ4 and compress, which end by themselves.
/// - Returns: how they ended, and how many bytes of the data belong to them.
/// - Throws: what the host answers when the scan must end.
package func expand(
    _ data: ByteView, by format: StreamFormat, most: Int = .max, into output: inout Output
) throws(ModuleError) -> (end: InflateEnd, used: Int) {
    var used = 0
    let last = most < .max - output.count ? output.count + most : .max
    let decoder = format.library.map { StreamDecoder($0) }
    while true {
        try output.check()
        let rest = data.dropFirst(used)
        let result: (end: InflateEnd, used: Int)
        if let decoder {
            guard used == 0 || decoder.beginAgain() else {
                output.stop(by: EM_BUDGET_MEMORY)
                return (.overLimit, used)
            }
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
        if format == .xz {
            while data.load(UInt32.self, at: next) == 0 {
                next += 4
                if next & 0xffff == 0 { try output.check() }
            }
        }
        guard format.isContinued(by: data.dropFirst(next)) else { return (.complete, used) }
        used = next
    }
}
