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
}

private func archive(
    _ name: StaticString, _ support: LibarchiveSupport, _ identify: @escaping (Candidate) -> Claim?
) -> Extractor {
    Extractor(name, variant: support.rawValue, identify: identify) { scan, object, extractor throws(ModuleError) in
        LibarchiveUnpacker(
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
