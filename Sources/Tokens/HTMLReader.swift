#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// Reads a page as a mail program shows it: its words, its links, and what a filter wants to know about its markup.
///
/// One pass, linear in the input, bounded by the sink and by `maximumLinks`; every input is accepted.
package struct HTMLReader: ~Copyable {
    package static let maximumLinks = 1_000
    package private(set) var text: TextSink
    package private(set) var links: [Link] = []
    package private(set) var images = 0
    package private(set) var forms = 0
    package private(set) var scripts = 0
    /// Elements whose style hides them: no display, no size, no opacity.
    package private(set) var hidden = 0
    /// Pages that send the reader elsewhere at once (meta refresh).
    package private(set) var refreshes = 0

    private var openLink: (target: [UInt8], start: Int)?
    /// After a quote without an end, quotes no longer hide a ">".
    private var ignoresQuotes = false

    package init(into sink: consuming TextSink) {
        text = sink
    }

    /// Reads a whole page.
    package mutating func read(_ page: ByteView) {
        var index = 0
        while index < page.count, !text.isFull {
            switch page[index] {
            case 0x3c: index = tag(page, index)
            case 0x26: index = reference(page, index)
            default:
                let next = nextMark(page, index)
                text.add(page.slice(index, next))
                index = next
            }
        }
        closeLink()
        text.space()
    }

    /// Gives the collected words back.
    package consuming func finish() -> TextSink { text }

    private func nextMark(_ page: ByteView, _ from: Int) -> Int {
        var index = from
        while index < page.count, page[index] != 0x3c, page[index] != 0x26 { index += 1 }
        return index
    }

    // MARK: Tags

    /// Reads what begins with "<"; the index after it.
    private mutating func tag(_ page: ByteView, _ start: Int) -> Int {
        guard start + 1 < page.count else {
            text.add(0x3c)
            return start + 1
        }
        let next = page[start + 1]
        if next == 0x21 || next == 0x3f { return declaration(page, start) }
        guard next == 0x2f || (next | 0x20) &- 0x61 < 26 else {
            text.add(0x3c)
            return start + 1
        }
        guard let end = tagEnd(page, start + 1) else { return page.count }
        let isClosing = next == 0x2f
        let body = page.slice(start + (isClosing ? 2 : 1), end)
        var length = 0
        while length < body.count, isNameByte(body[length]) { length += 1 }
        let name = body.prefix(length)
        if isClosing { close(name) } else { open(name, body.dropFirst(length)) }
        if !isInline(name) { text.space() }
        if !isClosing, isWord(name, of: "script style title") {
            if isWord(name, of: "title") { return end + 1 }
            return skipRaw(page, end + 1, name)
        }
        return end + 1
    }

    private mutating func declaration(_ page: ByteView, _ start: Int) -> Int {
        if page.dropFirst(start).hasPrefix(ByteView("<!--")) {
            if let end = page.firstIndex(of: ByteView("-->"), from: start + 2) { return end + 3 }
            return page.count
        }
        return (page.firstIndex(of: 0x3e, from: start) ?? page.count - 1) + 1
    }

    /// The ">" of a tag; one in a quoted value does not count.
    private mutating func tagEnd(_ page: ByteView, _ start: Int) -> Int? {
        if !ignoresQuotes {
            var quote: UInt8 = 0
            var index = start
            while index < page.count {
                let byte = page[index]
                if quote != 0 {
                    if byte == quote { quote = 0 }
                } else if byte == 0x3e {
                    return index
                } else if (byte == 0x22 || byte == 0x27), isAfterEquals(page, index, start) {
                    quote = byte
                }
                index += 1
            }
            ignoresQuotes = true
        }
        return page.firstIndex(of: 0x3e, from: start)
    }

    private func isAfterEquals(_ page: ByteView, _ index: Int, _ start: Int) -> Bool {
        var before = index - 1
        // A few spaces at most, so that runs of them cost nothing.
        while before > start, index - before < 8, isASCIISpace(page[before]) { before -= 1 }
        return page[before] == 0x3d
    }

    /// Skips the content of a script or style element.
    private func skipRaw(_ page: ByteView, _ from: Int, _ name: ByteView) -> Int {
        var index = from
        while let hit = page.firstIndex(of: ByteView("</"), from: index) {
            if page.dropFirst(hit + 2).hasPrefixIgnoringCase(name) { return hit }
            index = hit + 2
        }
        return page.count
    }

    private mutating func open(_ name: ByteView, _ attributes: ByteView) {
        if isWord(name, of: "a area") {
            closeLink()
            if let target = value(of: "href", in: attributes) { openLink = (target, text.bytes.count) }
        } else if isWord(name, of: "img") {
            images += 1
        } else if isWord(name, of: "form") {
            forms += 1
            if let target = value(of: "action", in: attributes) { add(Array(target), shown: []) }
        } else if isWord(name, of: "script") {
            scripts += 1
        } else if isWord(name, of: "meta"), let kind = value(of: "http-equiv", in: attributes),
            kind.withUnsafeBufferPointer({ ByteView($0).equalsIgnoringCase(ByteView("refresh")) })
        {
            refreshes += 1
        }
        if let style = value(of: "style", in: attributes), hides(style) { hidden += 1 }
    }

    private mutating func close(_ name: ByteView) {
        if isWord(name, of: "a") { closeLink() }
    }

    private mutating func closeLink() {
        guard let (target, start) = openLink else { return }
        openLink = nil
        let shown = text.bytes.withUnsafeBufferPointer { buffer in
            host(shownBy: ByteView(buffer).slice(start, min(buffer.count, start + 600)))
        }
        add(target, shown: shown)
    }

    private mutating func add(_ target: [UInt8], shown: [UInt8]) {
        guard links.count < HTMLReader.maximumLinks else { return }
        let named = target.withUnsafeBufferPointer { host(ofLink: ByteView($0)) }
        links.append(Link(target: target, host: named, shown: shown))
    }

    /// Whether a style makes its element unseen.
    private func hides(_ style: [UInt8]) -> Bool {
        var compact: [UInt8] = []
        for byte in style.prefix(512) where !isASCIISpace(byte) { compact.append(asciiLowercased(byte)) }
        compact.append(0x3b)
        return compact.withUnsafeBufferPointer { buffer in
            let view = ByteView(buffer)
            return view.firstIndex(of: ByteView("display:none")) != nil
                || view.firstIndex(of: ByteView("visibility:hidden")) != nil
                || view.firstIndex(of: ByteView("font-size:0;")) != nil
                || view.firstIndex(of: ByteView("font-size:0px")) != nil
                || view.firstIndex(of: ByteView("font-size:1px")) != nil
                || view.firstIndex(of: ByteView("opacity:0;")) != nil
        }
    }

    // MARK: References

    /// Reads what begins with "&"; the index after it.
    private mutating func reference(_ page: ByteView, _ start: Int) -> Int {
        var end = start + 1
        while end < page.count, end - start < 12, page[end] == 0x23 || isNameByte(page[end]) { end += 1 }
        guard let scalar = scalar(named: page.slice(start + 1, end)) else {
            text.add(0x26)
            return start + 1
        }
        text.add(scalar: scalar)
        return end < page.count && page[end] == 0x3b ? end + 1 : end
    }
}

