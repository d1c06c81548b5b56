package import BytesE
import CSearch

/// The words with which files in a text begin, as far as they occur in it, found in one pass for all formats.
package struct TextMarks: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// "begin" (uuencode).
    package static let begin = TextMarks(rawValue: 1)
    /// "=ybegin " (yEnc).
    package static let yEnc = TextMarks(rawValue: 2)
    /// "with BinHex" (BinHex 4.0).
    package static let binHex = TextMarks(rawValue: 4)
    /// "data:" in letters of either case.
    package static let dataAddress = TextMarks(rawValue: 8)
    /// "#@~^" (encoded scripts).
    package static let encodedScript = TextMarks(rawValue: 16)

    private static let all = TextMarks(rawValue: 31)
    /// The greatest distance of the pairs that are looked for.
    private static let reach = 5

    package init(in text: ByteView) {
        self = []
        guard let base = text.buffer.baseAddress else { return }
        // The last bytes are looked at word by word: no pair reaches beyond the text.
        let end = max(0, text.count - Self.reach)
        Self.pairs.span.withUnsafeBufferPointer { pairs in
            guard let pairs = pairs.baseAddress else { return }
            var index = 0
            while self != Self.all {
                index = CSearch_any_pair(base, index, end, pairs)
                guard index < end else { break }
                formUnion(Self.word(text, at: index))
                index += 1
            }
        }
        for index in end..<text.count { formUnion(Self.word(text, at: index)) }
    }

    /// Pairs of bytes that are rare in texts: "b...n", "a:", "B....x", "#.~".
    private static var pairs: InlineArray<4, CSearch_words> {
        [
            pair(0x62, 0x6E, 4), pair(0x61, 0x3A, 1, mask: 0x20), pair(0x42, 0x78, 5), pair(0x23, 0x7E, 2),
        ]
    }

    private static func pair(_ first: UInt8, _ second: UInt8, _ distance: Int, mask: UInt8 = 0) -> CSearch_words {
        CSearch_words(
            first: CSearch_byte(value: first, mask: mask), second: CSearch_byte(value: second, mask: 0),
            distance: distance)
    }

    /// The word of which the pair lies at an index.
    private static func word(_ text: ByteView, at index: Int) -> TextMarks {
        switch text[index] {
        case 0x62:
            guard text.dropFirst(index).hasPrefix(ByteView("begin")) else { return [] }
            let isYEnc = index >= 2 && text[index - 1] == 0x79 && text[index - 2] == 0x3D
            return isYEnc ? [.yEnc, .begin] : .begin
        case 0x61, 0x41:
            let isAddress = index >= 3 && text.slice(index - 3, index + 2).equalsIgnoringCase(ByteView("data:"))
            return isAddress ? .dataAddress : []
        case 0x42: return text.dropFirst(index).hasPrefix(ByteView("BinHex")) ? .binHex : []
        case 0x23: return text.dropFirst(index).hasPrefix(ByteView("#@~^")) ? .encodedScript : []
        default: return []
        }
    }
}
