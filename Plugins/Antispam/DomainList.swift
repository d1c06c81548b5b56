package import BytesE

/// Domains of a parameter such as as_approved_domain_list, separated by colons, commas, semicolons or spaces.
/// "example.com" means itself and everything below, ".com" everything below only.
package struct DomainList {
    private var domains: [[UInt8]] = []

    package init(_ text: ByteView) {
        var word: [UInt8] = []
        for byte in text.buffer {
            if isASCIISpace(byte) || byte == 0x2c || byte == 0x3a || byte == 0x3b {
                if !word.isEmpty { domains.append(word) }
                word = []
            } else if byte != 0x40 {
                word.append(asciiLowercased(byte))
            }
        }
        if !word.isEmpty { domains.append(word) }
    }

    package var isEmpty: Bool { domains.isEmpty }

    /// Whether a lower-case host name is in the list.
    package func contains(_ host: [UInt8]) -> Bool {
        guard !host.isEmpty else { return false }
        return domains.contains { domain in
            if host == domain { return true }
            guard host.count > domain.count, host.suffix(domain.count) == domain[...] else { return false }
            return domain.first == 0x2e || host[host.count - domain.count - 1] == 0x2e
        }
    }
}
