import BytesE

/// The text of a page: without tags, scripts and styles, the commonest references resolved.
func markupText(_ page: ByteView) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(page.count)
    var index = 0
    while index < page.count {
        let byte = page[index]
        if byte == 0x3c {
            let rest = page.dropFirst(index)
            index = tagEnd(page, index)
            for hidden: StaticString in ["<style", "<script"] where rest.hasPrefixIgnoringCase(ByteView(hidden)) {
                // The end tag has a slash behind its bracket; whatever it closes, text follows.
                while index < page.count, !(page[index] == 0x3c && index + 1 < page.count && page[index + 1] == 0x2f) {
                    index += 1
                }
            }
            // Tags inside a word only paint it; others separate.
            if !rest.hasPrefixIgnoringCase(ByteView("<span")), !rest.hasPrefixIgnoringCase(ByteView("</span")),
                !rest.hasPrefixIgnoringCase(ByteView("<b>")), !rest.hasPrefixIgnoringCase(ByteView("</b>"))
            {
                result.append(0x20)
            }
        } else if byte == 0x26, let reference = reference(page.slice(index, index + 10)) {
            result.append(reference.byte)
            index += reference.size
        } else {
            result.append(byte)
            index += 1
        }
    }
    return result
}

private func tagEnd(_ page: ByteView, _ start: Int) -> Int {
    (page.firstIndex(of: 0x3e, from: start) ?? page.count - 1) + 1
}

private func reference(_ text: ByteView) -> (byte: UInt8, size: Int)? {
    for (name, byte): (StaticString, UInt8) in [
        ("&amp;", 0x26), ("&lt;", 0x3c), ("&gt;", 0x3e), ("&quot;", 0x22), ("&apos;", 0x27), ("&nbsp;", 0x20),
    ] where text.hasPrefixIgnoringCase(ByteView(name)) {
        return (byte, ByteView(name).count)
    }
    guard text.hasPrefix(ByteView("&#")), let end = text.firstIndex(of: 0x3b) else { return nil }
    var value = 0
    for place in 2..<end {
        guard text[place] &- 0x30 < 10 else { return nil }
        value = value * 10 + Int(text[place] - 0x30)
    }
    return value > 0 && value < 0x80 ? (UInt8(value), end + 1) : nil
}
