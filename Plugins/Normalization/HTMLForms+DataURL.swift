import BytesE

extension HTMLForms {
    /// A URL that carries its content (RFC 2397), behind `data:`. Neither form has the content.
    mutating func dataURL() {
        value.removeAll()
        var isEscaped = false
        // The media type, up to a comma.
        while let byte = input.peek() {
            if byte == UInt8(ascii: ",") {
                input.advance()
                return dataContent()
            }
            if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                input.advance()
                if !isEscaped, isQuoted == byte { return endDataURL(keepsName: false) }
            } else if isASCIISpace(byte) || byte == UInt8(ascii: ">") {
                if isQuoted == 0 { return endDataURL(keepsName: false) }
                isQuoted = 0
                input.advance()
                input.skipSpace()
                isEscaped = false
                continue
            } else {
                input.advance()
            }
            isEscaped = input.peek() == UInt8(ascii: "\\")
        }
    }

    private mutating func dataContent() {
        input.isBinary = true
        defer { input.isBinary = false }
        var isEscaped = false
        while let byte = input.peek() {
            let isQuote = byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"")
            let isEnd =
                isQuote
                ? !isEscaped && isQuoted == byte : isQuoted == 0 && (isASCIISpace(byte) || byte == UInt8(ascii: ">"))
            input.advance()
            if isEnd {
                input.isBinary = false
                return endDataURL(keepsName: true)
            }
            if byte == UInt8(ascii: "&") {
                reference(inValue: false)
            }
            isEscaped = input.peek() == UInt8(ascii: "\\")
        }
    }

    /// Goes on with the attributes. After content, the next attribute's name is appended to the name of this one,
    /// without a space between.
    private mutating func endDataURL(keepsName: Bool) {
        isQuoted = 0
        input.skipSpace()
        if !keepsName { attribute.removeAll() }
    }
}
