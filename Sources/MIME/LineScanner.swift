#if MODULE_WORLD
    import BytesE
#else
    import Bytes
#endif

/// Finds the ends of lines: LF, CR LF, and CR alone where the message uses it.
struct LineScanner {
    let bytes: ByteView
    /// First index that is not looked at.
    let end: Int
    /// Whether a CR without LF ends a line. See `MIMEReading.flipsBareCR`.
    let bareCREndsLine: Bool

    /// A line without its end, and where the next begins.
    struct Line {
        /// End of the content, CRs at the end left out.
        let contentEnd: Int
        /// First byte of the next line, or `end` of the scanner.
        let next: Int
        /// Whether a CR stands inside the content.
        let hasBareCR: Bool
    }

    /// The line that begins at `from`; nil when `check` says no, which is asked every 64 KiB.
    func line(from: Int, check: () -> Bool) -> Line? {
        guard let base = bytes.buffer.baseAddress else { return Line(contentEnd: from, next: end, hasBareCR: false) }
        var index = from
        var bareCR = false
        while index < end {
            let stop = min(end, index + 65536)
            let piece = bytes.prefix(stop)
            while let hit = piece.firstIndex(of: 0x0A, or: 0x0D, from: index) {
                if base[hit] == 0x0A { return finish(base, from, hit, hit + 1, bareCR) }
                if hit + 1 >= end || base[hit + 1] != 0x0A {
                    if bareCREndsLine { return finish(base, from, hit, hit + 1, bareCR) }
                    // CR CR LF is still one line end.
                    if hit + 1 < end, base[hit + 1] != 0x0D { bareCR = true }
                }
                index = hit + 1
            }
            index = stop
            if index < end, !check() { return nil }
        }
        return finish(base, from, end, end, bareCR)
    }

    private func finish(_ base: UnsafePointer<UInt8>, _ from: Int, _ to: Int, _ next: Int, _ bareCR: Bool) -> Line {
        var contentEnd = to
        while contentEnd > from, base[contentEnd - 1] == 0x0D { contentEnd -= 1 }
        return Line(contentEnd: contentEnd, next: next, hasBareCR: bareCR)
    }

    /// Where the header name that begins at `from` ends and its value begins (after the colon), or nil when
    /// no header field begins there. Looks at no more than `longestName` bytes.
    func fieldName(at from: Int) -> (nameEnd: Int, valueStart: Int)? {
        guard let base = bytes.buffer.baseAddress else { return nil }
        let stop = min(end, from + Self.longestName)
        var index = from
        while index < stop, base[index] != 0x3A, base[index] != 0x28, base[index] > 0x20, base[index] < 0x7F {
            index += 1
        }
        let nameEnd = index
        // "Name : value" is read as a header by every client, "Name(comment): value" by some.
        while index < stop, base[index] == 0x20 || base[index] == 0x09 || base[index] == 0x28 {
            if base[index] == 0x28 {
                while index < stop, base[index] != 0x29, base[index] != 0x0A, base[index] != 0x0D { index += 1 }
                guard index < stop, base[index] == 0x29 else { return nil }
            }
            index += 1
        }
        guard nameEnd > from, index < stop, base[index] == 0x3A else { return nil }
        return (nameEnd, index + 1)
    }

    /// Whether the line would be a header that decides about the structure without the NULs in its name.
    func hidesName(at from: Int, to contentEnd: Int) -> Bool {
        var name: [UInt8] = []
        var sawNUL = false
        let stop = min(contentEnd, from + Self.longestName)
        var index = from
        while index < stop, bytes[index] != 0x3A {
            let byte = bytes[index]
            if byte == 0 { sawNUL = true } else { name.append(byte) }
            index += 1
        }
        guard sawNUL, index < stop, name.count < 64 else { return false }
        return name.withUnsafeBufferPointer { buffer in
            let trimmed = ByteView(buffer).trimmed
            return trimmed.equalsIgnoringCase(ByteView("content-type"))
                || trimmed.equalsIgnoringCase(ByteView("content-transfer-encoding"))
                || trimmed.equalsIgnoringCase(ByteView("content-disposition"))
        }
    }

    /// Longest header name in bytes that is taken for one; RFC 5322 allows 998 for the whole line.
    static let longestName = 1000

    /// Whether the line at `from` is empty or begins a header field.
    func beginsHeaderOrBlank(at from: Int) -> Bool {
        guard from < end else { return true }
        let byte = bytes[from]
        return byte == 0x0A || byte == 0x0D || fieldName(at: from) != nil
    }
}
