package import BytesE

/// An address in the one form that lists of hashes use: Google Safe Browsing's "URLs and hashing".
package struct CanonicalURL {
    private let host: [UInt8]
    /// With the slash that begins it, and the question mark and what follows.
    private let path: [UInt8]

    /// nil when the address has no scheme or no host.
    package init?(_ text: ByteView) {
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        var bytes = text.slice(colon + 1, 1024).array
        bytes.removeAll { $0 == 0x09 || $0 == 0x0a || $0 == 0x0d }
        LinkText.unescape(&bytes)
        var start = 0
        while start < bytes.count, bytes[start] == UInt8(ascii: "/") { start += 1 }
        if let fragment = bytes.firstIndex(of: UInt8(ascii: "#")) { bytes.removeSubrange(fragment...) }
        guard start < bytes.count else { return nil }
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?") { end += 1 }
        var name = bytes[start..<end]
        if let at = name.lastIndex(of: UInt8(ascii: "@")) { name = name[(at + 1)...] }
        if let port = name.firstIndex(of: UInt8(ascii: ":")) { name = name[..<port] }
        host = Self.cleanedHost(name)
        guard !host.isEmpty else { return nil }
        path = Self.escaped(Self.withoutDots(bytes[end...]))
    }

    /// Without dots at the ends, and one of several in a row; small letters.
    private static func cleanedHost(_ name: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        for byte in name where byte != UInt8(ascii: ".") || (result.last ?? UInt8(ascii: ".")) != UInt8(ascii: ".") {
            result.append(asciiLowercased(byte))
        }
        if result.last == UInt8(ascii: ".") { result.removeLast() }
        return escaped(result)
    }

    /// `/./` and `/../` resolved, slashes in a row as one; what follows a question mark stays.
    private static func withoutDots(_ path: ArraySlice<UInt8>) -> [UInt8] {
        let question = path.firstIndex(of: UInt8(ascii: "?")) ?? path.endIndex
        var result: [UInt8] = [UInt8(ascii: "/")]
        var index = path.startIndex
        while index < question {
            while index < question, path[index] == UInt8(ascii: "/") { index += 1 }
            var end = index
            while end < question, path[end] != UInt8(ascii: "/") { end += 1 }
            let part = path[index..<end]
            let isDot = part.count == 1 && part.first == UInt8(ascii: ".")
            let isUp = part.count == 2 && part.first == UInt8(ascii: ".") && part.last == UInt8(ascii: ".")
            if isUp {
                if result.count > 1 { result.removeLast() }
                while result.count > 1, result.last != UInt8(ascii: "/") { result.removeLast() }
            } else if !isDot {
                result += part
                if end < question { result.append(UInt8(ascii: "/")) }
            }
            index = end
        }
        return result + path[question...]
    }

    private static func escaped(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        for byte in bytes {
            if byte <= 0x20 || byte >= 0x7f || byte == UInt8(ascii: "%") || byte == UInt8(ascii: "#") {
                let digit: (UInt8) -> UInt8 = { $0 < 10 ? 0x30 + $0 : 0x37 + $0 }
                result += [UInt8(ascii: "%"), digit(byte >> 4), digit(byte & 15)]
            } else {
                result.append(byte)
            }
        }
        return result
    }

    /// Calls `body` with each pair of a host and a path that a list may have, the most exact first, until it says false:
    /// the host and up to four made of its last five labels; the path with and without its query, and up to
    /// four of its beginnings.
    package func forEachForm(_ body: (ByteView, ByteView) -> Bool) {
        host.withUnsafeBufferPointer { host in
            path.withUnsafeBufferPointer { path in
                for start in hostStarts {
                    for end in pathEnds
                    where !body(ByteView(host).dropFirst(start), ByteView(path).prefix(end)) { return }
                }
            }
        }
    }

    private var hostStarts: [Int] {
        var dots: [Int] = []
        for index in host.indices where host[index] == UInt8(ascii: ".") { dots.append(index + 1) }
        let isNumeric = host.allSatisfy { $0 == UInt8(ascii: ".") || $0 &- 0x30 < 10 }
        if isNumeric { return [0] }
        // The last label alone is no host.
        return [0] + dots.dropLast().suffix(4)
    }

    private var pathEnds: [Int] {
        var ends = [path.count]
        let question = path.firstIndex(of: UInt8(ascii: "?")) ?? path.count
        if question < path.count { ends.append(question) }
        var slashes = 0
        for index in 0..<question where path[index] == UInt8(ascii: "/") && slashes < 4 {
            slashes += 1
            if index + 1 < question { ends.append(index + 1) }
        }
        return ends
    }
}
