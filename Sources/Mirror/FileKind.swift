/// What the name of a file says about how it is served.
package struct FileKind: Equatable, Sendable {
    package let mediaType: String
    /// Text that gzip makes much shorter.
    package let isCompressible: Bool
    /// The name tells the content (a hash, or the version of TUF metadata in a consistent snapshot), so that caches may
    /// keep it for ever.
    package let isImmutable: Bool

    /// - Parameter path: as `RequestTarget.path` gives it.
    package init(path: [UInt8]) {
        let name = path.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? []
        let ending = name.lastIndex(of: UInt8(ascii: ".")).map { String(decoding: name[($0 + 1)...], as: UTF8.self) }
        switch ending ?? "" {
        case "json": (mediaType, isCompressible) = ("application/json", true)
        case "ver", "txt", "hdb", "hsb", "ndb", "ldb", "yar", "yara", "cf", "rules", "map", "list", "info":
            (mediaType, isCompressible) = ("text/plain", true)
        case "gz": (mediaType, isCompressible) = ("application/gzip", false)
        case "zst": (mediaType, isCompressible) = ("application/zstd", false)
        default: (mediaType, isCompressible) = ("application/octet-stream", false)
        }
        isImmutable = FileKind.isImmutable(name)
    }

    /// "12.snapshot.json", or a name that begins with a digest in hexadecimal.
    private static func isImmutable(_ name: [UInt8]) -> Bool {
        let number = name.prefix { $0 &- 0x30 < 10 }
        if (1...18).contains(number.count), name.dropFirst(number.count).first == UInt8(ascii: ".") {
            return name.suffix(5) == Array(".json".utf8)
        }
        let digest = name.prefix { $0 &- 0x30 < 10 || $0 &- 0x61 < 6 }
        let next = name.dropFirst(digest.count).first
        return digest.count >= 64 && (next == UInt8(ascii: ".") || next == UInt8(ascii: "-"))
    }
}
