package import BytesE

/// An IPv4 or IPv6 address. IPv4 is kept as ::ffff:a.b.c.d, so that both compare.
package struct NetworkAddress: Equatable, Comparable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package static func < (a: NetworkAddress, b: NetworkAddress) -> Bool {
        a.high != b.high ? a.high < b.high : a.low < b.low
    }

    package var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }

    /// Reads "192.0.2.1", "2001:db8::1", and both in brackets or behind "IPv6:" as mail headers write them.
    package init?(_ text: ByteView) {
        var text = text.trimmed
        if text.count >= 2, text[0] == 0x5b, text[text.count - 1] == 0x5d { text = text.slice(1, text.count - 1) }
        if text.hasPrefixIgnoringCase(ByteView("IPv6:")) { text = text.dropFirst(5) }
        guard text.count <= 45 else { return nil }
        if text.firstIndex(of: 0x3a) == nil {
            guard let value = NetworkAddress.ipv4(text) else { return nil }
            self.init(high: 0, low: 0xffff_0000_0000 | UInt64(value))
        } else {
            guard let groups = NetworkAddress.groups(text) else { return nil }
            func joined(_ from: Int) -> UInt64 {
                groups[from..<(from + 4)].reduce(0) { $0 << 16 | UInt64($1) }
            }
            self.init(high: joined(0), low: joined(4))
        }
    }

    private static func ipv4(_ text: ByteView) -> UInt32? {
        var value: UInt32 = 0
        var octets = 0
        var start = 0
        while start <= text.count {
            let end = text.firstIndex(of: 0x2e, from: start) ?? text.count
            guard end > start, end - start <= 3, octets < 4 else { return nil }
            var octet: UInt32 = 0
            for byte in text.slice(start, end).buffer {
                guard byte &- 0x30 < 10 else { return nil }
                octet = octet * 10 + UInt32(byte - 0x30)
            }
            guard octet < 256 else { return nil }
            value = value << 8 | octet
            octets += 1
            start = end + 1
        }
        return octets == 4 ? value : nil
    }

    /// The eight groups of an IPv6 address (RFC 4291 §2.2).
    private static func groups(_ text: ByteView) -> [UInt16]? {
        var before: [UInt16] = []
        var after: [UInt16]?
        var start = 0
        if text.hasPrefix(ByteView("::")) {
            after = []
            start = 2
        }
        while start < text.count {
            let end = text.firstIndex(of: 0x3a, from: start) ?? text.count
            let part = text.slice(start, end)
            var found: [UInt16] = []
            if end == text.count, part.firstIndex(of: 0x2e) != nil {
                guard let value = ipv4(part) else { return nil }
                found = [UInt16(value >> 16), UInt16(truncatingIfNeeded: value)]
            } else {
                guard let value = group(part) else { return nil }
                found = [value]
            }
            if after == nil { before += found } else { after? += found }
            guard before.count + (after?.count ?? 0) <= 8 else { return nil }
            start = end + 1
            if start < text.count, text[start] == 0x3a {
                guard after == nil else { return nil }
                after = []
                start += 1
            } else if start == text.count {
                return nil
            }
        }
        guard let after else { return before.count == 8 ? before : nil }
        guard before.count + after.count < 8 else { return nil }
        return before + [UInt16](repeating: 0, count: 8 - before.count - after.count) + after
    }

    private static func group(_ text: ByteView) -> UInt16? {
        guard text.count >= 1, text.count <= 4 else { return nil }
        var value: UInt16 = 0
        for byte in text.buffer {
            let lower = asciiLowercased(byte)
            if lower &- 0x30 < 10 {
                value = value << 4 | UInt16(lower - 0x30)
            } else if lower &- 0x61 < 6 {
                value = value << 4 | UInt16(lower - 0x57)
            } else {
                return nil
            }
        }
        return value
    }

    /// Loopback, private, link-local and unspecified addresses: nobody outside can answer for them.
    package var isLocal: Bool {
        if isIPv4 {
            let value = UInt32(truncatingIfNeeded: low)
            return value >> 24 == 0 || value >> 24 == 10 || value >> 24 == 127 || value >> 20 == 0xac1
                || value >> 16 == 0xc0a8 || value >> 16 == 0xa9fe || value >> 22 == 0x191
        }
        return (high == 0 && low <= 1) || high >> 57 == 0x7e || high >> 54 == 0x3fa
    }

    /// The name under which a DNS list has the address: its octets (IPv4) or nibbles (IPv6) backwards (RFC 5782 §2).
    package var reversedName: [UInt8] {
        var name: [UInt8] = []
        if isIPv4 {
            for shift in [0, 8, 16, 24] {
                if !name.isEmpty { name.append(0x2e) }
                appendDecimal(UInt8(truncatingIfNeeded: low >> UInt64(shift)), to: &name)
            }
            return name
        }
        for half in [low, high] {
            for nibble in 0..<16 {
                if !name.isEmpty { name.append(0x2e) }
                let digit = UInt8(truncatingIfNeeded: half >> UInt64(4 * nibble)) & 15
                name.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            }
        }
        return name
    }

    private func appendDecimal(_ value: UInt8, to name: inout [UInt8]) {
        if value >= 100 { name.append(0x30 + value / 100) }
        if value >= 10 { name.append(0x30 + value / 10 % 10) }
        name.append(0x30 + value % 10)
    }
}
