package import BytesE

/// One entry of as_rbl_service or as_dnsbl_service: "zone:answer" or "zone:answer:points", separated by commas.
package struct DNSList: Equatable {
    /// Points of a listing when the entry names none, on the scale of as_score_spam.
    package static let defaultPoints: Int32 = 50

    package let zone: [UInt8]
    /// The address with which the zone says yes; empty: any of 127.0.0.0/16.
    package let answer: [UInt8]
    package let points: Int32

    /// The entries of a parameter; at most 16, malformed ones left out.
    package static func list(_ text: ByteView) -> [DNSList] {
        var result: [DNSList] = []
        var start = 0
        while start < text.count, result.count < 16 {
            let end = text.firstIndex(of: 0x2c, from: start) ?? text.count
            if let entry = DNSList(text.slice(start, end).trimmed) { result.append(entry) }
            start = end + 1
        }
        return result
    }

    private init?(_ entry: ByteView) {
        let first = entry.firstIndex(of: 0x3a) ?? entry.count
        let second = entry.firstIndex(of: 0x3a, from: first + 1) ?? entry.count
        var zone = entry.prefix(first).trimmed
        if !zone.isEmpty, zone[zone.count - 1] == 0x2e { zone = zone.prefix(zone.count - 1) }
        guard zone.count >= 3, zone.count <= 180, zone.firstIndex(of: 0x2e) != nil else { return nil }
        self.zone = zone.buffer.map { asciiLowercased($0) }
        answer = entry.slice(first + 1, second).trimmed.array
        let digits = entry.dropFirst(second + 1).trimmed
        var points: Int32 = 0
        for byte in digits.prefix(4).buffer {
            guard byte &- 0x30 < 10 else { return nil }
            points = points * 10 + Int32(byte - 0x30)
        }
        self.points = digits.isEmpty ? DNSList.defaultPoints : points
    }

    /// The name to ask for: an address backwards, or a domain, in the zone.
    package func question(_ key: [UInt8]) -> [UInt8] { key + [0x2e] + zone }

    /// Whether the answers (dotted addresses, one a line) say that the key is listed.
    ///
    /// Lists answer in 127.0.0.0/8. Anything else comes from a resolver that invents answers, and 127.255.255.0/24 says
    /// that the list refuses to answer this resolver: neither is a listing.
    package func isListed(_ answers: ByteView) -> Bool {
        var start = 0
        while start < answers.count {
            let end = answers.firstIndex(of: 0x0a, from: start) ?? answers.count
            let line = answers.slice(start, end).trimmed
            start = end + 1
            guard line.hasPrefix(ByteView("127.")), !line.hasPrefix(ByteView("127.255.255.")) else { continue }
            if answer.isEmpty {
                if line.hasPrefix(ByteView("127.0.")) { return true }
            } else if answer.withUnsafeBufferPointer({ ByteView($0).equals(line) }) {
                return true
            }
        }
        return false
    }
}
