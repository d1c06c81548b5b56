/// A path with wildcards: `*` any characters (slashes too), `?` one character. `/path/*.*`, `/other*`.
package struct PathMask: Sendable, Equatable {
    private let pattern: [UInt8]
    private let matchesName: Bool

    /// A mask without a slash is compared with the last component of a path, any other with the whole path.
    package init(_ text: String) {
        pattern = [UInt8](text.utf8)
        matchesName = !pattern.contains(0x2F)
    }

    /// Linear in the path for each `*`, no backtracking beyond the last one.
    package func matches(_ path: String) -> Bool {
        var text = [UInt8](path.utf8)
        if matchesName, let slash = text.lastIndex(of: 0x2F) { text.removeFirst(slash + 1) }
        var (t, p) = (0, 0)
        var star: (pattern: Int, text: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == 0x2A {
                star = (p, t)
                p += 1
            } else if p < pattern.count, pattern[p] == 0x3F || pattern[p] == text[t] {
                p += 1
                t += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                p = last.pattern + 1
                t = last.text + 1
            } else {
                return false
            }
        }
        while p < pattern.count, pattern[p] == 0x2A { p += 1 }
        return p == pattern.count
    }
}
