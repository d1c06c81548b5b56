#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// The date of a Date or Received field (RFC 5322 §3.3 and §4.3), read leniently.
package struct MailDate: Sendable {
    /// Seconds since 1970-01-01 00:00 UTC.
    package let seconds: Int64

    /// Reads "Sat, 21 Nov 2026 09:52:00 +0100 (CET)"; nil when that is no date.
    package init?(_ text: ByteView) {
        var words = Words(text.prefix(128))
        var word = words.next()
        if let first = word, !first.isEmpty, !isDigit(first[0]) { word = words.next() }
        guard let day = word.flatMap({ number($0, 1...2) }), day >= 1, day <= 31,
            let month = words.next().flatMap({ MailDate.month($0) }),
            var year = words.next().flatMap({ number($0, 2...4) })
        else { return nil }
        if year < 50 { year += 2000 } else if year < 1000 { year += 1900 }
        guard year >= 1970, let clock = words.next(), let time = MailDate.time(clock) else { return nil }
        let zone = words.next().flatMap { MailDate.zone($0) } ?? 0
        seconds = MailDate.days(year, month, day) * 86_400 + time - zone
    }

    private static func month(_ word: ByteView) -> Int64? {
        guard word.count >= 3 else { return nil }
        let names = ByteView("janfebmaraprmayjunjulaugsepoctnovdec")
        for index in 0..<12 where names.slice(3 * index, 3 * index + 3).equalsIgnoringCase(word.prefix(3)) {
            return Int64(index + 1)
        }
        return nil
    }

    private static func time(_ word: ByteView) -> Int64? {
        guard let colon = word.firstIndex(of: 0x3a), let hour = number(word.prefix(colon), 1...2), hour < 24 else {
            return nil
        }
        let rest = word.dropFirst(colon + 1)
        let second = rest.firstIndex(of: 0x3a)
        guard let minute = number(rest.prefix(second ?? rest.count), 1...2), minute < 60 else { return nil }
        guard let second else { return hour * 3600 + minute * 60 }
        guard let seconds = number(rest.dropFirst(second + 1), 1...2), seconds < 62 else { return nil }
        return hour * 3600 + minute * 60 + seconds
    }

    private static func zone(_ word: ByteView) -> Int64? {
        guard word.count == 5, word[0] == 0x2b || word[0] == 0x2d, let value = number(word.dropFirst(1), 4...4) else {
            return nil
        }
        let offset = (value / 100) * 3600 + (value % 100) * 60
        return word[0] == 0x2d ? -offset : offset
    }

    /// Days since 1970-01-01 in the Gregorian calendar.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let ofEra = shifted - era * 400
        let ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
    }
}

/// Words between spaces and commas.
private struct Words {
    let bytes: ByteView
    var index = 0

    init(_ bytes: ByteView) {
        self.bytes = bytes
    }

    mutating func next() -> ByteView? {
        func isSeparator(_ byte: UInt8) -> Bool { isASCIISpace(byte) || byte == 0x2c }
        while index < bytes.count, isSeparator(bytes[index]) { index += 1 }
        guard index < bytes.count else { return nil }
        let start = index
        while index < bytes.count, !isSeparator(bytes[index]) { index += 1 }
        return bytes.slice(start, index)
    }
}

private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

/// A decimal number of so many digits.
private func number(_ word: ByteView, _ digits: ClosedRange<Int>) -> Int64? {
    guard word.count >= digits.lowerBound, word.count <= digits.upperBound else { return nil }
    var value: Int64 = 0
    for byte in word.buffer {
        guard isDigit(byte) else { return nil }
        value = value * 10 + Int64(byte - 0x30)
    }
    return value
}
