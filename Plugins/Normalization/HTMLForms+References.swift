import BytesE

extension HTMLForms {
    /// What follows `&`: a character by number or by name.
    mutating func reference(inValue: Bool) {
        guard let byte = input.peek() else { return }
        if byte == UInt8(ascii: "#") {
            input.advance()
            number(inValue: inValue)
        } else {
            name(inValue: inValue)
        }
    }

    private mutating func name(inValue: Bool) {
        var name = ShortText()
        var isEnded = false
        while let byte = input.peek() {
            if byte == UInt8(ascii: ";") {
                input.advance()
                isEnded = true
                break
            }
            guard isNameCharacter(byte), name.count < Self.nameLimit else { break }
            name.append(byte)
            input.advance()
        }
        if isEnded || input.peek() == nil,
            let code = name.bytes.withUnsafeBufferPointer({ CharacterEntities.codePoint(ByteView($0)) })
        {
            return append(code, inValue: inValue)
        }
        if !isEnded, name.count == 0, input.peek() == nil { return }
        append(UInt8(ascii: "&"), inValue)
        for byte in name.bytes { append(asciiLowercased(byte), inValue) }
        if isEnded { append(UInt8(ascii: ";"), inValue) }
    }

    private func isNameCharacter(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ":")
            || byte == UInt8(ascii: "-")
    }

    private mutating func number(inValue: Bool) {
        var code: Int64 = 0
        var isHex = false
        while let byte = input.peek() {
            if code == 0, byte | 0x20 == UInt8(ascii: "x") {
                isHex = true
                input.advance()
                continue
            }
            if byte == UInt8(ascii: ";") {
                input.advance()
                if inValue { value.append(UInt8(truncatingIfNeeded: code)) }
                if code < 0x80 {
                    withoutComments.append(asciiLowercased(UInt8(truncatingIfNeeded: code)))
                } else {
                    appendNumeric(UInt16(truncatingIfNeeded: code))
                }
                return
            }
            guard let digit = digit(byte, isHex) else {
                withoutComments.append(UInt8(truncatingIfNeeded: code))
                return
            }
            // What grows beyond this is no character, but it must not trap.
            if isHex, code < Int64.max / 16 {
                code *= 16
            } else if code < Int64.max / 10 {
                code *= 10
            } else {
                withoutComments.append(UInt8(truncatingIfNeeded: code))
                input.advance()
                return
            }
            let (sum, isTooMuch) = code.addingReportingOverflow(digit)
            input.advance()
            if isTooMuch {
                withoutComments.append(UInt8(truncatingIfNeeded: code))
                return
            }
            code = sum
        }
    }

    private func digit(_ byte: UInt8, _ isHex: Bool) -> Int64? {
        if byte &- 0x30 < 10 { return Int64(byte - 0x30) }
        let letter = (byte | 0x20) &- 0x61
        return isHex && letter < 6 ? Int64(letter) + 10 : nil
    }

    private mutating func append(_ byte: UInt8, _ inValue: Bool) {
        withoutComments.append(byte)
        if inValue { value.append(byte) }
    }

    /// A character by name: as it is below 255, otherwise by number.
    private mutating func append(_ code: UInt16, inValue: Bool) {
        let start = withoutComments.count
        appendNumeric(code)
        if inValue {
            for index in start..<withoutComments.count { value.append(withoutComments.bytes[index]) }
        }
    }

    private mutating func appendNumeric(_ code: UInt16) {
        switch code {
        case 0: return
        case 1..<0xff: withoutComments.append(UInt8(truncatingIfNeeded: code))
        case 0x3002, 0xff0e, 0xfe52: withoutComments.append(UInt8(ascii: "."))
        default:
            withoutComments.append(ByteView("&#x"))
            for shift in [UInt16(12), 8, 4, 0] {
                let digit = UInt8(truncatingIfNeeded: code >> shift & 15)
                withoutComments.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            }
            withoutComments.append(UInt8(ascii: ";"))
        }
    }
}
