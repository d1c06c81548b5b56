import MIMEE

/// The parts of a message that were offered already: a hash table with open addressing, because the same part comes
/// back in most of the readings.
struct PartSet {
    private struct Part {
        var lower = 0
        var upper = 0
        /// Encoding and kind, from 1; 0 marks a free place.
        var tag: UInt8 = 0
    }

    private var places: [Part] = []
    private var count = 0

    /// Adds a part; false when it was there.
    mutating func insert(_ body: Range<Int>, _ encoding: TransferEncoding, isMessage: Bool) -> Bool {
        if count * 2 >= places.count { grow() }
        let part = Part(
            lower: body.lowerBound, upper: body.upperBound, tag: 1 + encoding.number * 2 + (isMessage ? 1 : 0))
        let place = place(for: part)
        guard places[place].tag == 0 else { return false }
        places[place] = part
        count += 1
        return true
    }

    /// Where a part stands, or would stand.
    private func place(for part: Part) -> Int {
        let mask = places.count - 1
        var hash = UInt64(truncatingIfNeeded: part.lower) &* 0x9E37_79B9_7F4A_7C15
        hash = (hash ^ UInt64(truncatingIfNeeded: part.upper)) &* 0xC2B2_AE3D_27D4_EB4F
        hash = (hash ^ UInt64(part.tag)) &* 0x9E37_79B9_7F4A_7C15
        var place = Int(truncatingIfNeeded: hash >> 32) & mask
        while places[place].tag != 0 {
            let other = places[place]
            if other.lower == part.lower && other.upper == part.upper && other.tag == part.tag { break }
            place = (place + 1) & mask
        }
        return place
    }

    private mutating func grow() {
        let old = places
        places = [Part](repeating: Part(), count: max(64, old.count * 2))
        for part in old where part.tag != 0 { places[place(for: part)] = part }
    }
}

extension TransferEncoding {
    fileprivate var number: UInt8 {
        switch self {
        case .identity: 0
        case .base64: 1
        case .quotedPrintable: 2
        case .uuencode: 3
        }
    }
}
