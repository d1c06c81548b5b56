// Small text helpers: configuration is ASCII where it is not a free text.

extension String {
    /// Without spaces, tabs and line ends at both ends.
    package var trimmedASCII: String {
        let bytes = Array(utf8)
        var low = 0
        var high = bytes.count
        while low < high, isBlank(bytes[low]) { low += 1 }
        while high > low, isBlank(bytes[high - 1]) { high -= 1 }
        return low == 0 && high == bytes.count ? self : String(decoding: bytes[low..<high], as: UTF8.self)
    }

    /// A–Z as a–z, all other characters unchanged: what mail addresses and domain names are compared by.
    package var lowercasedASCII: String {
        String(decoding: utf8.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// Whether it begins with an ASCII prefix, byte by byte.
    func begins(with prefix: String) -> Bool { utf8.starts(with: prefix.utf8) }
}

/// Space, tab, CR, LF, vertical tab, form feed.
func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte &- 0x09 < 5 }