/// The character of a reference without "&" and ";": numeric ones, and the named ones that mail has.
func scalar(named name: ByteView) -> UInt32? {
    if !name.isEmpty, name[0] == 0x23 {
        let isHexadecimal = name.count > 1 && name[1] | 0x20 == 0x78
        var value: UInt32 = 0
        let digits = name.dropFirst(isHexadecimal ? 2 : 1)
        guard !digits.isEmpty else { return nil }
        for byte in digits.buffer {
            let lower = asciiLowercased(byte)
            let digit: UInt32
            if lower &- 0x30 < 10 {
                digit = UInt32(lower &- 0x30)
            } else if isHexadecimal, lower &- 0x61 < 6 {
                digit = UInt32(lower &- 0x57)
            } else {
                return nil
            }
            value = min(0x11_0000, value &* (isHexadecimal ? 16 : 10) &+ digit)
        }
        return value
    }
    if name.equals(ByteView("nbsp")) { return 0xa0 }
    if name.equals(ByteView("amp")) { return 0x26 }
    if name.equals(ByteView("lt")) { return 0x3c }
    if name.equals(ByteView("gt")) { return 0x3e }
    if name.equals(ByteView("quot")) { return 0x22 }
    if name.equals(ByteView("apos")) { return 0x27 }
    if name.equals(ByteView("shy")) { return 0xad }
    if name.equals(ByteView("zwnj")) { return 0x200c }
    if name.equals(ByteView("zwj")) { return 0x200d }
    if name.equals(ByteView("auml")) { return 0xe4 }
    if name.equals(ByteView("ouml")) { return 0xf6 }
    if name.equals(ByteView("uuml")) { return 0xfc }
    if name.equals(ByteView("szlig")) { return 0xdf }
    if name.equals(ByteView("eacute")) { return 0xe9 }
    if name.equals(ByteView("egrave")) { return 0xe8 }
    if name.equals(ByteView("agrave")) { return 0xe0 }
    if name.equals(ByteView("euro")) { return 0x20ac }
    if name.equals(ByteView("ndash")) { return 0x2013 }
    if name.equals(ByteView("mdash")) { return 0x2014 }
    if name.equals(ByteView("copy")) { return 0xa9 }
    if name.equals(ByteView("reg")) { return 0xae }
    return nil
}

