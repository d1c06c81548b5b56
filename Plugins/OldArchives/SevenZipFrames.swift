import BytesE
import CModuleABI
import ModuleKit
import Streams
import Unpacking

/// Zstandard, LZ4 and Brotli in 7z: one stream, or many, each behind a frame to be skipped that has its size, as packers write
/// them that use several threads.
extension SevenZipCoders {
    /// What a coder of these makes; nil when nothing came out.
    func expanded(_ input: ByteView, by method: SevenZipMethod, size: UInt64) throws(ModuleError) -> ByteView? {
        let format: StreamFormat? = method == .lz4 ? .lz4 : method == .zstandard ? .zstd : nil
        if let format {
            try format.reserveWindow(scan, for: object, stated: nil)
        } else {
            guard try reserveBrotliWindow(Self.largestWindow(input), scan, for: object) else {
                scan.exceeded(EM_BUDGET_MEMORY, object)
                return nil
            }
        }
        var output = try Output(scan, in: object, expected: Int(clamping: size))
        if let format {
            // It passes over frames to be skipped.
            _ = try expand(input, by: format, into: &output)
            return output.count > 0 ? try output.finish() : nil
        }
        var rest = input
        while output.stoppedBy == 0, let piece = Self.framed(rest) {
            try scan.check()
            _ = try expandBrotli(rest.slice(piece.lowerBound, piece.upperBound), scan, into: &output)
            rest = rest.dropFirst(piece.upperBound)
        }
        if rest.count == input.count { _ = try expandBrotli(input, scan, into: &output) }
        return output.count > 0 ? try output.finish() : nil
    }

    /// The largest window of the streams of Brotli.
    private static func largestWindow(_ input: ByteView) -> Int {
        guard var piece = framed(input) else { return brotliWindow(input) }
        var rest = input
        var largest = 0
        while true {
            largest = max(largest, brotliWindow(rest.slice(piece.lowerBound, piece.upperBound)))
            rest = rest.dropFirst(piece.upperBound)
            guard let next = framed(rest) else { return largest }
            piece = next
        }
    }

    /// The stream behind a frame to be skipped, whose content begins with the stream's size.
    private static func framed(_ input: ByteView) -> Range<Int>? {
        guard input.load(UInt32.self, at: 0) == 0x184d_2a50, let size = input.load(UInt32.self, at: 4),
            size == 4 || size == 8, let count = input.load(UInt32.self, at: 8)
        else { return nil }
        let start = 8 + Int(size)
        return start + Int(count) <= input.count ? start..<start + Int(count) : nil
    }
}
