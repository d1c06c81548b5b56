import BytesE

extension HTMLForms {
    /// What follows `<`.
    mutating func readTag() {
        tag.removeAll()
        target.removeAll()
        hasTarget = false
        title = nil
        action = nil
        while let byte = input.peek() {
            if tag.count == 0, byte == UInt8(ascii: "!") {
                input.advance()
                return comment()
            }
            if byte == UInt8(ascii: ">") {
                withoutComments.append(byte)
                input.advance()
                return endTag()
            }
            if isASCIISpace(byte) {
                input.skipSpace()
                // Of a script only its end counts, and that has no attributes.
                return raw == .none ? attributes() : endTag()
            }
            let isText = raw != .none && tag.count == 0 && byte != UInt8(ascii: "/")
            withoutComments.append(asciiLowercased(byte))
            tag.append(asciiLowercased(byte))
            input.advance()
            if isText { return }
        }
    }

    /// What follows `<!`.
    private mutating func comment() {
        if raw == .none { withoutComments.removeLast() } else { withoutComments.append(UInt8(ascii: "!")) }
        while let byte = input.peek() {
            input.advance()
            if raw != .none, !isASCIISpace(byte) {
                withoutComments.append(byte == UInt8(ascii: "'") ? UInt8(ascii: "\"") : asciiLowercased(byte))
            }
            if byte == UInt8(ascii: ">") {
                input.skipSpace()
                return
            }
        }
    }

    /// The attributes, from the first character that is no white space.
    private mutating func attributes() {
        attribute.removeAll()
        while let byte = input.peek() {
            switch byte {
            case UInt8(ascii: "="): equals()
            case UInt8(ascii: ">"):
                withoutComments.append(byte)
                input.advance()
                return endTag(hasAttributes: true)
            default:
                if isASCIISpace(byte) {
                    input.skipSpace()
                    guard let following = input.peek() else { return }
                    if following == UInt8(ascii: "=") { equals() } else { attribute.removeAll() }
                    continue
                }
                if attribute.count == 0 { withoutComments.append(0x20) }
                let taken = withoutComments.appendShown(input.following, upTo: Self.nameStops)
                if taken > 0 {
                    input.advance(by: taken)
                    attribute.append(withoutComments.bytes.dropFirst(withoutComments.count - taken))
                    continue
                }
                withoutComments.append(asciiLowercased(byte))
                attribute.append(asciiLowercased(byte))
                input.advance()
            }
        }
    }

    /// An attribute's value, from the equals sign on.
    private mutating func equals() {
        withoutComments.append(UInt8(ascii: "="))
        input.advance()
        input.skipSpace()
        value.removeAll()
        isQuoted = 0
        var isEscaped = false
        while let byte = input.peek() {
            if (value.count == 5 && value.equals("data:")) || (value.count == 6 && value.equals("\"data:")) {
                withoutComments.removeLast()
                if isQuoted != 0 { withoutComments.append(UInt8(ascii: "\"")) }
                return dataURL()
            }
            switch byte {
            case UInt8(ascii: "&"):
                input.advance()
                reference(inValue: true)
            case UInt8(ascii: "'"), UInt8(ascii: "\""):
                withoutComments.append(UInt8(ascii: "\""))
                let isFirst = value.count == 0
                value.append(UInt8(ascii: "\""))
                input.advance()
                if isFirst {
                    isQuoted = byte
                } else if !isEscaped, isQuoted == byte {
                    return endValue()
                }
            case UInt8(ascii: ">"), 0x20, 0x09, 0x0b, 0x0c:
                guard isQuoted != 0 else { return endValue() }
                withoutComments.append(byte)
                value.append(byte == UInt8(ascii: ">") ? byte : 0x20)
                isQuoted = 0
                input.advance()
                input.skipSpace()
                // White space that was skipped does not look for a backslash.
                isEscaped = false
                continue
            default:
                if !takePlainValue() { valueCharacter(byte) }
            }
            isEscaped = input.peek() == UInt8(ascii: "\\")
        }
    }

    private static let nameStops = NormalizedText.Stops("=>=>")
    private static let valueStops = NormalizedText.Stops("&'\">")

    /// Takes characters of a value that stand for themselves, at once; false when the next one is none.
    private mutating func takePlainValue() -> Bool {
        // The beginning may be that of a data URL; what waits is added first.
        guard value.count > 5, pendingInValue == 0 else { return false }
        let text = input.following
        let taken = withoutComments.appendShown(text, upTo: Self.valueStops)
        value.append(text.prefix(taken))
        input.advance(by: taken)
        return taken > 0
    }

    private mutating func valueCharacter(_ byte: UInt8) {
        if pendingInValue != 0, byte < 0x80 || pendingInValue >= 0x10000 {
            let pending = pendingInValue
            pendingInValue = 0
            if HighBytes.isFullStop(pending, before: byte) {
                appendValue(UInt8(ascii: "."))
                if pending == 0xa1 {
                    input.advance()
                    return
                }
            } else {
                let bytes = HighBytes(pending)
                for index in 0..<bytes.count { appendValue(bytes[index]) }
            }
        }
        if byte >= 0x80 {
            pendingInValue = pendingInValue << 8 | UInt32(byte)
        } else {
            withoutComments.append(asciiLowercased(byte))
            value.append(byte)
        }
        input.advance()
    }

    private mutating func appendValue(_ byte: UInt8) {
        withoutComments.append(byte)
        value.append(byte)
    }

    /// Keeps the value if it is one that matters, and goes on to the next attribute.
    private mutating func endValue() {
        input.skipSpace()
        var plain = value.bytes.prefix { $0 != 0 }
        if plain.first == UInt8(ascii: "\"") {
            plain = plain.dropFirst()
            plain = plain.dropLast()
        }
        if !hasTarget, isTarget {
            target.set(plain)
            hasTarget = true
        }
        if links != nil {
            if title == nil, attribute.equals("title") { title = Array(plain) }
            if action == nil, attribute.equals("action") { action = Array(plain) }
        }
        attribute.removeAll()
    }

    /// Whether the attribute at hand says where the tag leads.
    private var isTarget: Bool {
        if tag.equals("a") || (links != nil && tag.equals("area")) { return attribute.equals("href") }
        return (tag.equals("img") || (links != nil && tag.equals("iframe"))) && attribute.equals("src")
    }

    /// The tag is complete.
    ///
    /// One that ends the document has no effect; one without attributes has none either when only white space follows.
    private mutating func endTag(hasAttributes: Bool = false) {
        if hasAttributes, input.peek() == nil { return }
        input.skipSpace()
        if !hasAttributes, input.peek() == nil { return }
        tellLinks()
        if tag.equals("/script") || (tag.equals("/style") && raw == .style) {
            raw = .none
        } else if tag.equals("script") {
            raw = .script
        } else if tag.equals("style") {
            raw = .style
        } else if hasTarget, target.count > 0, tag.equals("a") || tag.equals("img") {
            target.bytes.withUnsafeBufferPointer { withoutTags.append(ByteView($0)) }
            withoutTags.append(0x20)
            afterSpace = true
        }
    }
}
