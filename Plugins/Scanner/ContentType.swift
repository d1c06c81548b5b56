import BytesE
import CModuleABI
import Executables

/// What an object is, by its content: magic numbers first, then the look of text.
///
/// Containers are asked first (they know their formats best); this decides the rest.
/// - Returns: `EM_TYPE_…`, EM_TYPE_UNKNOWN when nothing fits.
func contentType(of bytes: ByteView) -> UInt32 {
    if let type = magicType(bytes) { return type }
    guard !bytes.isEmpty else { return EM_TYPE_UNKNOWN }
    if looksLikeText(bytes.prefix(4096)) { return looksLikeHTML(bytes.prefix(2048)) ? EM_TYPE_HTML : EM_TYPE_TEXT }
    if let wide = wideType(bytes.prefix(4096)) { return wide }
    // Browsers and ClamAV pass over zeros between the characters of a page.
    return beginsLikeHTML(bytes.prefix(1024)) ? EM_TYPE_HTML : EM_TYPE_UNKNOWN
}

private func beginsLikeHTML(_ bytes: ByteView) -> Bool {
    var start = 0
    while start < bytes.count, isASCIISpace(bytes[start]) { start += 1 }
    return start < bytes.count && bytes[start] == 0x3c && looksLikeHTML(bytes.slice(start, start + 64))
}

private func magicType(_ bytes: ByteView) -> UInt32? {
    guard let head = bytes.loadBigEndian(UInt32.self, at: 0) else { return nil }
    switch head {
    case 0x7f45_4c46: return EM_TYPE_ELF
    case 0xd0cf_11e0: return EM_TYPE_OLE2
    case 0x504b_0304, 0x504b_0506, 0x504b_0708, 0x504b_3030: return EM_TYPE_ZIP
    case 0x2550_4446: return EM_TYPE_PDF
    case 0x7b5c_7274: return EM_TYPE_RTF  // {\rt
    case 0x8950_4e47, 0x4749_4638: return EM_TYPE_GRAPHICS
    case 0xfeed_face, 0xfeed_facf, 0xcefa_edfe, 0xcffa_edfe: return EM_TYPE_MACHO
    // Java classes and Mach-O files for several architectures.
    case 0xcafe_babe: return ExecutableFormat(bytes) == .universal ? EM_TYPE_MACHO : EM_TYPE_JAVA
    case 0x4c00_0000: return bytes.load(UInt32.self, at: 4) == 0x0002_1401 ? EM_TYPE_LNK : nil
    // The four letters alone make no archive that anybody opens.
    case 0x5261_7221: return bytes.loadBigEndian(UInt16.self, at: 4) == 0x1a07 ? EM_TYPE_ARCHIVE : nil  // Rar!
    case 0x377a_bcaf, 0xfd37_7a58, 0x4d53_4346: return EM_TYPE_ARCHIVE  // 7z, xz, cab
    default: break
    }
    switch head >> 8 {
    case 0x465753, 0x435753, 0x5a5753: return EM_TYPE_FLASH
    case 0xffd8ff: return EM_TYPE_GRAPHICS
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
    var index = bytes.firstIndex(below: 0x20)
    while index < bytes.count {
        let byte = bytes[index]
        if byte == 0 { return false }
        if !isASCIISpace(byte) && byte != 0x1b { odd += 1 }
        index = bytes.firstIndex(below: 0x20, from: index + 1)
    }
    return odd * 32 <= bytes.count
}

/// Text whose characters have two bytes (UTF-16 of Latin letters): every other byte is 0. nil when it is none.
private func wideType(_ bytes: ByteView) -> UInt32? {
    let mark = bytes.load(UInt16.self, at: 0)
    let begin = mark == 0xfeff || mark == 0xfffe ? 2 : 0
    guard bytes.count >= begin + 16 else { return nil }
    let zero = bytes[begin] == 0 ? begin : begin + 1
    var text: [UInt8] = []
    for index in stride(from: begin, to: bytes.count - 1, by: 2) {
        let (high, low) = zero == begin ? (bytes[index], bytes[index + 1]) : (bytes[index + 1], bytes[index])
        // Some characters of other alphabets are text too, but most must be Latin.
        text.append(high == 0 ? low : 0x3f)
        if index < begin + 32, high != 0 { return nil }
    }
    return text.withUnsafeBufferPointer { buffer in
        guard looksLikeText(ByteView(buffer)) else { return nil }
        return looksLikeHTML(ByteView(buffer)) ? EM_TYPE_HTML : EM_TYPE_TEXT
    }
}

/// Whether there is something that only pages begin with, or a tag of theirs.
private func looksLikeHTML(_ bytes: ByteView) -> Bool {
    var from = 0
    while let open = bytes.firstIndex(of: 0x3c, from: from) {
        let rest = bytes.dropFirst(open + 1)
        if rest.hasPrefixIgnoringCase(ByteView("!doctype html")) || isTag(rest, "html") || isTag(rest, "head")
            || isTag(rest, "body")
        {
            return true
        }
        from = open + 1
    }
    return hasMarkup(bytes)
}

/// Whether a text has one of the tags that make signatures look at it as HTML.
func hasMarkup(_ bytes: ByteView) -> Bool {
    var from = 0
    // Of the first link; without an address none is one.
    var address: Int?
    while let open = bytes.firstIndex(of: 0x3c, from: from) {
        from = open + 1
        let rest = bytes.dropFirst(from)
        switch rest.isEmpty ? 0 : rest[0] | 0x20 {
        case UInt8(ascii: "h"):
            if rest.hasPrefixIgnoringCase(ByteView("html>")) || rest.hasPrefixIgnoringCase(ByteView("head>")) {
                return true
            }
        case UInt8(ascii: "i"): if isTag(rest, "iframe") || isTag(rest, "img") { return true }
        case UInt8(ascii: "o"): if isTag(rest, "object") { return true }
        case UInt8(ascii: "s"): if isTag(rest, "script") { return true }
        case UInt8(ascii: "t"): if isTag(rest, "table") { return true }
        case UInt8(ascii: "a"):
            guard address == nil, rest.hasPrefixIgnoringCase(ByteView("a ")) else { break }
            address = addressOfLink(bytes, from: from + 2)
            if address != nil { return true }
            address = bytes.count
        default: break
        }
    }
    return false
}

/// Where `href` stands.
private func addressOfLink(_ bytes: ByteView, from start: Int) -> Int? {
    var from = start
    while let place = bytes.firstIndex(of: ByteView("ref"), from: from)
        ?? bytes.firstIndex(of: ByteView("REF"), from: from)
    {
        if place > start, bytes[place - 1] | 0x20 == UInt8(ascii: "h") { return place - 1 }
        from = place + 1
    }
    return nil
}

/// Whether a tag of that name begins here, behind its bracket.
private func isTag(_ bytes: ByteView, _ name: StaticString) -> Bool {
    let name = ByteView(name)
    guard bytes.hasPrefixIgnoringCase(name), bytes.count > name.count else { return false }
    let end = bytes[name.count]
    return end == 0x3e || end == 0x2f || isASCIISpace(end)
}
