package import Bytes

/// An entity tag (RFC 9110 §8.8.3).
package struct EntityTag: Equatable, Sendable {
    package let isWeak: Bool
    /// What stands between the quotes.
    package let opaque: [UInt8]

    package init(isWeak: Bool, opaque: [UInt8]) {
        self.isWeak = isWeak
        self.opaque = opaque
    }

    /// As it stands in a field.
    package var text: String { (isWeak ? "W/\"" : "\"") + String(decoding: opaque, as: UTF8.self) + "\"" }

    /// Reads one tag at the beginning and moves behind it; nil when there is none.
    static func take(_ rest: inout ByteView) -> EntityTag? {
        var text = rest
        var isWeak = false
        if text.count >= 2, text[0] == UInt8(ascii: "W"), text[1] == UInt8(ascii: "/") {
            isWeak = true
            text = text.dropFirst(2)
        }
        guard !text.isEmpty, text[0] == UInt8(ascii: "\"") else { return nil }
        var end = 1
        while end < text.count, text[end] != UInt8(ascii: "\"") { end += 1 }
        guard end < text.count else { return nil }
        rest = text.dropFirst(end + 1)
        return EntityTag(isWeak: isWeak, opaque: text.slice(1, end).array)
    }

    /// Whether the list of an If-Match or If-None-Match field names this tag, or everything ("*"). What follows something
    /// malformed is not read.
    ///
    /// - Parameter strongly: neither tag may be weak (§8.8.3.2).
    package func isNamed(in list: ByteView, strongly: Bool) -> Bool {
        var rest = trimmed(list)
        if rest.count == 1, rest[0] == UInt8(ascii: "*") { return true }
        while !rest.isEmpty {
            if rest[0] == 0x20 || rest[0] == 0x09 || rest[0] == UInt8(ascii: ",") {
                rest = rest.dropFirst(1)
                continue
            }
            guard let tag = EntityTag.take(&rest) else { return false }
            if tag.opaque == opaque, !strongly || !(tag.isWeak || isWeak) { return true }
        }
        return false
    }
}
