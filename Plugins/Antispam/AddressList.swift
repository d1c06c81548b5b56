package import BytesE

/// Addresses of a parameter such as as_approved_ip_list: "IP", "IP/bits", "IP/netmask" and "IP-IP".
///
/// Entries are separated by spaces, commas, semicolons, or (the list mark of esets.cfg) colons. A colon belongs to an
/// IPv6 address unless it follows an IPv4 address or a "]": write IPv6 entries in brackets when colons separate.
package struct AddressList {
    private var ranges: [(low: NetworkAddress, high: NetworkAddress)] = []
    /// How many entries are no addresses; they are left out.
    package private(set) var malformed = 0

    package init(_ text: ByteView) {
        var start = 0
        while start < text.count {
            let end = AddressList.entryEnd(text, start)
            let entry = text.slice(start, end).trimmed
            if !entry.isEmpty {
                if let range = AddressList.range(entry) { ranges.append(range) } else { malformed += 1 }
            }
            start = end + 1
        }
    }

    package var isEmpty: Bool { ranges.isEmpty }

    package func contains(_ address: NetworkAddress) -> Bool {
        ranges.contains { $0.low <= address && address <= $0.high }
    }

    private static func entryEnd(_ text: ByteView, _ start: Int) -> Int {
        var index = start
        var hasDot = false
        var isInBrackets = false
        var wasBracketed = false
        while index < text.count {
            switch text[index] {
            case 0x5b: isInBrackets = true
            case 0x5d:
                isInBrackets = false
                wasBracketed = true
            case 0x2e: hasDot = true
            case 0x2c, 0x3b: return index
            case 0x3a:
                if !isInBrackets, hasDot || wasBracketed { return index }
            case let byte where isASCIISpace(byte): return index
            default: break
            }
            index += 1
        }
        return index
    }

    private static func range(_ entry: ByteView) -> (NetworkAddress, NetworkAddress)? {
        if let slash = entry.firstIndex(of: 0x2f) {
            guard let address = NetworkAddress(entry.prefix(slash)),
                let bits = prefixLength(entry.dropFirst(slash + 1), isIPv4: address.isIPv4)
            else { return nil }
            return network(address, bits: bits)
        }
        if let dash = entry.firstIndex(of: 0x2d) {
            var last = entry.dropFirst(dash + 1)
            // The guide prints "1.2.3.4-.1.2.3.8".
            if !last.isEmpty, last[0] == 0x2e { last = last.dropFirst(1) }
            guard let low = NetworkAddress(entry.prefix(dash)), let high = NetworkAddress(last), low <= high else {
                return nil
            }
            return (low, high)
        }
        return NetworkAddress(entry).map { ($0, $0) }
    }

    /// The length of a prefix in bits of the 128, from "24" or "255.255.255.0".
    private static func prefixLength(_ text: ByteView, isIPv4: Bool) -> Int? {
        if isIPv4, text.firstIndex(of: 0x2e) != nil {
            guard let mask = NetworkAddress(text), mask.isIPv4 else { return nil }
            let value = UInt32(truncatingIfNeeded: mask.low)
            let ones = value.nonzeroBitCount
            guard ones == 0 || value == ~UInt32(0) << UInt32(32 - ones) else { return nil }
            return 96 + ones
        }
        guard text.count >= 1, text.count <= 3 else { return nil }
        var bits = 0
        for byte in text.buffer {
            guard byte &- 0x30 < 10 else { return nil }
            bits = bits * 10 + Int(byte - 0x30)
        }
        if isIPv4 { return bits <= 32 ? 96 + bits : nil }
        return bits <= 128 ? bits : nil
    }

    private static func network(_ address: NetworkAddress, bits: Int) -> (NetworkAddress, NetworkAddress) {
        let highMask: UInt64 = bits == 0 ? 0 : bits >= 64 ? .max : ~(.max >> UInt64(bits))
        let lowMask: UInt64 = bits <= 64 ? 0 : bits >= 128 ? .max : ~(.max >> UInt64(bits - 64))
        let first = NetworkAddress(high: address.high & highMask, low: address.low & lowMask)
        return (first, NetworkAddress(high: first.high | ~highMask, low: first.low | ~lowMask))
    }
}
