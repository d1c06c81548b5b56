/// Reads the header of an HTTP answer line by line; pure.
///
/// libcurl passes the lines of every answer on the way: a status line begins anew.
package struct ResponseHeader: Sendable {
    package private(set) var response = FetchResponse()
    /// Seconds since 1970, for a Retry-After that names a time.
    private let now: Int64

    package init(now: Int64) {
        self.now = now
    }

    /// Longer fields are not looked at.
    private static let limit = 4096

    /// Takes a line, with or without its end.
    package mutating func add(_ line: some Sequence<UInt8>) {
        var bytes = Array(line.prefix(Self.limit + 1))
        while let last = bytes.last, last == 0x0a || last == 0x0d || last == 0x20 || last == 0x09 { bytes.removeLast() }
        guard bytes.count <= Self.limit, bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7f || $0 == 0x09 }) else { return }
        let text = String(decoding: bytes, as: UTF8.self)
        if text.hasPrefix("HTTP/") {
            response = FetchResponse()
            let words = text.split(separator: " ")
            if words.count > 1, let status = Int(words[1]), (100...999).contains(status) { response.status = status }
            return
        }
        guard let colon = text.firstIndex(of: ":") else { return }
        let value = Self.trimmed(text[text.index(after: colon)...])
        guard !value.isEmpty else { return }
        switch text[..<colon].lowercased() {
        case "etag": if Self.isTag(value) { response.validators.tag = value }
        case "last-modified": if HTTPDate.seconds(value) != nil { response.validators.modified = value }
        case "content-length": response.length = Self.number(value)
        case "content-range": range(value)
        case "retry-after": retryAfter(value)
        default: break
        }
    }

    /// `bytes 100-199/1000`, `bytes 100-199/*`, `bytes */1000`
    private mutating func range(_ value: String) {
        let words = value.split(separator: " ")
        guard words.count == 2, words[0] == "bytes" else { return }
        let parts = words[1].split(separator: "/")
        guard parts.count == 2 else { return }
        response.rangeTotal = Self.number(parts[1])
        response.rangeStart = parts[0].split(separator: "-").first.flatMap { Self.number($0) }
    }

    private mutating func retryAfter(_ value: String) {
        if let seconds = Self.number(value) {
            response.retryAfter = min(seconds, 30 * 86_400)
        } else if let time = HTTPDate.seconds(value) {
            response.retryAfter = Int(min(max(0, time - now), 30 * 86_400))
        }
    }

    private static func isTag(_ value: String) -> Bool {
        let opaque = value.hasPrefix("W/") ? value.dropFirst(2) : value[...]
        guard opaque.utf8.count >= 2, opaque.hasPrefix("\""), opaque.hasSuffix("\"") else { return false }
        return !opaque.dropFirst().dropLast().contains("\"")
    }

    private static func number(_ text: some StringProtocol) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 18, text.utf8.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        return Int(text)
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        return String(text)
    }
}
