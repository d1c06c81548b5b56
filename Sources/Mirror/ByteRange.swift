package import Bytes

/// What a Range field (RFC 9110 §14.2) selects of a representation.
package enum ByteRange: Equatable {
    /// The field counts for nothing: another unit, malformed, or several ranges, which a server may answer as a whole
    /// (§14.2), so that nobody gets a file sent many times over.
    case whole
    /// `count` bytes, at least one, from `first` on; all of them exist.
    case part(first: UInt64, count: UInt64)
    /// None of the bytes exist: 416.
    case unsatisfiable

    /// Reads the field.
    ///
    /// - Parameter size: bytes of the representation.
    package init(_ field: ByteView, size: UInt64) {
        self = ByteRange.read(field, size) ?? .whole
    }

    private static func read(_ field: ByteView, _ size: UInt64) -> ByteRange? {
        let unit = ByteView("bytes=")
        guard field.count > unit.count, (0..<unit.count).allSatisfy({ lowercased(field[$0]) == unit[$0] }) else {
            return nil
        }
        var rest = trimmed(field.dropFirst(unit.count))
        let first = number(&rest)
        guard !rest.isEmpty, rest[0] == UInt8(ascii: "-") else { return nil }
        rest = rest.dropFirst(1)
        let last = number(&rest)
        guard rest.isEmpty else { return nil }
        switch (first, last) {
        case (nil, nil): return nil
        case (nil, .some(let suffix)):
            guard suffix > 0, size > 0 else { return .unsatisfiable }
            return .part(first: size - min(suffix, size), count: min(suffix, size))
        case (.some(let first), let last):
            if let last, last < first { return nil }
            guard first < size else { return .unsatisfiable }
            return .part(first: first, count: min(last ?? .max, size - 1) - first + 1)
        }
    }

    /// The digits at the beginning; nil when there are none. A number that does not fit is taken as the largest.
    private static func number(_ rest: inout ByteView) -> UInt64? {
        var value: UInt64 = 0
        var count = 0
        while count < rest.count, rest[count] &- 0x30 < 10 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(rest[count] &- 0x30))
            value = overflow || carry ? .max : sum
            count += 1
            if value == .max {
                while count < rest.count, rest[count] &- 0x30 < 10 { count += 1 }
            }
        }
        rest = rest.dropFirst(count)
        return count == 0 ? nil : value
    }
}

/// Without blanks and tabs at both ends (OWS, RFC 9110 §5.6.3).
func trimmed(_ text: ByteView) -> ByteView {
    var begin = 0
    var end = text.count
    while begin < end, text[begin] == 0x20 || text[begin] == 0x09 { begin += 1 }
    while end > begin, text[end - 1] == 0x20 || text[end - 1] == 0x09 { end -= 1 }
    return text.slice(begin, end)
}
