#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// A character set of mail.
package enum Charset: Sendable, Equatable {
    /// Also US-ASCII: mail that says so and is not, is mostly UTF-8.
    case utf8
    /// ISO-8859-1; also what nothing else is known about.
    case latin1
    case iso88592, iso88595, iso88597, iso88599, iso885915
    case windows1250, windows1251, windows1252, windows1253, windows1254, windows1257
    case koi8r, koi8u
    /// The character sets of PC names in ZIP files.
    case codePage437, codePage850
    /// With a byte order mark, else big-endian (RFC 2781 §4.3).
    case utf16
    case utf16BigEndian, utf16LittleEndian
    case utf7

    /// The set that a label names, ignoring case and punctuation; `.latin1` when it is unknown, `.utf8` when it is empty.
    package init(label: ByteView) {
        var key: [UInt8] = []
        // RFC 2231 §5: a language may follow after an asterisk.
        for byte in label.prefix(64).buffer {
            if byte == 0x2A { break }
            let low = asciiLowercased(byte)
            if low &- 0x61 < 26 || low &- 0x30 < 10 { key.append(low) }
        }
        self = key.withUnsafeBufferPointer { Charset.known(ByteView($0)) }
    }

    private static func known(_ key: ByteView) -> Charset {
        func has(_ name: StaticString) -> Bool { key.equals(ByteView(name)) }
        if key.isEmpty || has("utf8") || has("usascii") || has("ascii") || has("unicode11utf8") { return .utf8 }
        if has("iso88591") || has("latin1") { return .latin1 }
        if has("iso88592") || has("latin2") { return .iso88592 }
        if has("iso88595") { return .iso88595 }
        if has("iso88597") { return .iso88597 }
        if has("iso88599") || has("latin5") { return .iso88599 }
        if has("iso885915") || has("latin9") { return .iso885915 }
        if has("windows1250") || has("cp1250") { return .windows1250 }
        if has("windows1251") || has("cp1251") { return .windows1251 }
        if has("windows1252") || has("cp1252") { return .windows1252 }
        if has("windows1253") || has("cp1253") { return .windows1253 }
        if has("windows1254") || has("cp1254") { return .windows1254 }
        if has("windows1257") || has("cp1257") { return .windows1257 }
        if has("koi8r") || has("koi8") { return .koi8r }
        if has("koi8u") { return .koi8u }
        if has("cp437") || has("ibm437") { return .codePage437 }
        if has("cp850") || has("ibm850") { return .codePage850 }
        if has("utf16") || has("ucs2") || has("iso10646ucs2") { return .utf16 }
        if has("utf16be") { return .utf16BigEndian }
        if has("utf16le") { return .utf16LittleEndian }
        if has("utf7") || has("unicode11utf7") { return .utf7 }
        return .latin1
    }

    var table: [UInt16]? {
        switch self {
        case .iso88592: CharsetTables.iso88592
        case .iso88595: CharsetTables.iso88595
        case .iso88597: CharsetTables.iso88597
        case .iso88599: CharsetTables.iso88599
        case .iso885915: CharsetTables.iso885915
        case .windows1250: CharsetTables.windows1250
        case .windows1251: CharsetTables.windows1251
        case .windows1252: CharsetTables.windows1252
        case .windows1253: CharsetTables.windows1253
        case .windows1254: CharsetTables.windows1254
        case .windows1257: CharsetTables.windows1257
        case .koi8r: CharsetTables.koi8r
        case .koi8u: CharsetTables.koi8u
        case .codePage437: CharsetTables.codePage437
        case .codePage850: CharsetTables.codePage850
        case .utf8, .latin1, .utf16, .utf16BigEndian, .utf16LittleEndian, .utf7: nil
        }
    }
}
