package import BytesE
import CSearch

/// Words near the beginning that tell formats, found in one pass for all of them.
package struct HeadMarks: Sendable {
    /// How far is looked, in bytes.
    package static let reach = 4096

    /// Where "<?xml" begins; nil: nowhere within reach.
    package private(set) var declaration: Int?
    /// Where "#!/bin/sh" begins.
    package private(set) var shell: Int?
    /// Where "BEGIN:VC" or "begin:vc" begins: a calendar or a card.
    package private(set) var card: Int?

    package init(in data: ByteView) {
        let head = data.prefix(Self.reach)
        guard let base = head.buffer.baseAddress else { return }
        // The pairs lie one byte apart.
        let end = max(0, head.count - 1)
        Self.pairs.span.withUnsafeBufferPointer { pairs in
            guard let pairs = pairs.baseAddress else { return }
            var index = 0
            while index < end {
                index = CSearch_any_pair(base, index, end, pairs)
                guard index < end else { break }
                note(head, at: index)
                index += 1
            }
        }
    }

    /// Pairs of bytes that are rare in texts: "?x", "#!", ":V" and ":v".
    private static var pairs: InlineArray<4, CSearch_words> {
        [pair(0x3F, 0x78), pair(0x23, 0x21), pair(0x3A, 0x76, mask: 0x20), pair(0x23, 0x21)]
    }

    private static func pair(_ first: UInt8, _ second: UInt8, mask: UInt8 = 0) -> CSearch_words {
        CSearch_words(
            first: CSearch_byte(value: first, mask: 0), second: CSearch_byte(value: second, mask: mask), distance: 1)
    }

    private mutating func note(_ head: ByteView, at index: Int) {
        switch head[index] {
        case 0x3F:
            guard declaration == nil, index > 0, head.dropFirst(index - 1).hasPrefix(ByteView("<?xml")) else { return }
            declaration = index - 1
        case 0x23:
            guard shell == nil, head.dropFirst(index).hasPrefix(ByteView("#!/bin/sh")) else { return }
            shell = index
        default:
            guard card == nil, index >= 5 else { return }
            let word = head.slice(index - 5, index + 3)
            if word.equals(ByteView("BEGIN:VC")) || word.equals(ByteView("begin:vc")) { card = index - 5 }
        }
    }
}
