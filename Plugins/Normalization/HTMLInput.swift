import BytesE

/// The characters of an HTML document: without NUL and CR, a line feed as a space.
///
/// Without NUL, most UTF-16 reads like ASCII. Inside a data URL line ends stay as they are.
struct HTMLInput {
    private let bytes: ByteView
    /// Index of the next byte.
    private(set) var position = 0
    /// Line ends are handed out as they are.
    var isBinary = false

    init(_ bytes: ByteView) {
        self.bytes = bytes
    }

    /// The next character, nil at the end.
    mutating func peek() -> UInt8? {
        while position < bytes.count {
            let byte = bytes[position]
            if byte == 0 || (byte == 0x0d && !isBinary) {
                position += 1
                continue
            }
            return byte == 0x0a && !isBinary ? 0x20 : byte
        }
        return nil
    }

    /// Goes behind the character that `peek` gave.
    mutating func advance() { position += 1 }

    /// Takes characters that stand for themselves in text, from the next one on, and single spaces between them; at most
    /// about `most`.
    mutating func takeWords(most: Int) -> ByteView {
        let begin = position
        let end = min(bytes.count, begin + most)
        while position < end {
            if HTMLInput.isWord(bytes[position]) {
                position += 1
            } else if bytes[position] == 0x20, position > begin, position + 1 < bytes.count,
                HTMLInput.isWord(bytes[position + 1])
            {
                position += 2
            } else {
                break
            }
        }
        return bytes.slice(begin, position)
    }

    /// Visible ASCII but what begins a tag or a reference.
    @inline(__always) static func isWord(_ byte: UInt8) -> Bool {
        byte &- 0x21 < 0x5e && byte != UInt8(ascii: "<") && byte != UInt8(ascii: "&")
    }

    mutating func skipSpace() {
        while let byte = peek(), isASCIISpace(byte) { advance() }
    }
}
