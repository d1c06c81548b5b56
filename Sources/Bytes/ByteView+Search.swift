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
    @inlinable package func firstIndex(of byte: UInt8, from: Int = 0) -> Int? {
        guard let base, from >= 0 else { return nil }
        var i = from
        // Eight at a time: a byte that is zero after the exclusive or borrows from its highest bit.
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        while count - i >= 8 {
            let bits = UInt64(littleEndian: UnsafeRawPointer(base + i).loadUnaligned(as: UInt64.self)) ^ pattern
            let zeros = (bits &- 0x0101_0101_0101_0101) & ~bits & 0x8080_8080_8080_8080
            // The lowest mark is always right, those above it may be borrowed.
            if zeros != 0 { return i + zeros.trailingZeroBitCount / 8 }
            i += 8
        }
        while i < count {
            if base[i] == byte { return i }
            i += 1
        }
        return nil
    }

    /// The last index of a byte in a range of indices; parts of the range outside do not count.
    @inlinable package func lastIndex(of byte: UInt8, in range: Range<Int>) -> Int? {
        guard let base else { return nil }
        let lowest = max(0, range.lowerBound)
        var end = min(count, range.upperBound)
        let pattern = UInt64(byte) &* 0x0101_0101_0101_0101
        while end - lowest >= 8 {
            let bits = UnsafeRawPointer(base + end - 8).loadUnaligned(as: UInt64.self) ^ pattern
            if (bits &- 0x0101_0101_0101_0101) & ~bits & 0x8080_8080_8080_8080 != 0 { break }
            end -= 8
        }
        while end > lowest {
            end -= 1
            if base[end] == byte { return end }
        }
        return nil
    }

    /// The first index at or after `from` of a byte below `limit`, which is at most 128; `count` when there is none.
    @inlinable package func firstIndex(below limit: UInt8, from: Int = 0) -> Int {
        guard let base, from >= 0, from < count else { return count }
        var i = from
        // Eight at a time: the subtraction borrows from the highest bit of a byte that is below.
        let limits = UInt64(min(limit, 128)) &* 0x0101_0101_0101_0101
        while count - i >= 8 {
            let bits = UnsafeRawPointer(base + i).loadUnaligned(as: UInt64.self)
            if (bits &- limits) & ~bits & 0x8080_8080_8080_8080 != 0 { break }
            i += 8
        }
        while i < count, base[i] >= limit { i += 1 }
        return i
    }

    /// The first index at or after `from` where `needle` begins.
    @inlinable package func firstIndex(of needle: ByteView, from: Int = 0) -> Int? {
        guard let first = needle.isEmpty ? nil : needle[0] else { return from <= count ? from : nil }
        var i = from
        while let hit = firstIndex(of: first, from: i), hit <= count - needle.count {
            if slice(hit, hit + needle.count).equals(needle) { return hit }
            i = hit + 1
        }
        return nil
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
