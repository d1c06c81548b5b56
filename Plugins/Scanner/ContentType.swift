import BytesE
import CModuleABI
import Executables

/// What an object is, by its content: magic numbers first, then the look of text.
///
/// Containers are asked first (they know their formats best); this decides the rest.
/// - Returns: `EM_TYPE_…`, EM_TYPE_UNKNOWN when nothing fits.
func contentType(of bytes: ByteView) -> UInt32 {
    if let type = magicType(bytes) { return type }
    guard !bytes.isEmpty, looksLikeText(bytes.prefix(4096)) else { return EM_TYPE_UNKNOWN }
    return looksLikeHTML(bytes.prefix(2048)) ? EM_TYPE_HTML : EM_TYPE_TEXT
}

private func magicType(_ bytes: ByteView) -> UInt32? {
    guard let head = bytes.loadBigEndian(UInt32.self, at: 0) else { return nil }
    switch head {
    case 0x7f45_4c46: return EM_TYPE_ELF
    case 0xd0cf_11e0: return EM_TYPE_OLE2
    case 0x504b_0304, 0x504b_0506, 0x504b_0708, 0x504b_3030: return EM_TYPE_ZIP
    case 0x2550_4446: return EM_TYPE_PDF
    case 0x7b5c_7274: return EM_TYPE_RTF  // {\rt
    case 0x8950_4e47, 0x4749_4638, 0xffd8_ffe0, 0xffd8_ffe1, 0xffd8_ffdb: return EM_TYPE_GRAPHICS
    case 0xfeed_face, 0xfeed_facf, 0xcefa_edfe, 0xcffa_edfe: return EM_TYPE_MACHO
    // Java classes and Mach-O files for several architectures.
    case 0xcafe_babe: return ExecutableFormat(bytes) == .universal ? EM_TYPE_MACHO : EM_TYPE_JAVA
    case 0x4c00_0000: return bytes.load(UInt32.self, at: 4) == 0x0002_1401 ? EM_TYPE_LNK : nil
    case 0x5261_7221, 0x377a_bcaf, 0xfd37_7a58, 0x4d53_4346: return EM_TYPE_ARCHIVE  // Rar!, 7z, xz, cab
    default: break
    }
    switch head >> 8 {
    case 0x465753, 0x435753, 0x5a5753: return EM_TYPE_FLASH
    case 0x425a68:  // BZh and the block size, 1 to 9
        return (0x31...0x39).contains(head & 0xff) && bytes.loadBigEndian(UInt32.self, at: 4) == 0x3141_5926
            ? EM_TYPE_ARCHIVE : nil
    default: break
    }
    switch head >> 16 {
    case 0x4d5a: return isProgram(bytes) ? EM_TYPE_PE : nil
    case 0x1f8b: return EM_TYPE_GZIP
    case 0x2321: return EM_TYPE_SCRIPT  // #!
    case 0x424d: return bytes.load(UInt32.self, at: 6) == 0 ? EM_TYPE_GRAPHICS : nil
    default: break
    }
    // ACE, ARJ, LHA by what follows their sizes.
    if bytes.slice(7, 14).equals(ByteView("**ACE**")) { return EM_TYPE_ARCHIVE }
    if head >> 16 == 0x60ea, bytes.count > 10 { return EM_TYPE_ARCHIVE }
    if bytes.slice(2, 5).equals(ByteView("-lh")) { return EM_TYPE_ARCHIVE }
    if bytes.slice(257, 262).equals(ByteView("ustar")) { return EM_TYPE_TAR }
    // Readers accept a PDF header that other bytes precede.
    return bytes.prefix(1024).firstIndex(of: ByteView("%PDF-")) != nil ? EM_TYPE_PDF : nil
}

/// MZ begins programs for Windows and DOS. A letter may begin with it, too, and is text.
private func isProgram(_ bytes: ByteView) -> Bool {
    ExecutableFormat(bytes) == .portableExecutable || !looksLikeText(bytes.prefix(4096))
}

private func looksLikeText(_ bytes: ByteView) -> Bool {
    var odd = 0
    for index in 0..<bytes.count {
        let byte = bytes[index]
        if byte == 0 { return false }
        if byte < 0x20 && !isASCIISpace(byte) && byte != 0x1b { odd += 1 }
    }
    return odd * 32 <= bytes.count
}

private func looksLikeHTML(_ bytes: ByteView) -> Bool {
    var from = 0
    while let open = bytes.firstIndex(of: 0x3c, from: from) {
        let rest = bytes.dropFirst(open + 1)
        if rest.hasPrefixIgnoringCase(ByteView("!doctype html")) || rest.hasPrefixIgnoringCase(ByteView("html"))
            || rest.hasPrefixIgnoringCase(ByteView("head")) || rest.hasPrefixIgnoringCase(ByteView("body"))
            || rest.hasPrefixIgnoringCase(ByteView("script")) || rest.hasPrefixIgnoringCase(ByteView("table"))
        {
            return true
        }
        from = open + 1
    }
    return false
}
