package import BytesE

/// The two forms of an HTML document that signatures for HTML are written against.
///
/// *Without comments*: small letters, white space folded, attributes quoted alike, character references resolved,
/// scripts without any white space. *Without tags*: the text that a reader sees, and where its links lead.
///
/// The forms follow what ClamAV's normalisation was observed to give, down to its oddities, because signatures were
/// written against its output: within a quoted value the first white space ends the quoting; a comment ends at the
/// first `>`.
package struct HTMLForms {
    package var withoutComments: NormalizedText
    package var withoutTags: NormalizedText

    /// Names and values are looked at up to here, in bytes.
    static let nameLimit = 1024

    var input: HTMLInput
    /// What element the text is in, as far as it matters.
    var raw = RawElement.none
    /// The form without tags ends with a space that stands for white space.
    var afterSpace = false
    /// The tag at hand, and its attributes.
    var tag = ShortText()
    var attribute = ShortText()
    var value = ShortText()
    var target = ShortText()
    var hasTarget = false
    /// Bytes above 127 that wait for their successor in an attribute's value: at most three.
    var pendingInValue: UInt32 = 0
    var isQuoted: UInt8 = 0
    /// The links, when they are wanted.
    package private(set) var links: HTMLLinks?
    /// Values of attributes that links need.
    var title: [UInt8]?
    var action: [UInt8]?
    /// Where text that belongs to a link begins; nil: not in text.
    private var textStart: Int?
    let document: ByteView

    enum RawElement { case none, script, style }

    /// - Parameters:
    ///   - findsLinks: gather links as well.
    ///   - mostAtOnce: bytes that stand for themselves and are copied together; 0: each is looked at alone.
    package init(
        _ bytes: ByteView, withoutComments: NormalizedText, withoutTags: NormalizedText, findsLinks: Bool = false,
        mostAtOnce: Int = 4096
    ) {
        document = bytes
        input = HTMLInput(bytes, mostAtOnce: mostAtOnce)
        if findsLinks { links = HTMLLinks() }
        self.withoutComments = withoutComments
        self.withoutTags = withoutTags
    }

    /// Reads the whole document.
    ///
    /// - Parameter check: called at least once for each 64 KiB; false ends it.
    /// - Returns: false when `check` said so.
    package mutating func normalize(check: () -> Bool) -> Bool {
        input.skipSpace()
        var next = 0
        while let byte = input.peek() {
            if input.position >= next {
                next = input.position + 65_536
                guard check() else { return false }
            }
            text(byte)
        }
        if links != nil {
            endText()
            links?.finish()
        }
        return true
    }

    /// Text that a link shows ends here.
    private mutating func endText() {
        guard let start = textStart else { return }
        textStart = nil
        links?.text(document.slice(start, input.position))
    }

    /// A tag was read; text follows.
    mutating func tellLinks() {
        guard links != nil else { return }
        textStart = input.position
        let name = tag.bytes
        let found = hasTarget ? target.bytes : nil
        let isSource = tag.equals("img") || tag.equals("iframe")
        let (title, action) = (title, action)
        name.withUnsafeBufferPointer { name in
            links?.tag(
                ByteView(name), href: isSource ? nil : found, title: title, source: isSource ? found : nil,
                action: action)
        }
    }

    /// One step of text outside tags.
    private mutating func text(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "<"):
            if links != nil { endText() }
            withoutComments.append(byte)
            space()
            input.advance()
            input.skipSpace()
            readTag()
        case UInt8(ascii: "&"):
            space()
            input.advance()
            reference(inValue: false)
        case 0x80...:
            highText()
        default:
            if isASCIISpace(byte) {
                space()
                input.skipSpace()
                if raw == .none, input.peek() != nil { withoutComments.append(0x20) }
                return
            }
            // What stands for itself, at once.
            let taken = withoutComments.appendShown(
                input.following, upTo: raw == .none ? Self.textStops : Self.rawStops, keepsSpaces: raw == .none)
            if taken > 0 {
                input.advance(by: taken)
                guard raw == .none else { return }
                withoutTags.append(withoutComments.bytes.dropFirst(withoutComments.count - taken))
                afterSpace = false
                return
            }
            input.advance()
            let character = asciiLowercased(byte)
            guard raw == .none else {
                withoutComments.append(character == UInt8(ascii: "'") ? UInt8(ascii: "\"") : character)
                return
            }
            withoutComments.append(character)
            if byte < 0x20 {
                space()
            } else {
                withoutTags.append(character)
                afterSpace = false
            }
        }
    }

    private static let textStops = NormalizedText.Stops("<&<&")
    private static let rawStops = NormalizedText.Stops("<&'<")

    /// A space in the form without tags, unless there is one already, or the text is a script's.
    private mutating func space() {
        guard raw == .none, !afterSpace else { return }
        withoutTags.append(0x20)
        afterSpace = true
    }

    /// Bytes above 127, up to three that belong together.
    private mutating func highText() {
        var value: UInt32 = 0
        while let byte = input.peek() {
            if byte >= 0x80, value < 0x10000 {
                value = value << 8 | UInt32(byte)
                input.advance()
                continue
            }
            guard HighBytes.isFullStop(value, before: byte) else { break }
            withoutComments.append(UInt8(ascii: "."))
            withoutTags.append(UInt8(ascii: "."))
            guard value == 0xa1 else { return }
            // Two bytes of Big5. What follows them counts as if a byte above 127, of value 0, came first.
            input.advance()
            value = 0
        }
        guard input.peek() != nil else { return }
        let bytes = HighBytes(value)
        for index in 0..<bytes.count { withoutComments.append(bytes[index]) }
        // The form without tags has the byte before the last one twice.
        for index in 0..<bytes.count - 1 { withoutTags.append(bytes[index]) }
        withoutTags.append(bytes.secondToLast)
    }
}

/// Up to three bytes above 127.
struct HighBytes {
    private let value: UInt32

    init(_ value: UInt32) { self.value = value }

    var count: Int { value > 0xffff ? 3 : value > 0xff ? 2 : 1 }

    /// From the first on.
    subscript(index: Int) -> UInt8 { UInt8(truncatingIfNeeded: value >> UInt32(8 * (count - 1 - index))) }

    /// 0 when there is one alone.
    var secondToLast: UInt8 { UInt8(truncatingIfNeeded: value >> 8) }

    /// The ideographic full stop and its relatives (UTF-8, and two bytes of Big5), which browsers take for a dot.
    static func isFullStop(_ value: UInt32, before following: UInt8) -> Bool {
        switch value {
        case 0xe38082, 0xefbc8e, 0xefb992: true
        case 0xa1: following == 0x43 || following == 0x44 || following == 0x4f
        default: false
        }
    }
}

/// A name or a value, as far as it is looked at.
struct ShortText {
    private(set) var bytes: [UInt8] = []

    var count: Int { bytes.count }

    mutating func append(_ byte: UInt8) {
        if bytes.count < HTMLForms.nameLimit { bytes.append(byte) }
    }

    mutating func append(_ other: ByteView) {
        bytes.append(contentsOf: other.prefix(max(0, HTMLForms.nameLimit - bytes.count)).buffer)
    }

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    mutating func set(_ other: ArraySlice<UInt8>) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: other)
    }

    func equals(_ text: StaticString) -> Bool {
        bytes.withUnsafeBufferPointer { ByteView($0).equals(ByteView(text)) }
    }
}
