package import BytesE

/// Addresses as they stand in links and in what links show, made comparable.
///
/// Only what is before the path counts. Documented in Cisco-Talos/clamav-documentation, PhishSigs.
package enum LinkText {
    // MARK: What is an address

    /// Whether a text is an address that can be judged.
    ///
    /// - Parameter anyScheme: any word before a colon will do; without it, http, https and ftp.
    package static func isAddress(_ text: ByteView, anyScheme: Bool) -> Bool {
        var url = text
        while !url.isEmpty, url[0] == 0x20 { url = url.dropFirst(1) }
        let scheme = knownScheme(url)
        if let scheme, url.dropFirst(scheme).hasPrefix(ByteView("://")) { return true }
        var host = url
        var hasScheme = false
        let colon = anyScheme ? url.firstIndex(of: UInt8(ascii: ":")) : scheme
        if let colon, isSchemeName(url.prefix(colon)) {
            host = url.dropFirst(colon + 1)
            for _ in 0..<2 where host.hasPrefix(ByteView("/")) { host = host.dropFirst(1) }
            hasScheme = true
        }
        host = host.prefix(host.firstIndex(of: UInt8(ascii: "/")) ?? host.count)
        // "name@example.com" is no link, "example.com@elsewhere" is.
        if !hasScheme, let at = host.firstIndex(of: UInt8(ascii: "@")) {
            guard let dot = host.lastIndex(of: UInt8(ascii: "."), in: 0..<at), dot > 0,
                isTopLevel(host.slice(dot + 1, at))
            else { return false }
        }
        var start = 0
        var hasTopLevel = false
        while let dot = host.firstIndex(of: UInt8(ascii: "."), from: start) {
            let label = host.slice(start, dot)
            guard isLabel(label) else { return false }
            if anyScheme, isTopLevel(label) { hasTopLevel = true }
            start = dot + 1
        }
        guard start > 0 else { return false }
        var last = host.dropFirst(start)
        while !last.isEmpty, last[last.count - 1] == 0x20 { last = last.prefix(last.count - 1) }
        return isTopLevel(last) || (anyScheme && hasTopLevel)
    }

    /// Length of a scheme that counts as one of a link.
    private static func knownScheme(_ url: ByteView) -> Int? {
        if url.hasPrefix(ByteView("https:")) { return 5 }
        if url.hasPrefix(ByteView("http:")) { return 4 }
        if url.hasPrefix(ByteView("ftp:")) { return 3 }
        return nil
    }

    private static func isSchemeName(_ text: ByteView) -> Bool {
        guard !text.isEmpty, isLetter(text[0]) else { return false }
        for byte in text.buffer where !isLabelByte(byte, plus: false) { return false }
        return true
    }

    private static func isLabel(_ text: ByteView) -> Bool {
        for byte in text.buffer where !isLabelByte(byte, plus: true) { return false }
        return !text.isEmpty
    }

    /// What RFC 1630 allows in a word, without the dot.
    private static func isLabelByte(_ byte: UInt8, plus: Bool) -> Bool {
        if isLetter(byte) || byte &- 0x30 < 10 { return true }
        switch byte {
        case UInt8(ascii: "!"), UInt8(ascii: "\""), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "*"), UInt8(ascii: ","),
            UInt8(ascii: "-"), UInt8(ascii: "@"), UInt8(ascii: "_"), 0x20:
            return true
        case UInt8(ascii: "#"), UInt8(ascii: "+"): return plus
        default: return false
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    // MARK: Cleaning

    /// The address without what follows its host, and without what mail programs and forgers put around it.
    ///
    /// - Parameter isTarget: where the link leads, in contrast to what it shows.
    package static func cleaned(_ text: ByteView, isTarget: Bool) -> [UInt8] {
        // Bits that ASCII has not would be another way to write a letter.
        var bytes = text.buffer.map { max($0 & 0x7f, 0x20) }
        trim(&bytes)
        guard bytes.count > 1 else { return [] }
        for index in bytes.indices where bytes[index] == UInt8(ascii: "\\") { bytes[index] = UInt8(ascii: "/") }
        // Names of programming environments look like hosts.
        for name in [".net", "ado.net", "asp.net"] as [StaticString] where hasPrefix(bytes, name) { return [] }
        var host = 0
        if let colon = bytes.firstIndex(of: UInt8(ascii: ":")) {
            host = colon + 1
            while host < bytes.count - 1, bytes[host] == UInt8(ascii: "/") { host += 1 }
        }
        var end = host
        while end < bytes.count, !isHostEnd(bytes[end]) { end += 1 }
        bytes.removeSubrange(end...)
        for index in bytes.indices where isBracket(bytes[index]) { bytes[index] = 0x20 }
        remove("&lt", from: &bytes)
        remove("&gt", from: &bytes)
        unescape(&bytes)
        // Schemes and hosts do not know case, and letters may have been escaped.
        for index in bytes.indices { bytes[index] = asciiLowercased(bytes[index]) }
        if isTarget {
            bytes.removeAll { $0 == 0x20 }
        } else {
            // Spaces within are a way to hide an address from programs.
            bytes.removeAll { $0 == 0x20 }
            while let first = bytes.first, !isAlphanumeric(first) { bytes.removeFirst() }
            while let last = bytes.last, !isAlphanumeric(last) { bytes.removeLast() }
        }
        return bytes
    }

    private static func isHostEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ":") || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?")
    }

    private static func isBracket(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "\"")
            || byte == UInt8(ascii: ";")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool { isLetter(byte) || byte &- 0x30 < 10 }

    private static func hasPrefix(_ bytes: [UInt8], _ prefix: StaticString) -> Bool {
        bytes.withUnsafeBufferPointer { ByteView($0).hasPrefix(ByteView(prefix)) }
    }

    private static func trim(_ bytes: inout [UInt8]) {
        while let last = bytes.last, isASCIISpace(last) { bytes.removeLast() }
        var count = 0
        while count < bytes.count, isASCIISpace(bytes[count]) { count += 1 }
        bytes.removeSubrange(..<count)
    }

    private static func remove(_ text: StaticString, from bytes: inout [UInt8]) {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        bytes.withUnsafeBufferPointer { buffer in
            let view = ByteView(buffer)
            var index = 0
            while index < view.count {
                if view.dropFirst(index).hasPrefix(ByteView(text)) {
                    index += text.utf8CodeUnitCount
                } else {
                    result.append(view[index])
                    index += 1
                }
            }
        }
        bytes = result
    }

    /// `%41` as the character, again when that makes a new `%`; `%00` becomes the byte 1, which `isCloaked` finds.
    static func unescape(_ bytes: inout [UInt8]) {
        // A text of at most 1,024 bytes shrinks with each round.
        for _ in 0..<8 {
            var result: [UInt8] = []
            var isAgain = false
            var index = 0
            while index < bytes.count {
                if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = digit(bytes[index + 1]),
                    let low = digit(bytes[index + 2])
                {
                    let value = high << 4 | low
                    if value == UInt8(ascii: "%") { isAgain = true }
                    result.append(value == 0 ? 1 : value)
                    index += 3
                } else {
                    result.append(bytes[index])
                    index += 1
                }
            }
            bytes = result
            if !isAgain { return }
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        if byte &- 0x30 < 10 { return byte - 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter + 10 : nil
    }

    /// Whether a cleaned address had a NUL in it.
    package static func isCloaked(_ text: ByteView) -> Bool { text.firstIndex(of: 1) != nil }

    // MARK: Hosts

    /// What is known about the host of a cleaned address.
    package struct Host {
        /// Lower case; empty when there is none.
        package let name: ByteView
        /// The address begins with what looks like another host: "example.com@elsewhere".
        package let hasMisleadingUser: Bool

        /// Four numbers.
        package var isNumeric: Bool {
            guard name.count >= 7, name.count <= 15 else { return false }
            var dots = 0
            var digits = 0
            for byte in name.buffer {
                if byte == UInt8(ascii: ".") {
                    guard digits > 0 else { return false }
                    dots += 1
                    digits = 0
                } else {
                    guard byte &- 0x30 < 10 else { return false }
                    digits += 1
                }
            }
            return dots == 3 && digits > 0
        }
    }

    /// The host of a cleaned address; nil when the address is one that is not judged (`mailto:`, a space, two dots).
    package static func host(_ text: ByteView, isTarget: Bool) -> Host? {
        var start = 0
        if let slashes = text.firstIndex(of: ByteView("://")) {
            start = slashes + 3
        } else if text.hasPrefix(ByteView("mailto:")) {
            return nil
        }
        var host = text.dropFirst(start)
        var hasMisleadingUser = false
        host = host.prefix(hostEnd(host))
        if let at = host.lastIndex(of: UInt8(ascii: "@"), in: 0..<host.count) {
            // What a reader takes for the host is what stands before.
            if let dot = host.lastIndex(of: UInt8(ascii: "."), in: 0..<at), isTopLevel(host.slice(dot + 1, at)) {
                hasMisleadingUser = true
            }
            host = host.dropFirst(at + 1)
        }
        while host.hasPrefix(ByteView(".")) { host = host.dropFirst(1) }
        if isTarget, host.isEmpty || host.firstIndex(of: ByteView("..")) != nil { return nil }
        if host.firstIndex(of: 0x20) != nil { return nil }
        return Host(name: host, hasMisleadingUser: hasMisleadingUser)
    }

    private static func hostEnd(_ text: ByteView) -> Int {
        for index in 0..<text.count where isHostEnd(text[index]) { return index }
        return text.count
    }

    /// The part of a host's name that its owner registered: `example.co.uk` of `www.example.co.uk`.
    package static func domain(_ host: ByteView) -> ByteView {
        guard var dot = host.lastIndex(of: UInt8(ascii: "."), in: 0..<host.count) else { return host }
        if TopLevelDomains.isCountry(host.dropFirst(dot + 1)) {
            let country = dot
            guard let second = host.lastIndex(of: UInt8(ascii: "."), in: 0..<country) else { return host }
            guard isTopLevel(host.slice(second + 1, country)) else { return host.dropFirst(second + 1) }
            dot = second
        }
        guard let first = host.lastIndex(of: UInt8(ascii: "."), in: 0..<dot) else { return host }
        return host.dropFirst(first + 1)
    }

    private static func isTopLevel(_ label: ByteView) -> Bool { TopLevelDomains.contains(label) }
}
