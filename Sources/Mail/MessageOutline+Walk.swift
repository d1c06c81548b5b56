package import Bytes
import MIME

extension MessageOutline {
    /// More fields than these are not noted.
    private static let mostFields = 10_000
    /// More parts than these are not noted: what lies in the rest is `.unknown`, so it is never removed.
    private static let mostParts = 10_000
    /// Attached messages inside attached messages.
    private static let deepestMessage = 16

    /// Walks over a whole message.
    package init(_ message: ByteView) {
        self.init(headerOf: message)
        let root = parts[0]
        parts = []
        var walk = OutlineWalk(message: message, mostParts: Self.mostParts, deepest: Self.deepestMessage)
        walk.run(message, base: 0, parent: nil, depth: 0)
        parts = walk.parts.isEmpty ? [root] : walk.parts
    }

    /// Looks at the header of a message only: no parts are known but the message itself.
    package init(headerOf message: ByteView) {
        var cursor = HeaderCursor(message: message)
        var fields: [HeaderField] = []
        hasAllFields = true
        while let field = cursor.next() {
            if fields.count < Self.mostFields { fields.append(field) } else { hasAllFields = false }
        }
        let start = MIMEMessage.start(of: message)
        let end = max(start, cursor.headerEnd)
        self.fields = fields
        lineEnding = Self.lineEnding(of: message)
        parts = [Part(header: start..<end, body: max(end, cursor.bodyStart ?? end)..<message.count)]
    }

    /// That of the first line; CR LF when there is only one line.
    private static func lineEnding(of message: ByteView) -> [UInt8] {
        let head = message.prefix(65_536)
        guard let lineFeed = head.firstIndex(of: 0x0A) else {
            return head.firstIndex(of: 0x0D) == nil || head.count > message.count ? [0x0D, 0x0A] : [0x0D]
        }
        return lineFeed > 0 && head[lineFeed - 1] == 0x0D ? [0x0D, 0x0A] : [0x0A]
    }
}

/// The walk over a message and the unencoded messages attached to it.
private struct OutlineWalk {
    let message: ByteView
    let mostParts: Int
    let deepest: Int
    private(set) var parts: [MessageOutline.Part] = []

    init(message: ByteView, mostParts: Int, deepest: Int) {
        self.message = message
        self.mostParts = mostParts
        self.deepest = deepest
    }

    /// - Parameters:
    ///   - bytes: the message, or an attached one.
    ///   - base: where it begins in the outermost message.
    ///   - parent: the part that the message is attached as.
    ///   - depth: how many messages it is attached in.
    mutating func run(_ bytes: ByteView, base: Int, parent: Int?, depth: Int) {
        var walker = MIMEWalker(bytes)
        // The open multiparts; how many children each had tells which one is its first.
        var open: [(index: Int, children: Int)] = []
        while let found = walker.next(), parts.count < mostParts {
            if found.kind == .multipartEnd {
                guard let last = open.popLast() else { continue }
                parts[last.index].body = shifted(found.body, base)
                continue
            }
            let isGap = found.kind == .preamble || found.kind == .epilogue
            let enclosing = open.last?.index ?? parent
            let isMain = !isGap && isNextMain(open.last) ?? (parent == nil)
            var part = part(found, base: base, parent: enclosing, isMain: isMain)
            if isGap { part.structure = .gap } else if !open.isEmpty { open[open.count - 1].children += 1 }
            let index = parts.count
            mains.append(isMain)
            parts.append(part)
            if found.kind == .multipart {
                open.append((index, 0))
            } else if part.structure == .message, part.encoding == .identity, depth < deepest {
                run(
                    bytes.slice(found.body.lowerBound, found.body.upperBound), base: base + found.body.lowerBound,
                    parent: index, depth: depth + 1)
            }
        }
    }

    /// Whether a part leads to the text that is shown, by index.
    private var mains: [Bool] = []

    /// Whether the next part of a multipart leads to the text: the first, or each alternative; nil outside of one.
    private func isNextMain(_ multipart: (index: Int, children: Int)?) -> Bool? {
        multipart.map { mains[$0.index] && ($0.children == 0 || hasAlternatives(parts[$0.index])) }
    }

    private func part(_ found: MIMEPart, base: Int, parent: Int?, isMain: Bool) -> MessageOutline.Part {
        var part = MessageOutline.Part(header: shifted(found.header, base), body: shifted(found.body, base))
        part.parent = parent
        part.mediaType = found.mediaType
        part.charset = found.charset
        part.encoding = found.encoding
        part.isFile = found.isAttachment
        if found.kind == .multipart {
            part.structure = .multipart
        } else if found.isMessage {
            part.structure = .message
        }
        part.isProtected = (parent.map { parts[$0].isProtected } ?? false) || isSealed(found)
        part.isShownText =
            isMain && found.kind == .leaf && !found.isAttachment
            && (found.isType("text/plain") || found.isType("text/html"))
        return part
    }

    /// Whether a change inside would break a signature or an encryption (RFC 1847, RFC 8551, RFC 3156).
    private func isSealed(_ found: MIMEPart) -> Bool {
        found.isType("multipart/signed") || found.isType("multipart/encrypted")
            || found.isType("application/pkcs7-mime") || found.isType("application/x-pkcs7-mime")
    }

    private func hasAlternatives(_ part: MessageOutline.Part) -> Bool {
        part.mediaType == [UInt8]("multipart/alternative".utf8)
    }

    private func shifted(_ range: Range<Int>, _ base: Int) -> Range<Int> {
        (range.lowerBound + base)..<(range.upperBound + base)
    }
}