/// The value of an attribute, with its character references resolved; nil when the element has it not.
func value(of attribute: StaticString, in attributes: ByteView) -> [UInt8]? {
    let wanted = ByteView(attribute)
    var index = 0
    while index < attributes.count {
        while index < attributes.count, !isNameByte(attributes[index]) { index += 1 }
        let start = index
        while index < attributes.count, isNameByte(attributes[index]) { index += 1 }
        let name = attributes.slice(start, index)
        while index < attributes.count, isASCIISpace(attributes[index]) { index += 1 }
        guard index < attributes.count, attributes[index] == 0x3d else { continue }
        index += 1
        while index < attributes.count, isASCIISpace(attributes[index]) { index += 1 }
        guard index < attributes.count else { return nil }
        let quote = attributes[index]
        let valueStart: Int
        if quote == 0x22 || quote == 0x27 {
            valueStart = index + 1
            index = attributes.firstIndex(of: quote, from: valueStart) ?? attributes.count
        } else {
            valueStart = index
            while index < attributes.count, !isASCIISpace(attributes[index]) { index += 1 }
        }
        if name.equalsIgnoringCase(wanted) { return resolved(attributes.slice(valueStart, index)) }
        index += 1
    }
    return nil
}

/// An attribute's value with its references resolved; at most 2,048 bytes. Line ends and tabs are dropped, as browsers do.
private func resolved(_ raw: ByteView) -> [UInt8] {
    let raw = raw.trimmed.prefix(4096)
    var result: [UInt8] = []
    var index = 0
    while index < raw.count, result.count < 2048 {
        if raw[index] == 0x26 {
            var end = index + 1
            while end < raw.count, end - index < 12, raw[end] == 0x23 || isNameByte(raw[end]) { end += 1 }
            if end < raw.count, raw[end] == 0x3b, let value = scalar(named: raw.slice(index + 1, end)),
                let character = Unicode.Scalar(value), let units = UTF8.encode(character)
            {
                for unit in units { result.append(unit) }
                index = end + 1
                continue
            }
        }
        let byte = raw[index]
        if byte != 0x0a, byte != 0x0d, byte != 0x09 { result.append(byte) }
        index += 1
    }
    return result
}

private func isNameByte(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2d
}

/// Elements that do not end a word.
private func isInline(_ name: ByteView) -> Bool {
    isWord(name, of: "a abbr b big bdi bdo code em font i ins mark o s small span strike strong sub sup tt u wbr")
}
