import CSearch

extension ByteView {
    /// Whether both have the same bytes.
    @inlinable package func equals(_ other: ByteView) -> Bool {
        guard count == other.count else { return false }
        guard let a = base, let b = other.base else { return true }
        if a == b { return true }
        for i in 0..<count where a[i] != b[i] { return false }
        return true
    }

    /// Whether both have the same bytes when ASCII letters count as lower case.
    @inlinable package func equalsIgnoringCase(_ other: ByteView) -> Bool {
        guard count == other.count else { return false }
        guard let a = base, let b = other.base else { return true }
        for i in 0..<count where asciiLowercased(a[i]) != asciiLowercased(b[i]) { return false }
        return true
    }

    @inlinable package func hasPrefix(_ other: ByteView) -> Bool { prefix(other.count).equals(other) }

    @inlinable package func hasPrefixIgnoringCase(_ other: ByteView) -> Bool {
        prefix(other.count).equalsIgnoringCase(other)
    }

    @inlinable package func hasSuffixIgnoringCase(_ other: ByteView) -> Bool {
        count >= other.count && dropFirst(count - other.count).equalsIgnoringCase(other)
    }

    /// The first index of a byte at or after `from`.
    package func firstIndex(of byte: UInt8, from: Int = 0) -> Int? { firstIndex(of: byte, or: byte, from: from) }

    /// The first index of either of two bytes at or after `from`.
    package func firstIndex(of byte: UInt8, or other: UInt8, from: Int = 0) -> Int? {
        guard let base, from >= 0, from < count else { return nil }
        let place = CSearch_either(base, from, count, byte, other)
        return place < count ? place : nil
    }

    /// The last index of a byte in a range of indices; parts of the range outside do not count.
    package func lastIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
        lastIndex(of: byte, then: byte, distance: 0, in: range)
    }

    /// The last index in a range of indices of a byte that another one follows at a distance, 0…255; no byte outside of
    /// the view counts.
    package func lastIndex(of byte: UInt8, then other: UInt8, distance: Int, in range: Range<Int>) -> Int? {
        let low = max(0, range.lowerBound)
        let high = min(count - distance, range.upperBound)
        guard let base, low < high else { return nil }
        let place = CSearch_last_pair(
            base, low, high, distance, CSearch_byte(value: byte, mask: 0), CSearch_byte(value: other, mask: 0))
        return place < high ? place : nil
    }

    /// The first index at or after `from` of a byte below `limit`, which is not 0; `count` when there is none.
    package func firstIndex(below limit: UInt8, from: Int = 0) -> Int {
        guard let base, limit > 0, from >= 0, from < count else { return count }
        return CSearch_below(base, from, count, limit)
    }

    /// The first index at or after `from` where `needle` begins.
    package func firstIndex(of needle: ByteView, from: Int = 0) -> Int? {
        firstIndex(of: needle, from: from, ignoringCase: false)
    }

    /// The first index at or after `from` where `needle` begins, ASCII letters of either case taken for the same.
    package func firstIndex(ofIgnoringCase needle: ByteView, from: Int = 0) -> Int? {
        firstIndex(of: needle, from: from, ignoringCase: true)
    }

    /// Looks for the first and the last byte of the needle at once: places where only one of them fits are not looked at.
    private func firstIndex(of needle: ByteView, from: Int, ignoringCase: Bool) -> Int? {
        guard !needle.isEmpty else { return from <= count ? from : nil }
        let end = count - needle.count + 1
        guard let base, from >= 0 else { return nil }
        let first = Self.searched(needle[0], ignoringCase)
        let last = Self.searched(needle[needle.count - 1], ignoringCase)
        var index = from
        while index < end {
            index = CSearch_pair(base, index, end, needle.count - 1, first, last)
            guard index < end else { return nil }
            let place = slice(index, index + needle.count)
            if ignoringCase ? place.equalsIgnoringCase(needle) : place.equals(needle) { return index }
            index += 1
        }
        return nil
    }

    private static func searched(_ byte: UInt8, _ ignoringCase: Bool) -> CSearch_byte {
        let small = asciiLowercased(byte)
        let isLetter = small &- 0x61 < 26
        return ignoringCase && isLetter ? CSearch_byte(value: small, mask: 0x20) : CSearch_byte(value: byte, mask: 0)
    }

    /// Without spaces, tabs, CR and LF at both ends.
    @inlinable package var trimmed: ByteView {
        guard let base else { return self }
        var low = 0
        var high = count
        while low < high, isASCIISpace(base[low]) { low += 1 }
        while high > low, isASCIISpace(base[high - 1]) { high -= 1 }
        return slice(low, high)
    }
}

/// An ASCII capital as its small letter; everything else unchanged.
@inlinable package func asciiLowercased(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
}

/// Space, tab, CR, LF, vertical tab, form feed.
@inlinable package func isASCIISpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte &- 0x09 < 5
}
