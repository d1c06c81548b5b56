/// Encoders of RFC 2045. (The decoders are in MIME, beside the parser.)
enum TransferEncoder {
    private static let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let hexadecimal = [UInt8]("0123456789ABCDEF".utf8)

    /// Base64 without line breaks.
    static func base64(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        var group: UInt32 = 0
        var filled = 0
        for byte in bytes {
            group = group << 8 | UInt32(byte)
            filled += 1
            if filled == 3 {
                append(group, characters: 4, to: &result)
                group = 0
                filled = 0
            }
        }
        if filled > 0 {
            append(group << UInt32(8 * (3 - filled)), characters: filled + 1, to: &result)
            result.append(contentsOf: repeatElement(0x3D, count: 3 - filled))
        }
        return result
    }

    private static func append(_ group: UInt32, characters: Int, to result: inout [UInt8]) {
        for i in 0..<characters { result.append(alphabet[Int(group >> UInt32(18 - 6 * i) & 0x3F)]) }
    }

    /// Base64 in lines of 76 characters, each with a line ending.
    static func base64Lines(_ bytes: [UInt8], lineEnding: [UInt8]) -> [UInt8] {
        let encoded = base64(bytes)
        var result: [UInt8] = []
        result.reserveCapacity(encoded.count + encoded.count / 76 * 2 + 2)
        var position = 0
        while position < encoded.count {
            let end = min(position + 76, encoded.count)
            result.append(contentsOf: encoded[position..<end])
            result.append(contentsOf: lineEnding)
            position = end
        }
        return result
    }

    /// Quoted-printable; line feeds of the text become line endings.
    static func quotedPrintable(_ text: [UInt8], lineEnding: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var column = 0
        for (index, byte) in text.enumerated() {
            if byte == 0x0A {
                result.append(contentsOf: lineEnding)
                column = 0
                continue
            }
            let isLast = index + 1 == text.count || text[index + 1] == 0x0A
            let isPlain =
                (0x21...0x7E).contains(byte) && byte != 0x3D || (byte == 0x20 || byte == 0x09) && !isLast
            if column + (isPlain ? 1 : 3) > 75 {
                result.append(0x3D)
                result.append(contentsOf: lineEnding)
                column = 0
            }
            if isPlain {
                result.append(byte)
                column += 1
            } else {
                result.append(contentsOf: [0x3D, hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]])
                column += 3
            }
        }
        return result
    }
}
