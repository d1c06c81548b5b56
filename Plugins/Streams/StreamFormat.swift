package import BytesE
package import CModuleABI
import CStreams
package import ModuleKit

/// A format of one compressed file, without names or directories.
package enum StreamFormat: UInt32, Sendable {
    case bzip2, xz, lzma, lzip, zstd, lz4, compress

    /// What CStreams calls it; nil for those that are decoded here.
    var library: Int32? {
        switch self {
        case .bzip2: CSTREAMS_BZIP2
        case .xz: CSTREAMS_XZ
        case .lzma: CSTREAMS_LZMA
        case .lzip: CSTREAMS_LZIP
        case .zstd: CSTREAMS_ZSTD
        case .lz4, .compress: nil
        }
    }

    /// Whether bytes begin like this format.
    package func isBegun(by data: ByteView) -> Bool {
        switch self {
        case .bzip2: isBzip2(data)
        case .xz:
            data.loadBigEndian(UInt32.self, at: 0) == 0xfd37_7a58 && data.loadBigEndian(UInt16.self, at: 4) == 0x5a00
        case .lzma: looksLikeLZMA(data)
        case .lzip: data.hasPrefix(ByteView("LZIP")) && data.count > 4 && data[4] <= 1
        case .zstd: behindSkippable(data).load(UInt32.self, at: 0) == 0xfd2f_b528
        case .lz4: LZ4Frame(behindSkippable(data)) != nil
        case .compress: data.count > 3 && data[0] == 0x1f && data[1] == 0x9d && data[2] & 0x1f <= 16
        }
    }

    /// Whether bytes behind a stream begin another one that its tools would take as its continuation.
    func isContinued(by data: ByteView) -> Bool {
        switch self {
        case .lzma, .compress: false
        case .zstd, .lz4: isSkippable(data) || isBegun(by: data)
        default: isBegun(by: data)
        }
    }

    /// Takes room out of the scan's memory for the window that the decoder may keep beside the output, so that both together
    /// stay within the limit. Nothing is written there, so it costs no memory by itself; the decoder writes to its window
    /// no more than comes out of it.
    ///
    /// - Parameter stated: the window of plain LZMA, in bytes; it is believed, as the stream has no other.
    package func reserveWindow(
        _ scan: ScanContext, for object: UnsafePointer<em_object>, stated: UInt32?
    ) throws(ModuleError) {
        switch self {
        case .xz, .lzma, .lzip, .zstd: break
        case .bzip2, .lz4, .compress: return
        }
        let left = scan.left(EM_BUDGET_MEMORY, for: object)
        guard left < 1 << 40 else { return }
        _ = try scan.allocate(Int(min(left / 2, stated.map { UInt64($0) } ?? .max)))
    }
}

/// "BZh", the block size, and the magic of a block or of the end.
private func isBzip2(_ data: ByteView) -> Bool {
    guard data.count >= 10, data.hasPrefix(ByteView("BZh")), (0x31...0x39).contains(data[3]) else { return false }
    let magic = data.loadBigEndian(UInt32.self, at: 4)
    return magic == 0x3141_5926 || magic == 0x1772_4538
}

/// The old format has no magic: a plausible dictionary (2^n or 3·2^n), and a size that is unknown or below 256 GiB (what `file`
/// and liblzma believe too). Of other properties than those that encoders use, the beginning must expand as well.
private func looksLikeLZMA(_ data: ByteView) -> Bool {
    guard data.count > 18, data[0] < 225, let dictionary = data.load(UInt32.self, at: 1),
        let size = data.load(UInt64.self, at: 5)
    else { return false }
    let odd = dictionary == 0 ? 0 : dictionary >> UInt32(dictionary.trailingZeroBitCount)
    guard dictionary >= 4096, odd == 1 || odd == 3 else { return false }
    // The first byte of the range coder is 0.
    guard size == .max || (1..<1 << 38).contains(size), data[13] == 0 else { return false }
    return data[0] == 0x5d || StreamDecoder(CSTREAMS_LZMA).begins(data.prefix(512))
}

/// What follows frames that are passed over; of very many, those behind are not looked at.
private func behindSkippable(_ data: ByteView) -> ByteView {
    var rest = data
    for _ in 0..<64 where isSkippable(rest) {
        guard let size = rest.load(UInt32.self, at: 4) else { break }
        rest = rest.dropFirst(8 + Int(size))
    }
    return rest
}

/// A frame that decoders pass over (RFC 8878 3.1.2), which LZ4 has too.
func isSkippable(_ data: ByteView) -> Bool {
    data.load(UInt32.self, at: 0).map { $0 & 0xffff_fff0 == 0x184d_2a50 } ?? false
}

extension StreamDecoder {
    /// Whether something comes out of the first bytes of a stream, and no damage. It cannot be used any more.
    fileprivate func begins(_ data: ByteView) -> Bool {
        guard let handle else { return false }
        var input = data.buffer.baseAddress
        var inputLeft = data.count
        var room = InlineArray<256, UInt8>(repeating: 0)
        var roomLeft = 256
        var mutable = room.mutableSpan
        let status = mutable.withUnsafeMutableBufferPointer { buffer in
            var place = buffer.baseAddress
            return CStreams_expand(handle, &inputLeft, &input, &roomLeft, &place)
        }
        return status != CSTREAMS_DAMAGED && roomLeft < 256
    }
}
