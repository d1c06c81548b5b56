package import Bytes

/// A reverse or forward path of MAIL or RCPT (RFC 5321 section 4.1.2).
package struct Path: Sendable, Equatable {
    /// What stood between the angle brackets, byte for byte: what is relayed.
    package let raw: [UInt8]
    /// The mailbox that policy looks at: without source route, quotes and backslashes, so that
    /// `<@relay:"user"@example.com>` has the policy of `user@example.com`. Empty for the null sender.
    package let address: [UInt8]

    /// Whether it is `<>`.
    package var isNull: Bool { raw.isEmpty }

    /// The address as text; invalid UTF-8 is replaced.
    package var text: String { String(decoding: address, as: UTF8.self) }

    /// Longest path: RFC 5321 says 256, SMTPUTF8 and real systems need more.
    package static let maximumLength = 1024

    /// Reads a path without its angle brackets.
    /// - Returns: nil when it is no path: controls, an unbalanced quote, spaces or brackets outside of quotes.
    package init?(inside raw: ByteView) {
        guard raw.count <= Self.maximumLength else { return nil }
        var start = 0
        if !raw.isEmpty, raw[0] == UInt8(ascii: "@") {
            // A source route, to be ignored (RFC 5321 appendix C).
            guard let colon = raw.firstIndex(of: UInt8(ascii: ":")) else { return nil }
            for index in 0..<colon where !Self.isAtomByte(raw[index]) { return nil }
            start = colon + 1
        }
        guard let address = Self.unquoted(raw.dropFirst(start)) else { return nil }
        guard !address.isEmpty || raw.isEmpty else { return nil }
        self.raw = raw.array
        self.address = address
    }

    private static func unquoted(_ mailbox: ByteView) -> [UInt8]? {
        var address: [UInt8] = []
        address.reserveCapacity(mailbox.count)
        var quoted = false
        var index = 0
        while index < mailbox.count {
            var byte = mailbox[index]
            guard byte >= 0x20, byte != 0x7F else { return nil }
            if byte == UInt8(ascii: "\\") {
                index += 1
                guard index < mailbox.count, mailbox[index] >= 0x20, mailbox[index] != 0x7F else { return nil }
                byte = mailbox[index]
                address.append(byte)
            } else if byte == UInt8(ascii: "\"") {
                quoted.toggle()
            } else {
                guard quoted || Self.isAtomByte(byte) else { return nil }
                address.append(byte)
            }
            index += 1
        }
        return quoted ? nil : address
    }

    /// Whether a byte may stand outside of quotes.
    private static func isAtomByte(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte != 0x7F && byte != UInt8(ascii: "<") && byte != UInt8(ascii: ">")
    }
}

/// One ESMTP parameter of MAIL or RCPT: `SIZE=1000`, `BODY=8BITMIME`, `SMTPUTF8`, `RET`, `ENVID`, `NOTIFY`, `ORCPT` …
package struct ESMTPParameter: Sendable, Equatable {
    /// Keyword in capitals.
    package let keyword: [UInt8]
    /// After the `=`; nil without one.
    package let value: [UInt8]?
    /// As received; relayed so (RFC 3461 section 5.2.1 wants ENVID, RET, NOTIFY and ORCPT unchanged).
    package let raw: [UInt8]

    /// Reads one parameter.
    /// - Returns: nil when it breaks the grammar of RFC 5321 section 4.1.2 (keyword, then graphic characters).
    package init?(_ raw: ByteView) {
        let equals = raw.firstIndex(of: UInt8(ascii: "="))
        let keyword = raw.prefix(equals ?? raw.count)
        guard !keyword.isEmpty, isKeyword(keyword) else { return nil }
        if let equals {
            let value = raw.dropFirst(equals + 1)
            guard !value.isEmpty else { return nil }
            for index in 0..<value.count where value[index] <= 0x20 || value[index] == 0x7F { return nil }
            self.value = value.array
        } else {
            self.value = nil
        }
        self.keyword = capitals(keyword)
        self.raw = raw.array
    }

    /// Whether it is this parameter.
    package func named(_ name: StaticString) -> Bool {
        keyword.withUnsafeBufferPointer { ByteView($0).equals(ByteView(name)) }
    }
}

/// Whether it is a keyword of EHLO or of a parameter: a letter or digit, then also hyphens.
func isKeyword(_ word: ByteView) -> Bool {
    for index in 0..<word.count {
        let byte = asciiLowercased(word[index])
        let ok = byte &- 0x61 < 26 || byte &- 0x30 < 10 || (index > 0 && byte == 0x2D)
        guard ok else { return false }
    }
    return !word.isEmpty
}

/// A copy with ASCII small letters as capitals.
func capitals(_ word: ByteView) -> [UInt8] {
    word.buffer.map { $0 &- 0x61 < 26 ? $0 & 0xDF : $0 }
}

/// A decimal number of at most 18 digits, or nil.
func decimal(_ digits: ByteView) -> UInt64? {
    guard digits.count >= 1, digits.count <= 18 else { return nil }
    var value: UInt64 = 0
    for index in 0..<digits.count {
        guard digits[index] &- 0x30 < 10 else { return nil }
        value = value * 10 + UInt64(digits[index] &- 0x30)
    }
    return value
}
