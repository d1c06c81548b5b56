#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// What can be said about a message as a whole.
package enum MIMEMessage {
    /// Where the header begins: after a byte order mark, empty lines that a header follows, and an mbox line "From …".
    package static func start(of bytes: ByteView) -> Int {
        var index = 0
        if bytes.hasPrefix(ByteView("\u{FEFF}")) { index = 3 }
        // Only a few empty lines: a body may begin with any number of them.
        var afterBlanks = index
        while afterBlanks < bytes.count, afterBlanks - index < 64,
            bytes[afterBlanks] == 0x0D || bytes[afterBlanks] == 0x0A
        {
            afterBlanks += 1
        }
        let scanner = LineScanner(bytes: bytes, end: bytes.count, bareCREndsLine: usesBareCR(bytes, from: 0))
        if afterBlanks > index, afterBlanks < bytes.count {
            if scanner.fieldName(at: afterBlanks) != nil || isMailboxLine(bytes, at: afterBlanks) {
                index = afterBlanks
            }
        }
        if isMailboxLine(bytes, at: index) {
            // A longer first line is no envelope line; it would be skipped as junk.
            let short = LineScanner(
                bytes: bytes, end: min(bytes.count, index + 4096), bareCREndsLine: scanner.bareCREndsLine)
            if let line = short.line(from: index, check: { true }) { index = line.next }
        }
        return index
    }

    /// Whether an mbox envelope line stands there.
    package static func isMailboxLine(_ bytes: ByteView, at index: Int) -> Bool {
        bytes.dropFirst(index).hasPrefix(ByteView("From "))
    }

    /// Whether the first line ends with a CR alone, so that all lines are taken to end so.
    /// Looks at no more than 64 KiB: later line ends do not make a style.
    package static func usesBareCR(_ bytes: ByteView, from: Int) -> Bool {
        let head = bytes.prefix(from + 65536)
        guard let hit = head.firstIndex(of: 0x0A, or: 0x0D, from: from), head[hit] == 0x0D else { return false }
        var after = hit
        while after < head.count, head[after] == 0x0D { after += 1 }
        return after < head.count && head[after] != 0x0A
    }

    /// How sure one can be that these bytes are a message, 0…100, from their first header fields.
    ///
    /// No more than the first 64 KiB are looked at.
    package static func likelihood(_ bytes: ByteView) -> Int {
        let head = bytes.prefix(65536)
        let mailbox = isMailboxLine(head, at: 0)
        var cursor = HeaderCursor(message: head)
        var fields = 0
        var known = 0
        while let field = cursor.next() {
            fields += 1
            if isKnownHeader(field, head) { known += 1 }
            if known >= 3 { return 95 }
        }
        if mailbox { return known > 0 ? 95 : fields > 0 ? 60 : 0 }
        if known == 2 { return 85 }
        if known == 1 { return 60 }
        return isHeadless(head) ? 50 : 0
    }

    /// Whether the bytes begin with a boundary line that header fields of a part follow: a body that lost its header.
    package static func isHeadless(_ bytes: ByteView) -> Bool {
        let head = bytes.prefix(4096)
        var index = 0
        while index < head.count, isASCIISpace(head[index]) { index += 1 }
        guard head.dropFirst(index).hasPrefix(ByteView("--")) else { return false }
        let scanner = LineScanner(bytes: head, end: head.count, bareCREndsLine: usesBareCR(head, from: 0))
        guard let line = scanner.line(from: index, check: { true }) else { return false }
        return head.dropFirst(line.next).hasPrefixIgnoringCase(ByteView("content-"))
    }

    private static func isKnownHeader(_ field: HeaderField, _ bytes: ByteView) -> Bool {
        let name = bytes.slice(field.name.lowerBound, field.name.upperBound)
        switch name.count {
        case 2: return name.equalsIgnoringCase(ByteView("to")) || name.equalsIgnoringCase(ByteView("cc"))
        case 4: return name.equalsIgnoringCase(ByteView("from")) || name.equalsIgnoringCase(ByteView("date"))
        case 6: return name.equalsIgnoringCase(ByteView("sender"))
        case 7: return name.equalsIgnoringCase(ByteView("subject"))
        case 8: return name.equalsIgnoringCase(ByteView("received")) || name.equalsIgnoringCase(ByteView("reply-to"))
        case 10:
            return name.equalsIgnoringCase(ByteView("message-id")) || name.equalsIgnoringCase(ByteView("references"))
        case 11:
            return name.equalsIgnoringCase(ByteView("return-path")) || name.equalsIgnoringCase(ByteView("in-reply-to"))
        case 12:
            return name.equalsIgnoringCase(ByteView("mime-version"))
                || name.equalsIgnoringCase(ByteView("content-type"))
                || name.equalsIgnoringCase(ByteView("delivered-to"))
        case 13: return name.equalsIgnoringCase(ByteView("x-envelope-to"))
        case 14: return name.equalsIgnoringCase(ByteView("dkim-signature"))
        case 19: return name.equalsIgnoringCase(ByteView("content-disposition"))
        case 25: return name.equalsIgnoringCase(ByteView("content-transfer-encoding"))
        default: return false
        }
    }
}
