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
        var rest = input
        var isFramed = false
        while output.stoppedBy == 0, let piece = Self.framed(rest) {
            try scan.check()
            isFramed = true
            try expandStream(rest.slice(piece.lowerBound, piece.upperBound), by: format, into: &output)
            rest = rest.dropFirst(piece.upperBound)
        }
        if !isFramed { try expandStream(input, by: format, into: &output) }
        return output.count > 0 ? try output.finish() : nil
    }

    private func expandStream(
        _ stream: ByteView, by format: StreamFormat?, into output: inout Output
    ) throws(ModuleError) {
        if let format {
            _ = try expand(stream, by: format, into: &output)
        } else {
            _ = try expandBrotli(stream, scan, into: &output)
        }
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
