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
        let text = trimmed(field).array
        switch UInt32(compare.kind) {
        case EM_COMPARE_BINARY: return binary(field)
        case EM_COMPARE_HEX: return hex(text, of: field)
        case EM_COMPARE_DECIMAL: return isLittle ? nil : digits(text, 10, wanted: text.count, of: field)
        default:
            // Fewer than three characters are neither; little-endian decimal digits mean nothing.
            guard text.count >= 3 else { return nil }
            if hasHexPrefix(text) { return hex(text, of: field) }
            return isLittle ? nil : digits(text, 10, wanted: text.count, of: field)
        }
    }

    private func binary(_ field: ByteView) -> Int64? {
        guard field.count <= 8 else { return nil }
        var value: UInt64 = 0
        for i in 0..<field.count { value = value << 8 | UInt64(field[isLittle ? field.count - 1 - i : i]) }
        return Int64(bitPattern: value)
    }

    private func hex(_ text: [UInt8], of field: ByteView) -> Int64? {
        let ordered = isLittle ? swapped(text) : text
        return digits(ordered, 16, wanted: text.count, of: field)
    }

    /// Pairs of characters in reverse order, an odd one with a zero before it. As ClamAV has it, a character that is no
    /// digit makes zeros of all that was put in order before it, and of its pair when it is the first of it.
    private func swapped(_ text: [UInt8]) -> [UInt8] {
        guard text.count > 1 else { return text }
        var source = text
        let zero = UInt8(ascii: "0")
        if hasHexPrefix(text) { source[0] = UInt8(ascii: "x") }
        if source.count & 1 == 1 {
            // Between the marks of a prefix, and otherwise in front.
            source.insert(zero, at: hasHexPrefix(text) ? 2 : 0)
            if hasHexPrefix(text) { source[1] = zero }
        }
        var result = [UInt8](repeating: zero, count: source.count)
        func isKept(_ byte: UInt8) -> Bool { digit(byte) != nil || asciiLowercased(byte) == UInt8(ascii: "x") }
        for i in stride(from: 0, to: source.count, by: 2) {
            let (high, low) = (source[source.count - i - 2], source[source.count - i - 1])
            guard isKept(high) else {
                for k in result.indices { result[k] = zero }
                continue
            }
            result[i] = high
            if isKept(low) {
                result[i + 1] = low
            } else {
                for k in result.indices { result[k] = zero }
            }
        }
        return result
    }

    /// The digits that a text begins with; nil when they are too many, or not `wanted` though they must be.
    private func digits(_ text: [UInt8], _ base: Int64, wanted: Int, of field: ByteView) -> Int64? {
        var at = 0
        var isNegative = false
        if let sign = text.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            at = 1
        } else if base == 16, text.count > 2, hasHexPrefix(text) {
            at = 2
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
        if isExact { guard count > 0, at == wanted, wanted == field.count else { return nil } }
        return isNegative ? -value : value
    }

    private func hasHexPrefix(_ text: [UInt8]) -> Bool {
        text.count >= 3 && text[0] == UInt8(ascii: "0") && asciiLowercased(text[1]) == UInt8(ascii: "x")
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
