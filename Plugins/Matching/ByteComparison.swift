import BytesE
import CModuleABI

/// A number in the object, compared with others: the byte compare subsignature. See em_compare.
struct ByteComparison {
    private let compare: em_compare

    init(_ compare: em_compare) {
        self.compare = compare
    }

    /// Whether all comparisons hold for the number so far behind a place.
    func holds(in object: ByteView, from place: Int) -> Bool {
        let start = place + Int(compare.offset)
        let length = Int(compare.length)
        // As ClamAV has it, the object's first byte is out of reach.
        guard start > 0, length > 0, start + length <= object.count else { return false }
        guard let value = number(object.slice(start, start + length)) else { return false }
        for i in 0..<min(2, Int(compare.count)) {
            let symbol = i == 0 ? compare.symbol.0 : compare.symbol.1
            let wanted = Int64(bitPattern: i == 0 ? compare.value.0 : compare.value.1)
            switch symbol {
            case UInt8(ascii: "<"): guard value < wanted else { return false }
            case UInt8(ascii: ">"): guard value > wanted else { return false }
            case UInt8(ascii: "="): guard value == wanted else { return false }
            default: return false
            }
        }
        return true
    }

    private var isLittle: Bool { compare.flags & UInt8(EM_COMPARE_LITTLE) != 0 }
    private var isExact: Bool { compare.flags & UInt8(EM_COMPARE_EXACT) != 0 }

    private func number(_ field: ByteView) -> Int64? {
        switch UInt32(compare.kind) {
        case EM_COMPARE_BINARY: return binary(field)
        case EM_COMPARE_HEX: return hex(field)
        case EM_COMPARE_DECIMAL: return isLittle ? nil : digits(trimmed(field), base: 10, of: field)
        default:
            let text = trimmed(field)
            if text.count >= 3, text.hasPrefixIgnoringCase(ByteView("0x")) { return hex(field) }
            // Little-endian decimal digits mean nothing.
            return isLittle ? nil : digits(text, base: 10, of: field)
        }
    }

    private func binary(_ field: ByteView) -> Int64? {
        guard field.count <= 8 else { return nil }
        var value: UInt64 = 0
        for i in 0..<field.count { value = value << 8 | UInt64(field[isLittle ? field.count - 1 - i : i]) }
        return Int64(bitPattern: value)
    }

    /// Hexadecimal digits; in little-endian order pairs of digits are taken from the end.
    private func hex(_ field: ByteView) -> Int64? {
        let text = trimmed(field)
        guard isLittle, text.count > 1 else { return digits(text, base: 16, of: field) }
        var plain = text
        if text.count >= 3, text.hasPrefixIgnoringCase(ByteView("0x")) { plain = text.dropFirst(2) }
        var value: UInt64 = 0
        var i = 0
        // An odd number of digits begins with a zero.
        let odd = plain.count & 1
        var pairs: [UInt64] = []
        while i < plain.count {
            let high = i == 0 && odd == 1 ? 0 : digit(plain[i])
            if !(i == 0 && odd == 1) { i += 1 }
            guard let high, let low = digit(plain[i]) else { return isExact ? nil : 0 }
            i += 1
            pairs.append(UInt64(high) << 4 | UInt64(low))
        }
        guard !isExact || text.count == field.count, pairs.count <= 8 else { return nil }
        for pair in pairs.reversed() { value = value << 8 | pair }
        return Int64(bitPattern: value)
    }

    /// Digits up to the first that is none.
    private func digits(_ text: ByteView, base: Int64, of field: ByteView) -> Int64? {
        var at = 0
        var isNegative = false
        if at < text.count, text[at] == UInt8(ascii: "-") || text[at] == UInt8(ascii: "+") {
            isNegative = text[at] == UInt8(ascii: "-")
            at += 1
        }
        if base == 16, text.count > at + 2, text.dropFirst(at).hasPrefixIgnoringCase(ByteView("0x")),
            digit(text[at + 2]) != nil
        {
            at += 2
        }
        var value: Int64 = 0
        var count = 0
        while at < text.count, let digit = digit(text[at]), Int64(digit) < base {
            let (product, overflow) = value.multipliedReportingOverflow(by: base)
            let (sum, carry) = product.addingReportingOverflow(Int64(digit))
            guard !overflow, !carry else { return nil }
            value = sum
            at += 1
            count += 1
        }
        if isExact { guard count > 0, at == text.count, text.count == field.count else { return nil } }
        return isNegative ? -value : value
    }

    private func digit(_ byte: UInt8) -> Int? {
        if byte &- 0x30 < 10 { return Int(byte &- 0x30) }
        let letter = asciiLowercased(byte) &- 0x61
        return letter < 6 ? Int(letter) + 10 : nil
    }

    /// Without white space at the beginning.
    private func trimmed(_ field: ByteView) -> ByteView {
        var start = 0
        while start < field.count, isASCIISpace(field[start]) { start += 1 }
        return field.dropFirst(start)
    }
}
