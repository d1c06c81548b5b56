package import Bytes

/// What signatures are searched by: a part of a name, or a pattern with `*` and `?` for the whole of it; case does not
/// count.
package struct NamePattern {
    private let text: [UInt8]

    /// - Parameter text: without `*` and `?` it may be anywhere in the name.
    package init(_ text: String) {
        let bytes = text.utf8.map { asciiLowercased($0) }
        let isPattern = bytes.contains(UInt8(ascii: "*")) || bytes.contains(UInt8(ascii: "?"))
        self.text = isPattern ? bytes : [UInt8(ascii: "*")] + bytes + [UInt8(ascii: "*")]
    }

    package func matches(_ name: ByteView) -> Bool {
        var i = 0
        var j = 0
        // Where to go back to: behind the last star, and the name's byte that it takes next.
        var star: (text: Int, name: Int)?
        while j < name.count {
            if i < text.count, text[i] == UInt8(ascii: "*") {
                i += 1
                star = (i, j)
            } else if i < text.count, text[i] == UInt8(ascii: "?") || text[i] == asciiLowercased(name[j]) {
                i += 1
                j += 1
            } else if let back = star {
                i = back.text
                j = back.name + 1
                star = (i, j)
            } else {
                return false
            }
        }
        while i < text.count, text[i] == UInt8(ascii: "*") { i += 1 }
        return i == text.count
    }
}
