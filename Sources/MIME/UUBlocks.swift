#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// The uuencoded files inside a text (POSIX uuencode), which clients show as attachments.
package struct UUBlocks {
    package struct Block: Sendable {
        /// From the line "begin …" to the end of the line "end".
        package let range: Range<Int>
        /// The encoded lines.
        package let body: Range<Int>
        /// File name as it stands there.
        package let name: Range<Int>
        /// `.uuencode`, or `.base64` after "begin-base64".
        package let encoding: TransferEncoding
        /// Whether the line "end" is there.
        package let isComplete: Bool
    }

    private let bytes: ByteView
    private var position: Int
    private let first: Int
    private let end: Int
    /// Whether `check` ended the search.
    package private(set) var isCancelled = false

    /// Searches a range of bytes: the body of a part.
    package init(_ bytes: ByteView, in range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        first = range.lowerBound
        self.end = min(bytes.count, range.upperBound)
    }

    /// The next file; nil when there is none, or when `check` (asked about every 64 KiB) says no.
    package mutating func next(check: () -> Bool = { true }) -> Block? {
        let scanner = LineScanner(bytes: bytes, end: end, bareCREndsLine: true)
        while position < end, !isCancelled {
            let stop = min(end, position + 65536)
            // A word that begins before the stop may end behind it.
            let piece = bytes.prefix(min(end, stop + Self.mark.count - 1))
            guard let start = piece.firstIndex(of: Self.mark, from: position) else {
                position = stop
                if position < end, !check() { isCancelled = true }
                continue
            }
            guard isLineStart(start) else {
                position = start + 1
                continue
            }
            guard let line = scanner.line(from: start, check: check) else {
                isCancelled = true
                return nil
            }
            position = line.next
            guard let head = head(start, line.contentEnd), line.next < end else { continue }
            if head.encoding == .uuencode, !isDataLine(scanner, line.next) { continue }
            return block(start, head, line.next, scanner, check)
        }
        return nil
    }

    private static var mark: ByteView { ByteView("begin") }

    private func isLineStart(_ index: Int) -> Bool {
        index == first || bytes[index - 1] == 0x0A || bytes[index - 1] == 0x0D
    }

    private mutating func block(
        _ start: Int, _ head: (name: Range<Int>, encoding: TransferEncoding), _ bodyStart: Int,
        _ scanner: LineScanner, _ check: () -> Bool
    ) -> Block? {
        var bodyEnd = bodyStart
        var index = bodyStart
        var looked = index
        while index < end {
            guard let line = scanner.line(from: index, check: check), line.next - looked < 65536 || check() else {
                isCancelled = true
                return nil
            }
            if line.next - looked >= 65536 { looked = line.next }
            let text = bytes.slice(index, line.contentEnd).trimmed
            if text.equals(ByteView("end")) || text.equals(ByteView("====")) {
                position = line.next
                return Block(
                    range: start..<line.next, body: bodyStart..<index, name: head.name, encoding: head.encoding,
                    isComplete: true)
            }
            // Text that is no longer part of the file ends it; blank lines may stand in between.
            if head.encoding == .uuencode, !text.isEmpty, !isDataLine(scanner, index) { break }
            index = line.next
            bodyEnd = index
        }
        position = max(bodyEnd, position)
        return Block(
            range: start..<bodyEnd, body: bodyStart..<bodyEnd, name: head.name, encoding: head.encoding,
            isComplete: false)
    }

    /// "begin 644 name" or "begin-base64 644 name".
    private func head(_ start: Int, _ end: Int) -> (name: Range<Int>, encoding: TransferEncoding)? {
        let line = bytes.slice(start, end)
        var index: Int
        let encoding: TransferEncoding
        if line.hasPrefix(ByteView("begin ")) {
            index = 6
            encoding = .uuencode
        } else if line.hasPrefix(ByteView("begin-base64 ")) {
            index = 13
            encoding = .base64
        } else {
            return nil
        }
        while index < line.count, line[index] == 0x20 { index += 1 }
        let modeStart = index
        while index < line.count, line[index] &- 0x30 < 8 { index += 1 }
        guard index - modeStart >= 3, index - modeStart <= 6, index < line.count, line[index] == 0x20 else {
            return nil
        }
        while index < line.count, line[index] == 0x20 { index += 1 }
        return ((start + index)..<max(start + index, min(end, start + index + 1024)), encoding)
    }

    /// Whether the line looks like a line of a uuencoded file: its length fits its first character.
    private func isDataLine(_ scanner: LineScanner, _ start: Int) -> Bool {
        let reach = LineScanner(bytes: bytes, end: min(end, start + 256), bareCREndsLine: true)
        guard start < end, let line = reach.line(from: start, check: { true }) else { return false }
        let count = line.contentEnd - start
        guard count > 0, bytes[start] >= 0x20, bytes[start] <= 0x60 else { return false }
        let length = Int(bytes[start] - 0x20) & 0x3F
        let full = (length + 2) / 3 * 4
        // Spaces at the end get lost; a checksum character may follow.
        return count - 1 <= full + 2 && (length == 0 || count > 1)
    }
}
