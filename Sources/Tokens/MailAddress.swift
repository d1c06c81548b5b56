#if MODULE_WORLD
    package import BytesE
    import MIMEE
#else
    package import Bytes
    import MIME
#endif

/// One address of a header field (RFC 5322 §3.4), read leniently.
package struct MailAddress: Sendable {
    /// The display name as UTF-8, without quotes; may be empty.
    package var name: [UInt8]
    /// "local@domain" in lower case; may be anything that stood in its place, or empty.
    package var address: [UInt8]

    /// What follows the last "@"; empty when there is none.
    package var domain: [UInt8] { MailAddress.domain(of: address) }

    /// What follows the last "@" of an address; empty when there is none.
    package static func domain(of address: [UInt8]) -> [UInt8] {
        guard let at = address.lastIndex(of: 0x40) else { return [] }
        return Array(address[(at + 1)...])
    }

    /// The addresses of a raw field value, at most `limit`. Groups are opened, their names left out.
    package static func list(_ value: ByteView, limit: Int = 1_000) -> [MailAddress] {
        var result: [MailAddress] = []
        var reader = Reader(value.prefix(65_536))
        while result.count < limit, let address = reader.next() {
            if !address.address.isEmpty || !address.name.isEmpty { result.append(address) }
        }
        return result
    }

    /// An address of an SMTP envelope, with or without angle brackets.
    package static func envelope(_ text: ByteView) -> [UInt8] {
        var text = text.trimmed
        if !text.isEmpty, text[0] == 0x3c { text = text.dropFirst(1) }
        if !text.isEmpty, text[text.count - 1] == 0x3e { text = text.prefix(text.count - 1) }
        return text.buffer.map { asciiLowercased($0) }
    }
}

/// Walks over a list of addresses, one byte after the other.
private struct Reader {
    let bytes: ByteView
    var index = 0

    init(_ bytes: ByteView) {
        self.bytes = bytes
    }

    mutating func next() -> MailAddress? {
        guard index < bytes.count else { return nil }
        var phrase: [UInt8] = []
        var address: [UInt8]?
        scan: while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case 0x22: quoted(into: &phrase)
            case 0x28: comment()
            case 0x3c: address = angle()
            case 0x3a:
                // A group's name.
                phrase = []
                index += 1
            case 0x2c, 0x3b:
                index += 1
                break scan
            default:
                phrase.append(byte)
                index += 1
            }
        }
        return phrase.withUnsafeBufferPointer { buffer in
            let words = ByteView(buffer).trimmed
            guard let address else {
                // No brackets: the words are the address.
                return MailAddress(name: [], address: words.buffer.map { asciiLowercased($0) })
            }
            return MailAddress(name: EncodedWords.decode(words), address: address)
        }
    }

    private mutating func quoted(into phrase: inout [UInt8]) {
        index += 1
        while index < bytes.count, bytes[index] != 0x22 {
            if bytes[index] == 0x5c, index + 1 < bytes.count { index += 1 }
            phrase.append(bytes[index])
            index += 1
        }
        index += 1
    }

    private mutating func comment() {
        var depth = 0
        while index < bytes.count {
            switch bytes[index] {
            case 0x28: depth += 1
            case 0x29: depth -= 1
            case 0x5c: index += 1
            default: break
            }
            index += 1
            if depth == 0 { return }
        }
    }

    private mutating func angle() -> [UInt8] {
        var result: [UInt8] = []
        index += 1
        while index < bytes.count, bytes[index] != 0x3e {
            if !isASCIISpace(bytes[index]) { result.append(asciiLowercased(bytes[index])) }
            index += 1
        }
        index += 1
        return result
    }
}
