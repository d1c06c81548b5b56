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

    private let mostAtOnce: Int

    /// - Parameter mostAtOnce: bytes that are looked at together.
    init(_ bytes: ByteView, mostAtOnce: Int) {
        self.bytes = bytes
        self.mostAtOnce = mostAtOnce
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

    /// The bytes from the next character on, when `peek` gave one.
    var following: ByteView { bytes.slice(position, min(bytes.count, position + mostAtOnce)) }

    /// Goes behind so many bytes, which were all characters.
    mutating func advance(by count: Int) { position += count }

    mutating func skipSpace() {
        while let byte = peek(), isASCIISpace(byte) { advance() }
    }
}
