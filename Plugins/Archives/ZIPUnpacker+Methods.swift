import BytesE
import CModuleABI
import Libarchive
import ModuleKit
import Streams
import Unpacking

/// Methods of compression. PPMd is libarchive's: it gets an archive of the entry alone, so that what the forged headers around
/// it say plays no part.
extension ZIPUnpacker {
    /// Methods that are formats of their own (APPNOTE.TXT 4.4.5).
    private static func format(_ method: UInt16) -> StreamFormat? {
        switch method {
        case 12: .bzip2
        case 20, 93: .zstd
        case 95: .xz
        default: nil
        }
    }

    /// Expands the data of an entry.
    ///
    /// - Parameters:
    ///   - method: as it is in `entry`, or what encryption hid.
    ///   - packed: the data; when its size is not known, with everything behind it.
    /// - Returns: how many bytes of `packed` belong to the entry.
    func expand(
        _ entry: ZIPEntry, method: UInt16, _ packed: ByteView, isSizeKnown: Bool, _ child: inout Child
    ) throws(ModuleError) -> Int {
        switch method {
        case 0:
            child.data = packed
            return packed.count
        case 1...6, 8, 9, 12, 14, 20, 93, 95:
            let format = Self.format(method)
            // What a wrong password makes of the data begins like none of them.
            if method == 14, packed.load(UInt16.self, at: 2) == 5 {
                try StreamFormat.lzma.reserveWindow(scan, for: object, stated: packed.load(UInt32.self, at: 5))
            } else if let format, format.isBegun(by: packed) {
                try format.reserveWindow(scan, for: object, stated: nil)
            }
            var output = try Output(scan, in: object, expected: Int(clamping: entry.size))
            let result: (end: InflateEnd, used: Int)
            switch method {
            case 8: result = try inflateRaw(packed, into: &output)
            case 9: result = try inflate64(packed, into: &output)
            // A version and the size of the properties (5.8.8) come first; without an end mark the size says where it ends.
            case 14:
                let most = entry.flags & 2 == 0 && entry.size > 0 ? Int(clamping: entry.size) : .max
                guard packed.load(UInt16.self, at: 2) == 5 else {
                    result = (packed.count < 9 ? .truncated : .damaged, 0)
                    break
                }
                let stream = try expandLZMA(packed.dropFirst(4), most: most, mostWindow: .max, into: &output)
                result = (stream.end, min(4 + stream.used, packed.count))
            case 12, 20, 93, 95: result = try Streams.expand(packed, by: format ?? .bzip2, into: &output)
            default:
                // Without an end mark: the content is as long as the header says.
                let end: InflateEnd
                switch method {
                case 1: end = try unshrink(packed, size: entry.size, into: &output)
                case 6:
                    end = try explode(
                        packed, hasLargeWindow: entry.flags & 2 != 0, hasLiteralCode: entry.flags & 4 != 0,
                        size: entry.size, into: &output)
                default: end = try unreduce(packed, factor: Int(method) - 1, size: entry.size, into: &output)
                }
                result = (end, isSizeKnown ? packed.count : 0)
            }
            note(result.end, &child)
            try close(&output, &child)
            return isSizeKnown ? packed.count : result.used
        default:
            guard isSizeKnown, method == 98 else {
                child.flags |= EM_OBJECT_UNSUPPORTED
                return isSizeKnown ? packed.count : 0
            }
            var plain = entry
            plain.method = method
            plain.packedSize = UInt64(packed.count)
            try unpackByLibarchive(plain, packed, &child)
            return packed.count
        }
    }

    func unpackByLibarchive(_ entry: ZIPEntry, _ packed: ByteView, _ child: inout Child) throws(ModuleError) {
        guard entry.packedSize < 1 << 32, entry.size < 1 << 32 else {
            child.flags |= EM_OBJECT_UNSUPPORTED
            return
        }
        let header = ownHeader(entry)
        var failure: ModuleError?
        header.span.withUnsafeBufferPointer { buffer in
            do throws(ModuleError) {
                try read(LibarchiveReader(scan, head: ByteView(buffer), packed, .zip), entry, &child)
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// A local header (4.3.7) with a name of one byte.
    private func ownHeader(_ entry: ZIPEntry) -> InlineArray<31, UInt8> {
        var header = InlineArray<31, UInt8>(repeating: 0)
        func put(_ value: UInt64, _ size: Int, at offset: Int) {
            for index in 0..<size { header[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
        }
        put(UInt64(ZIPEntry.localSignature), 4, at: 0)
        put(63, 2, at: 4)
        put(UInt64(entry.method), 2, at: 8)
        put(UInt64(entry.crc32), 4, at: 14)
        put(entry.packedSize, 4, at: 18)
        put(entry.size, 4, at: 22)
        put(1, 2, at: 26)
        put(0x78, 1, at: 30)
        return header
    }

    private func read(_ reader: LibarchiveReader?, _ entry: ZIPEntry, _ child: inout Child) throws(ModuleError) {
        guard let reader, try reader.next().outcome == .ready else {
            child.flags |= EM_OBJECT_MALFORMED
            return
        }
        // The model has the size that the entry states.
        try LibarchiveSupport.zip.reserveWindow(scan, for: object)
        var output = try Output(scan, in: object, expected: Int(clamping: entry.size))
        reading: while let room = try output.room() {
            let (outcome, count) = try reader.read(into: room)
            output.advance(count)
            switch outcome {
            case .ready: continue
            case .end: break reading
            case .failed:
                child.flags |= EM_OBJECT_UNSUPPORTED
                break reading
            case .fatal:
                child.flags |= EM_OBJECT_MALFORMED
                break reading
            }
        }
        try close(&output, &child)
    }
}
