#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// A link of a message: where it leads, and what the reader was shown in its place.
package struct Link: Sendable {
    /// The address as written, without the spaces around it; at most 2,048 bytes.
    package var target: [UInt8]
    /// Host name of the target, lower case, without port and user; empty for mailto:, tel: and the like.
    package var host: [UInt8]
    /// The host name that the visible text shows, lower case; empty when it shows none.
    package var shown: [UInt8]

    /// Whether the text shows one site and the link leads to another.
    package var isMismatched: Bool {
        guard !host.isEmpty, !shown.isEmpty else { return false }
        return !equal(registeredDomain(host), registeredDomain(shown))
    }

    private func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool { a == b }
}

/// The host of a web address ("http://user@Host:80/…", "//host/…", "www.host/…"), lower case, or nothing.
package func host(ofLink link: ByteView) -> [UInt8] {
    var rest = link.trimmed
    if rest.hasPrefixIgnoringCase(ByteView("http:")) {
        rest = rest.dropFirst(5)
    } else if rest.hasPrefixIgnoringCase(ByteView("https:")) {
        rest = rest.dropFirst(6)
    } else if !rest.hasPrefix(ByteView("//")), !rest.hasPrefixIgnoringCase(ByteView("www.")) {
        return []
    }
    // Browsers take any number of slashes, and backslashes too.
    while let first = rest.isEmpty ? nil : rest[0], first == 0x2f || first == 0x5c { rest = rest.dropFirst(1) }
    var end = 0
    while end < rest.count, !isAuthorityEnd(rest[end]) { end += 1 }
    var authority = rest.prefix(end)
    var index = authority.count - 1
    while index >= 0, authority[index] != 0x40 { index -= 1 }
    authority = authority.dropFirst(index + 1)
    if let colon = authority.firstIndex(of: 0x3a) { authority = authority.prefix(colon) }
    return domain(authority)
}

/// The host name that a visible text consists of ("https://www.bank.example/login", "bank.example"), or nothing.
///
/// Only a text that is an address and nothing else counts: "pay at shop.example now" shows no destination.
package func host(shownBy text: ByteView) -> [UInt8] {
    let text = text.trimmed
    guard text.count >= 4, text.count <= 512, text.firstIndex(of: 0x20) == nil else { return [] }
    let named = host(ofLink: text)
    if !named.isEmpty { return named }
    guard text.firstIndex(of: 0x40) == nil else { return [] }
    var end = 0
    while end < text.count, !isAuthorityEnd(text[end]), text[end] != 0x3a { end += 1 }
    // A bare word with a dot may be a file name or a sentence without a space: only well-known endings count.
    let bare = domain(text.prefix(end))
    guard let dot = bare.lastIndex(of: 0x2e) else { return [] }
    let isKnown = bare.withUnsafeBufferPointer { buffer in
        isWord(
            ByteView(buffer).dropFirst(dot + 1),
            of: "com net org info biz gov edu de uk fr eu nl it es at ch pl cz sk us ca au jp")
    }
    return isKnown ? bare : []
}

/// The part of a host name that somebody registered: its last two labels, or three below a country's "co", "com",
/// "ac" and their like. An address in numbers is returned whole.
///
/// An approximation of the public suffix list, good enough to compare two names.
package func registeredDomain(_ host: [UInt8]) -> [UInt8] {
    if isNumeric(host: host) { return host }
    var dots: [Int] = []
    for index in host.indices.reversed() where host[index] == 0x2e {
        dots.append(index)
        if dots.count == 3 { break }
    }
    guard dots.count >= 2 else { return host }
    let last = host.count - dots[0] - 1
    let second = dots[0] - dots[1] - 1
    if last == 2, second <= 3 {
        return dots.count == 3 ? Array(host[(dots[2] + 1)...]) : host
    }
    return Array(host[(dots[1] + 1)...])
}

/// Whether a host is written in numbers: dotted, decimal, hexadecimal, or an IPv6 address in brackets.
package func isNumeric(host: [UInt8]) -> Bool {
    guard let first = host.first else { return false }
    if first == 0x5b { return true }
    if host.count > 2, first == 0x30, host[1] == 0x78 { return true }
    return host.allSatisfy { $0 == 0x2e || $0 &- 0x30 < 10 }
}

/// Whether a word is one of a list that is written with single spaces; letters of ASCII in any case.
package func isWord(_ word: ByteView, of list: StaticString) -> Bool {
    guard !word.isEmpty else { return false }
    let list = ByteView(list)
    var start = 0
    while start < list.count {
        let end = list.firstIndex(of: 0x20, from: start) ?? list.count
        if end - start == word.count, list.slice(start, end).equalsIgnoringCase(word) { return true }
        start = end + 1
    }
    return false
}

private func isAuthorityEnd(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte == 0x2f || byte == 0x5c || byte == 0x3f || byte == 0x23 || byte == 0x22 || byte == 0x3c
        || byte == 0x3e || byte == 0x27
}

/// A host name in lower case without a final dot; nothing when it cannot be one.
private func domain(_ name: ByteView) -> [UInt8] {
    var result: [UInt8] = []
    guard name.count >= 1, name.count <= 253 else { return [] }
    result.reserveCapacity(name.count)
    for byte in name.buffer {
        let lower = asciiLowercased(byte)
        let letter = lower &- 0x61 < 26 || lower &- 0x30 < 10 || lower >= 0x80
        guard letter || lower == 0x2e || lower == 0x2d || lower == 0x5f else { return [] }
        result.append(lower)
    }
    while result.last == 0x2e { result.removeLast() }
    return result
}
