/// Shell patterns of delegations: "*" and "?" and "[a-z]" within one component of a path.
enum PathPattern {
    /// Whether a pattern matches a path. Takes at most the product of their lengths.
    static func matches(_ pattern: String, _ path: String) -> Bool {
        let patterns = pattern.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false)
        let parts = path.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false)
        guard patterns.count == parts.count else { return false }
        return zip(patterns, parts).allSatisfy { matches(Array($0), Array($1)) }
    }

    private static func matches(_ pattern: [Unicode.Scalar], _ text: [Unicode.Scalar]) -> Bool {
        var next = 0
        var index = 0
        // Where the last "*" stands, and where what it took ends.
        var star: (pattern: Int, text: Int)?
        while index < text.count {
            if next < pattern.count, pattern[next] == "*" {
                star = (next, index)
                next += 1
            } else if let after = one(pattern, next, text[index]) {
                next = after
                index += 1
            } else if let (position, taken) = star {
                // The last star takes one more; those before it need not change.
                star = (position, taken + 1)
                next = position + 1
                index = taken + 1
            } else {
                return false
            }
        }
        return pattern[next...].allSatisfy { $0 == "*" }
    }

    /// The place behind what matches one character, or nil.
    private static func one(_ pattern: [Unicode.Scalar], _ index: Int, _ scalar: Unicode.Scalar) -> Int? {
        guard index < pattern.count else { return nil }
        switch pattern[index] {
        case "?": return index + 1
        case "*": return nil
        case "[":
            guard let set = set(pattern, index, scalar) else { return scalar == "[" ? index + 1 : nil }
            return set.contains ? set.end : nil
        default: return pattern[index] == scalar ? index + 1 : nil
        }
    }

    /// "[abc]", "[a-z]", "[!a]"; nil when the bracket never closes, and is one of the text.
    private static func set(
        _ pattern: [Unicode.Scalar], _ start: Int, _ scalar: Unicode.Scalar
    ) -> (contains: Bool, end: Int)? {
        var index = start + 1
        let isNegated = index < pattern.count && pattern[index] == "!"
        if isNegated { index += 1 }
        let first = index
        var contains = false
        while index < pattern.count, pattern[index] != "]" || index == first {
            if index + 2 < pattern.count, pattern[index + 1] == "-", pattern[index + 2] != "]" {
                if pattern[index].value <= scalar.value, scalar.value <= pattern[index + 2].value { contains = true }
                index += 3
            } else {
                if pattern[index] == scalar { contains = true }
                index += 1
            }
        }
        return index < pattern.count ? (contains != isNegated, index + 1) : nil
    }
}
