#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// Finds the web addresses of a plain text, as mail programs make links of them.
///
/// Linear; at most `limit` links are kept.
package func webLinks(inText text: ByteView, limit: Int) -> [Link] {
    var result: [Link] = []
    var index = 0
    while index < text.count, result.count < limit {
        guard beginsLink(text, index) else {
            index += 1
            continue
        }
        var end = index
        while end < text.count, end - index < 2048, isLinkByte(text[end]) { end += 1 }
        // Punctuation at the end belongs to the sentence.
        while end > index, isTrailing(text[end - 1]) { end -= 1 }
        let target = text.slice(index, end)
        let named = host(ofLink: target)
        if named.contains(0x2e) { result.append(Link(target: target.array, host: named, shown: [])) }
        index = max(end, index + 4)
    }
    return result
}

private func beginsLink(_ text: ByteView, _ index: Int) -> Bool {
    let first = text[index] | 0x20
    guard first == 0x68 || first == 0x77 else { return false }
    let rest = text.slice(index, index + 8)
    if first == 0x68 {
        return rest.hasPrefixIgnoringCase(ByteView("http://")) || rest.hasPrefixIgnoringCase(ByteView("https://"))
    }
    guard rest.hasPrefixIgnoringCase(ByteView("www.")) else { return false }
    return index == 0 || !isLinkByte(text[index - 1]) || text[index - 1] == 0x28
}

private func isLinkByte(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte != 0x22 && byte != 0x3c && byte != 0x3e && byte != 0x5e && byte != 0x60 && byte != 0x7b
        && byte != 0x7d && byte != 0x7f
}

private func isTrailing(_ byte: UInt8) -> Bool {
    byte == 0x2e || byte == 0x2c || byte == 0x3b || byte == 0x3a || byte == 0x21 || byte == 0x3f || byte == 0x27
        || byte == 0x29 || byte == 0x5d
}
