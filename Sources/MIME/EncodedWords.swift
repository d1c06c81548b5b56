#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// Encoded words in headers (RFC 2047), as clients read them.
package enum EncodedWords {
    /// Longest text of one word in bytes; RFC 2047 §2 allows 75 for the whole word, clients read more.
    static let longestText = 1024

    /// A header value as UTF-8: encoded words decoded, folding undone, raw 8-bit text taken as UTF-8 where it is that
    /// and as Latin-1 where not. What is no word stands for itself.
    ///
    /// No more than `limit` bytes of the value are looked at.
    package static func decode(_ value: ByteView, limit: Int = 65536) -> [UInt8] {
        let bytes = value.prefix(limit)
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var plain = CharsetDecoder(.utf8)
        // Adjacent words of one set may share a character, so its decoder lives on.
        var words: (charset: Charset, decoder: CharsetDecoder)?
        var plainFrom = 0
        var index = 0
        while let hit = bytes.firstIndex(of: ByteView("=?"), from: index) {
            guard let word = Word(bytes, at: hit) else {
                index = hit + 2
                continue
            }
            let between = bytes.slice(plainFrom, hit)
            if words != nil, between.trimmed.isEmpty {
                // White space between words is not shown (RFC 2047 §6.2).
            } else {
                words?.decoder.finish(into: &output)
                words = nil
                appendPlain(between, &plain, &output)
            }
            if let current = words, current.charset != word.charset {
                words?.decoder.finish(into: &output)
                words = nil
            }
            let raw = word.isBase64 ? base64(word.text) : quoted(word.text)
            var state = words ?? (word.charset, CharsetDecoder(word.charset))
            raw.withUnsafeBufferPointer { state.decoder.decode(ByteView($0), into: &output) }
            words = state
            index = word.end
            plainFrom = index
        }
        words?.decoder.finish(into: &output)
        appendPlain(bytes.dropFirst(plainFrom), &plain, &output)
        plain.finish(into: &output)
        return output
    }

    /// Text outside words, without line ends: folding is white space that follows them.
    private static func appendPlain(_ text: ByteView, _ decoder: inout CharsetDecoder, _ output: inout [UInt8]) {
        var from = 0
        for index in 0..<text.count where text[index] == 0x0D || text[index] == 0x0A {
            decoder.decode(text.slice(from, index), into: &output)
            from = index + 1
        }
        decoder.decode(text.dropFirst(from), into: &output)
        decoder.finish(into: &output)
    }

    /// Where the pieces of one word lie.
    private struct Word {
        let charset: Charset
        let isBase64: Bool
        let text: ByteView
        let end: Int

        init?(_ bytes: ByteView, at start: Int) {
            var index = start + 2
            let charsetFrom = index
            while index < bytes.count, index - charsetFrom < 64, bytes[index] > 0x20, bytes[index] != 0x3F {
                index += 1
            }
            guard index > charsetFrom, index + 2 < bytes.count, bytes[index] == 0x3F, bytes[index + 2] == 0x3F else {
                return nil
            }
            let method = asciiLowercased(bytes[index + 1])
            guard method == 0x62 || method == 0x71 else { return nil }
            let textFrom = index + 3
            let reach = bytes.slice(0, textFrom + EncodedWords.longestText + 2)
            guard let textEnd = reach.firstIndex(of: ByteView("?="), from: textFrom) else { return nil }
            charset = Charset(label: bytes.slice(charsetFrom, index))
            isBase64 = method == 0x62
            text = bytes.slice(textFrom, textEnd)
            end = textEnd + 2
        }
    }

    private static func base64(_ text: ByteView) -> [UInt8] {
        var decoder = TransferDecoder(.base64)
        var position = 0
        return [UInt8](unsafeUninitializedCapacity: text.count + 64) { buffer, count in
            count = decoder.decode(text, from: &position, into: buffer)
        }
    }

    /// RFC 2047 §4.2: an underscore is a space. A broken escape stands for itself.
    private static func quoted(_ text: ByteView) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte == 0x3D, index + 2 < text.count, let high = hexDigit(text[index + 1]),
                let low = hexDigit(text[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
                continue
            }
            result.append(byte == 0x5F ? 0x20 : byte)
            index += 1
        }
        return result
    }
}
