/// An IPv4 or IPv6 address as bits, to be compared and matched.
package struct IPAddress: Sendable, Hashable, Comparable {
    /// IPv6 order; an IPv4 address is held as ::ffff:a.b.c.d, so both spellings of it are equal.
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Whether it is an IPv4 address, also when written ::ffff:a.b.c.d.
    package var isIPv4: Bool { high == 0 && low >> 32 == 0xFFFF }

    package static func < (a: IPAddress, b: IPAddress) -> Bool { (a.high, a.low) < (b.high, b.low) }

    /// Reads "192.0.2.1" or an IPv6 address (RFC 4291 §2.2); also "IPv6:…" as in SMTP, and a zone ("%eth0") is
    /// passed over. nil for anything else.
    package init?(_ text: String) {
        var bytes = Array(text.utf8.prefix(80))
        if bytes.count > 5, String(decoding: bytes[..<5], as: UTF8.self).lowercasedASCII == "ipv6:" {
            bytes.removeFirst(5)
        }
        if !bytes.contains(UInt8(ascii: ":")) {
            guard let v4 = IPAddress.v4(bytes[...]) else { return nil }
            self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(v4))
            return
        }
        if let zone = bytes.firstIndex(of: UInt8(ascii: "%")) { bytes.removeSubrange(zone...) }
        guard let groups = IPAddress.v6(bytes) else { return nil }
        var words: [UInt64] = [0, 0]
        for index in 0..<8 { words[index / 4] = words[index / 4] << 16 | UInt64(groups[index]) }
        self.init(high: words[0], low: words[1])
    }

    private static func v4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var result: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
            let value = part.reduce(UInt32(0)) { $0 * 10 + UInt32($1 &- 0x30) }
            guard value <= 255 else { return nil }
            result = result << 8 | value
        }
        return result
    }

    private static func v6(_ bytes: [UInt8]) -> [UInt16]? {
        var head: [UInt16] = []
        var tail: [UInt16] = []
        var compressed = false
        var index = 0
        if bytes.starts(with: [0x3A, 0x3A]) {
            compressed = true
            index = 2
        } else if bytes.first == 0x3A {
            return nil
        }
        while index < bytes.count {
            guard head.count + tail.count < 8 else { return nil }
            let end = bytes[index...].firstIndex(of: 0x3A) ?? bytes.count
            let part = bytes[index..<end]
            var values: [UInt16]
            if end == bytes.count, part.contains(UInt8(ascii: ".")) {
                guard let v4 = v4(part) else { return nil }
                values = [UInt16(v4 >> 16), UInt16(v4 & 0xFFFF)]
            } else {
                guard (1...4).contains(part.count),
                    let value = UInt16(String(decoding: part, as: UTF8.self), radix: 16),
                    part[part.startIndex] != UInt8(ascii: "+")
                else { return nil }
                values = [value]
            }
            if compressed { tail += values } else { head += values }
            guard end < bytes.count else { break }
            index = end + 1
            if index < bytes.count, bytes[index] == 0x3A {
                if compressed { return nil }
                compressed = true
                index += 1
            } else if index == bytes.count {
                return nil
            }
        }
        let missing = 8 - head.count - tail.count
        guard compressed ? missing >= 1 : missing == 0 else { return nil }
        return head + [UInt16](repeating: 0, count: missing) + tail
    }
}

/// Addresses from one to another.
package struct AddressRange: Sendable, Hashable {
    package let first: IPAddress
    package let last: IPAddress

    /// Whether the address lies inside.
    package func contains(_ address: IPAddress) -> Bool { first <= address && address <= last }

    /// Reads "1.2.3.4", "10.0.0.0/8", "10.0.0.0/255.0.0.0", "10.0.0.1-10.0.0.9" or the same in IPv6; nil for
    /// anything else. Bits after the prefix are passed over, as in the guide's "1.2.3.4/8", and so is a dot
    /// before the last address ("1.2.3.4-.1.2.3.8", a misprint of the guide that was copied into real files).
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { String($0).trimmedASCII }
        if parts.count == 2 {
            let end = parts[1].begins(with: ".") ? String(parts[1].dropFirst()) : parts[1]
            guard let first = IPAddress(parts[0]), let last = IPAddress(end), first <= last,
                first.isIPv4 == last.isIPv4
            else { return nil }
            (self.first, self.last) = (first, last)
            return
        }
        guard parts.count == 1 else { return nil }
        let pieces = text.split(separator: "/", omittingEmptySubsequences: false).map { String($0).trimmedASCII }
        guard pieces.count <= 2, let address = IPAddress(pieces[0]) else { return nil }
        guard pieces.count == 2 else {
            (first, last) = (address, address)
            return
        }
        guard let prefix = AddressRange.prefixLength(pieces[1], isIPv4: address.isIPv4) else { return nil }
        let highMask = prefix >= 64 ? UInt64.max : prefix == 0 ? 0 : UInt64.max << (64 - UInt64(prefix))
        let lowMask = prefix <= 64 ? 0 : UInt64.max << (128 - UInt64(prefix))
        first = IPAddress(high: address.high & highMask, low: address.low & lowMask)
        last = IPAddress(high: address.high | ~highMask, low: address.low | ~lowMask)
    }

    /// Bits of the prefix in IPv6 count, from "24" or "255.255.255.0".
    private static func prefixLength(_ text: String, isIPv4: Bool) -> Int? {
        if isIPv4, let mask = IPAddress(text), mask.isIPv4 {
            let bits = UInt32(truncatingIfNeeded: mask.low)
            guard (~bits &+ 1) & ~bits == 0 else { return nil }
            return 96 + bits.nonzeroBitCount
        }
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ $0 &- 0x30 < 10 }), let count = Int(text)
        else { return nil }
        if isIPv4 { return count <= 32 ? 96 + count : nil }
        return count <= 128 ? count : nil
    }
}
