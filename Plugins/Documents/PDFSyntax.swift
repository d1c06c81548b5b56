import BytesE

/// The tokens of PDF (ISO 32000-1, 7.2 and 7.3) as far as objects and dictionaries need them. Pure, bounded, and as
/// lenient as readers are.
struct PDFSyntax {
    let bytes: ByteView

    init(_ bytes: ByteView) { self.bytes = bytes }

    private static let deepest = 64

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 || byte == 0x0c || byte == 0
    }

    static func isDelimiter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x28, 0x29, 0x3c, 0x3e, 0x5b, 0x5d, 0x7b, 0x7d, 0x2f, 0x25: true
        default: false
        }
    }

    /// The place of the next byte that is neither space nor comment.
    func skipSpace(_ start: Int, _ end: Int) -> Int {
        var index = start
        while index < end {
            if bytes[index] == 0x25 {
                while index < end, bytes[index] != 0x0a, bytes[index] != 0x0d { index += 1 }
            } else if Self.isSpace(bytes[index]) {
                index += 1
            } else {
                return index
            }
        }
        return end
    }

    /// Behind the value that begins at a place; a reference "1 0 R" is three values.
    func valueEnd(_ start: Int, _ end: Int) -> Int {
        guard start < end else { return end }
        switch bytes[start] {
        case 0x28: return stringEnd(start, end)
        case 0x3c where start + 1 < end && bytes[start + 1] == 0x3c, 0x5b, 0x7b: return groupEnd(start, end)
        case 0x3c:
            return bytes.firstIndex(of: 0x3e, from: start).map { min(end, $0 + 1) } ?? end
        default: return wordEnd(start + 1, end)
        }
    }

    /// Behind a name, number or keyword.
    func wordEnd(_ start: Int, _ end: Int) -> Int {
        var index = start
        while index < end, !Self.isSpace(bytes[index]), !Self.isDelimiter(bytes[index]) { index += 1 }
        return index
    }

    /// Behind a string in parentheses.
    func stringEnd(_ start: Int, _ end: Int) -> Int {
        var depth = 0
        var index = start
        while index < end {
            switch bytes[index] {
            case 0x5c: index += 1
            case 0x28: depth += 1
            case 0x29:
                depth -= 1
                if depth == 0 { return index + 1 }
            default: break
            }
            index += 1
        }
        return end
    }

    /// Behind a dictionary or an array.
    private func groupEnd(_ start: Int, _ end: Int) -> Int {
        var depth = 0
        var index = start
        while index < end {
            switch bytes[index] {
            case 0x28:
                index = stringEnd(index, end)
                continue
            case 0x25:
                index = skipSpace(index, end)
                continue
            case 0x3c:
                if index + 1 < end, bytes[index + 1] == 0x3c {
                    depth += 1
                    index += 1
                } else {
                    index = bytes.firstIndex(of: 0x3e, from: index) ?? end
                }
            case 0x5b, 0x7b: depth += 1
            case 0x3e:
                if index + 1 < end, bytes[index + 1] == 0x3e {
                    depth -= 1
                    index += 1
                }
            case 0x5d, 0x7d: depth -= 1
            default: break
            }
            index += 1
            if depth <= 0 || depth > Self.deepest { return index }
        }
        return end
    }

    /// The value of a key in the dictionary that begins at `<<`; the place where it begins, and the dictionary's end.
    func value(of key: StaticString, in dictionary: Range<Int>) -> Range<Int>? {
        var index = dictionary.lowerBound + 2
        let end = dictionary.upperBound
        while true {
            index = skipSpace(index, end)
            guard index < end, bytes[index] != 0x3e else { return nil }
            guard bytes[index] == 0x2f else {
                index = max(index + 1, valueEnd(index, end))
                continue
            }
            let nameEnd = wordEnd(index + 1, end)
            let isWanted = isName(index, nameEnd, key)
            index = skipSpace(nameEnd, end)
            let last = valueEnd(index, end)
            if isWanted { return index..<end }
            // A key without a value is followed by another key.
            index = last > index ? last : index + 1
        }
    }

    /// Whether the name that begins with its slash is the one wanted; #hh stands for a byte.
    func isName(_ start: Int, _ end: Int, _ wanted: StaticString) -> Bool {
        let wanted = ByteView(wanted)
        var index = start + 1
        var place = 0
        while index < end {
            var byte = bytes[index]
            if byte == 0x23, index + 2 < end, let high = Self.digit(bytes[index + 1]),
                let low = Self.digit(bytes[index + 2])
            {
                byte = high << 4 | low
                index += 2
            }
            guard place < wanted.count, wanted[place] == byte else { return false }
            place += 1
            index += 1
        }
        return place == wanted.count
    }

    /// Whether the value at a place is a name.
    func isName(at place: Range<Int>?, _ wanted: StaticString) -> Bool {
        guard let place, place.lowerBound < place.upperBound, bytes[place.lowerBound] == 0x2f else { return false }
        return isName(place.lowerBound, wordEnd(place.lowerBound + 1, place.upperBound), wanted)
    }

    /// A whole number at a place, and where it ends.
    func number(at start: Int, _ end: Int) -> (value: Int, end: Int)? {
        var index = start
        var isNegative = false
        if index < end, bytes[index] == 0x2d || bytes[index] == 0x2b {
            isNegative = bytes[index] == 0x2d
            index += 1
        }
        let first = index
        var value = 0
        while index < end, bytes[index] &- 0x30 < 10 {
            value = min(value * 10 + Int(bytes[index] &- 0x30), 1 << 40)
            index += 1
        }
        return index > first ? (isNegative ? -value : value, index) : nil
    }

    func number(of key: StaticString, in dictionary: Range<Int>) -> Int? {
        value(of: key, in: dictionary).flatMap { number(at: $0.lowerBound, $0.upperBound)?.value }
    }

    /// The number of the object that the value at a place refers to: "12 0 R".
    func reference(at place: Range<Int>) -> Int? {
        guard let object = number(at: place.lowerBound, place.upperBound),
            let generation = number(at: skipSpace(object.end, place.upperBound), place.upperBound)
        else { return nil }
        let index = skipSpace(generation.end, place.upperBound)
        return index < place.upperBound && bytes[index] == 0x52 ? object.value : nil
    }

    /// The bytes of the string at a place, in parentheses or hexadecimal; at most `limit`.
    func string(at place: Range<Int>, limit: Int = 1 << 20) -> [UInt8]? {
        let start = place.lowerBound
        guard start < place.upperBound else { return nil }
        if bytes[start] == 0x3c {
            var result: [UInt8] = []
            var high: UInt8?
            var index = start + 1
            while index < place.upperBound, bytes[index] != 0x3e, result.count < limit {
                if let digit = Self.digit(bytes[index]) {
                    if let first = high {
                        result.append(first << 4 | digit)
                        high = nil
                    } else {
                        high = digit
                    }
                }
                index += 1
            }
            if let high { result.append(high << 4) }
            return result
        }
        guard bytes[start] == 0x28 else { return nil }
        return literal(start + 1, stringEnd(start, place.upperBound) - 1, limit)
    }

    /// Undoes the escapes of a string (7.3.4.2).
    private func literal(_ start: Int, _ end: Int, _ limit: Int) -> [UInt8] {
        var result: [UInt8] = []
        var index = start
        while index < end, result.count < limit {
            var byte = bytes[index]
            index += 1
            guard byte == 0x5c, index < end else {
                result.append(byte)
                continue
            }
            byte = bytes[index]
            index += 1
            switch byte {
            case 0x6e: result.append(0x0a)
            case 0x72: result.append(0x0d)
            case 0x74: result.append(0x09)
            case 0x62: result.append(0x08)
            case 0x66: result.append(0x0c)
            case 0x0d: if index < end, bytes[index] == 0x0a { index += 1 }
            case 0x0a: break
            case 0x30...0x37:
                var value = Int(byte - 0x30)
                for _ in 0..<2 where index < end && (0x30...0x37).contains(bytes[index]) {
                    value = value << 3 | Int(bytes[index] - 0x30)
                    index += 1
                }
                result.append(UInt8(truncatingIfNeeded: value))
            default: result.append(byte)
            }
        }
        return result
    }

    static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
