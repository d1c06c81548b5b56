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
        while i < count {
            if base[i] == byte { return i }
            i += 1
        }
        return nil
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
