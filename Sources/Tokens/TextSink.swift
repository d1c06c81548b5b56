#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// Collects the words of a message as rules and the tokenizer read them: lower case, one space between words,
/// invisible characters left out.
package struct TextSink: Sendable {
    package private(set) var bytes: [UInt8] = []
    /// Characters without a width that stood inside of text: a usual way to hide words from filters.
    package private(set) var invisible = 0
    /// Letters of ASCII, and those of them that were capitals.
    package private(set) var letters = 0
    package private(set) var capitals = 0
    private let limit: Int

    /// - Parameter limit: bytes kept at most; what follows is left out.
    package init(limit: Int = 1 << 20) {
        self.limit = limit
    }

    package var isFull: Bool { bytes.count >= limit }

    /// Adds text that is UTF-8 as far as known.
    package mutating func add(_ text: ByteView) {
        var index = 0
        while index < text.count, !isFull {
            let width = invisibleWidth(text, index)
            if width > 0 {
                invisible += 1
                index += width
                continue
            }
            if text[index] == 0xc2, index + 1 < text.count, text[index + 1] == 0xa0 {
                space()
                index += 2
                continue
            }
            add(text[index])
            index += 1
        }
    }

    /// Adds one byte.
    package mutating func add(_ byte: UInt8) {
        if byte <= 0x20 { return space() }
        guard !isFull else { return }
        if byte &- 0x41 < 26 {
            letters += 1
            capitals += 1
            bytes.append(byte | 0x20)
        } else {
            if byte &- 0x61 < 26 { letters += 1 }
            bytes.append(byte)
        }
    }

    /// Adds a character by its number.
    package mutating func add(scalar: UInt32) {
        if scalar < 0x80 {
            // Zero is what a broken reference becomes.
            if scalar != 0 { add(UInt8(truncatingIfNeeded: scalar)) }
            return
        }
        guard let value = Unicode.Scalar(scalar) else { return }
        if scalar == 0xa0 { return space() }
        if isInvisible(scalar) {
            invisible += 1
            return
        }
        guard !isFull else { return }
        for unit in UTF8.encode(value) ?? UTF8.encodedReplacementCharacter { bytes.append(unit) }
    }

    /// Ends the word.
    package mutating func space() {
        if let last = bytes.last, last != 0x20, !isFull { bytes.append(0x20) }
    }
}

/// Soft hyphen, the zero-width characters and direction marks, and the byte order mark.
private func isInvisible(_ scalar: UInt32) -> Bool {
    scalar == 0xad || (scalar >= 0x200b && scalar <= 0x200f) || (scalar >= 0x2060 && scalar <= 0x2064)
        || scalar == 0xfeff || scalar == 0x034f
}

/// How many bytes the invisible character at an index has; 0 when there is none.
private func invisibleWidth(_ text: ByteView, _ index: Int) -> Int {
    let first = text[index]
    guard first >= 0xc2, index + 1 < text.count else { return 0 }
    let second = text[index + 1]
    if first == 0xc2 { return second == 0xad ? 2 : 0 }
    if first == 0xcd { return second == 0x8f ? 2 : 0 }
    guard index + 2 < text.count else { return 0 }
    let third = text[index + 2]
    if first == 0xe2, second == 0x80, third >= 0x8b, third <= 0x8f { return 3 }
    if first == 0xe2, second == 0x81, third >= 0xa0, third <= 0xa4 { return 3 }
    if first == 0xef, second == 0xbb, third == 0xbf { return 3 }
    return 0
}
