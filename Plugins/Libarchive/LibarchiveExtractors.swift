import BytesE
import CModuleABI
import ModuleKit
package import Unpacking

/// Calls `body` for each format that libarchive reads for us.
package func libarchiveExtractors(_ body: (Extractor) -> Void) {
    body(
        archive("7Z", [.sevenZip]) {
            // After whoever may have a password for it.
            $0.data.hasPrefix(bytes: 0x377a_bcaf, then: 0x271c)
                ? Claim(.whole, sureness: 99, type: EM_TYPE_ARCHIVE) : nil
        })
    body(
        archive("RAR", [.rar]) {
            $0.data.hasPrefix(bytes: 0x5261_7221, then: 0x1a07)
                ? Claim(.whole, sureness: 99, type: EM_TYPE_ARCHIVE) : nil
        })
    body(archive("CAB", [.cab]) { $0.data.hasPrefix(ByteView("MSCF\0\0\0\0")) ? .magic(EM_TYPE_ARCHIVE) : nil })
    body(
        archive("ISO", [.iso9660]) {
            $0.data.slice(32769, 32774).equals(ByteView("CD001")) ? .magic(EM_TYPE_ARCHIVE) : nil
        })
    body(archive("XAR", [.xar]) { $0.data.hasPrefix(ByteView("xar!")) ? .magic(EM_TYPE_ARCHIVE) : nil })
    body(archive("CPIO", [.cpio]) { looksLikeCPIO($0.data) ? .magic(EM_TYPE_ARCHIVE) : nil })
    body(archive("AR", [.ar]) { $0.data.hasPrefix(ByteView("!<arch>\n")) ? .magic(EM_TYPE_ARCHIVE) : nil })
    body(
        archive("RPM", [.cpio, .rpm, .gzip, .bzip2, .xz, .lzma, .zstd]) {
            $0.data.hasPrefix(bytes: 0xedab_eedb) ? .magic(EM_TYPE_ARCHIVE) : nil
        })

    body(stream("BZIP2", [.bzip2, .raw]) { isBzip2($0.data) ? .magic(EM_TYPE_ARCHIVE) : nil })
    body(
        stream("XZ", [.xz, .raw]) {
            $0.data.hasPrefix(bytes: 0xfd37_7a58, then: 0x5a00) ? .magic(EM_TYPE_ARCHIVE) : nil
        })
    body(stream("LZMA", [.lzma, .raw]) { looksLikeLZMA($0.data) ? .magic(EM_TYPE_ARCHIVE) : nil })
    body(stream("LZIP", [.lzip, .raw]) { $0.data.hasPrefix(ByteView("LZIP\u{1}")) ? .magic(EM_TYPE_ARCHIVE) : nil })
    body(stream("LZ4", [.lz4, .raw]) { isLZ4($0.data) ? .magic(EM_TYPE_ARCHIVE) : nil })
    body(stream("ZSTD", [.zstd, .raw]) { looksLikeZstandard($0.data) ? .magic(EM_TYPE_ARCHIVE) : nil })
    body(stream("COMPRESS", [.compress, .raw]) { isCompress($0.data) ? .magic(EM_TYPE_ARCHIVE) : nil })
}

private func archive(
    _ name: StaticString, _ support: LibarchiveSupport, _ identify: @escaping (Candidate) -> Claim?
) -> Extractor {
    Extractor(name, variant: support.rawValue, identify: identify) { scan, object, extractor throws(ModuleError) in
        LibarchiveUnpacker(
            scan, object, format: extractor.name, LibarchiveSupport(rawValue: extractor.variant))
    }
}

private func stream(
    _ name: StaticString, _ support: LibarchiveSupport, _ identify: @escaping (Candidate) -> Claim?
) -> Extractor {
    Extractor(name, variant: support.rawValue, identify: identify) { scan, object, extractor throws(ModuleError) in
        StreamUnpacker(
            scan, object, format: extractor.name, LibarchiveSupport(rawValue: extractor.variant))
    }
}

extension ByteView {
    /// Whether the bytes begin with a big-endian number, and another of two bytes when it is given.
    fileprivate func hasPrefix(bytes: UInt32, then more: UInt16? = nil) -> Bool {
        guard loadBigEndian(UInt32.self, at: 0) == bytes else { return false }
        return more == nil || loadBigEndian(UInt16.self, at: 4) == more
    }
}

/// "BZh", the block size, and the magic of a block or of the end.
private func isBzip2(_ data: ByteView) -> Bool {
    guard data.count >= 10, data.hasPrefix(ByteView("BZh")), (0x31...0x39).contains(data[3]) else { return false }
    let magic = data.loadBigEndian(UInt32.self, at: 4)
    return magic == 0x3141_5926 || magic == 0x1772_4538
}

private func looksLikeCPIO(_ data: ByteView) -> Bool {
    if data.hasPrefix(ByteView("070707")) || data.hasPrefix(ByteView("070701")) || data.hasPrefix(ByteView("070702")) {
        return true
    }
    // The old binary form: its magic in either order, then the name's size.
    guard data.count >= 26, let magic = data.load(UInt16.self, at: 0) else { return false }
    guard magic == 0x71c7 || magic == 0xc771 else { return false }
    let size = magic == 0x71c7 ? data.load(UInt16.self, at: 20) : data.loadBigEndian(UInt16.self, at: 20)
    return (1...1024).contains(size ?? 0)
}

/// The old format has no magic: properties that encoders use, a plausible dictionary, and a size that is unknown or
/// below 256 GiB (what `file` and liblzma believe too).
private func looksLikeLZMA(_ data: ByteView) -> Bool {
    guard data.count > 18, data[0] == 0x5d, let dictionary = data.load(UInt32.self, at: 1),
        let size = data.load(UInt64.self, at: 5)
    else { return false }
    guard dictionary >= 4096, dictionary & (dictionary - 1) == 0 || dictionary % 3 == 0 else { return false }
    // The first byte of the range coder is 0.
    return (size == .max || size < 1 << 38) && data[13] == 0
}

/// A frame, or a skippable frame before one.
private func looksLikeZstandard(_ data: ByteView) -> Bool {
    guard let magic = data.load(UInt32.self, at: 0) else { return false }
    if magic == 0xfd2f_b528 { return true }
    guard magic & 0xffff_fff0 == 0x184d_2a50, let size = data.load(UInt32.self, at: 4) else { return false }
    return data.load(UInt32.self, at: 8 + Int(size)) == 0xfd2f_b528
}

private func isLZ4(_ data: ByteView) -> Bool {
    let magic = data.load(UInt32.self, at: 0)
    return magic == 0x184d_2204 || magic == 0x184c_2102
}

private func isCompress(_ data: ByteView) -> Bool {
    data.count > 3 && data[0] == 0x1f && data[1] == 0x9d && (9...16).contains(data[2] & 0x1f)
}
