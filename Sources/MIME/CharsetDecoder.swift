#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// Turns text of any character set into UTF-8, piece by piece. What is broken becomes the Latin-1 reading of its bytes,
/// so nothing is lost; the output is at most three times as long as the input.
package struct CharsetDecoder {
    private var charset: Charset
    private let table: [UInt16]?
    /// Bytes of a character that the next piece completes.
    private var pending: [UInt8] = []
    private var highSurrogate: UInt32 = 0
    // UTF-7 (RFC 2152): inside a "+…-" run, its bits, and whether it has any character yet.
    private var inBase64 = false
    private var bits: UInt32 = 0
    private var bitCount = 0
    private var runIsEmpty = true

    package init(_ charset: Charset) {
        self.charset = charset
        self.table = charset.table
    }

    /// Appends the UTF-8 form of a piece.
    package mutating func decode(_ input: ByteView, into output: inout [UInt8]) {
        switch charset {
        case .utf8: utf8(input, &output)
        case .utf16, .utf16BigEndian, .utf16LittleEndian: utf16(input, &output)
        case .utf7: utf7(input, &output)
        default: singleByte(input, &output)
        }
    }

    /// Appends what the last piece left incomplete.
    package mutating func finish(into output: inout [UInt8]) {
        for byte in pending { appendScalar(UInt32(byte), &output) }
        pending = []
        if highSurrogate != 0 { appendScalar(0xFFFD, &output) }
        highSurrogate = 0
        inBase64 = false
    }

    private func singleByte(_ input: ByteView, _ output: inout [UInt8]) {
        for byte in input.buffer {
            if byte < 0x80 {
                output.append(byte)
            } else if let table {
                appendScalar(UInt32(table[Int(byte) - 0x80]), &output)
            } else {
                appendScalar(UInt32(byte), &output)
            }
        }
    }

    private mutating func utf8(_ input: ByteView, _ output: inout [UInt8]) {
        for byte in input.buffer {
            if pending.isEmpty {
                if byte < 0x80 {
                    output.append(byte)
                } else if byte >= 0xC2, byte <= 0xF4 {
                    pending.append(byte)
                } else {
                    appendScalar(UInt32(byte), &output)
                }
                continue
            }
            if byte & 0xC0 == 0x80 {
                pending.append(byte)
                let wanted = pending[0] < 0xE0 ? 2 : pending[0] < 0xF0 ? 3 : 4
                guard pending.count == wanted else { continue }
                if isWellFormed(pending) {
                    output.append(contentsOf: pending)
                } else {
                    for each in pending { appendScalar(UInt32(each), &output) }
                }
                pending.removeAll(keepingCapacity: true)
            } else {
                for each in pending { appendScalar(UInt32(each), &output) }
                pending.removeAll(keepingCapacity: true)
                if byte < 0x80 {
                    output.append(byte)
                } else if byte >= 0xC2, byte <= 0xF4 {
                    pending.append(byte)
                } else {
                    appendScalar(UInt32(byte), &output)
                }
            }
        }
    }

    /// Overlong forms, surrogates and code points above U+10FFFF are none (RFC 3629 §4).
    private func isWellFormed(_ sequence: [UInt8]) -> Bool {
        switch sequence[0] {
        case 0xE0: sequence[1] >= 0xA0
        case 0xED: sequence[1] < 0xA0
        case 0xF0: sequence[1] >= 0x90
        case 0xF4: sequence[1] < 0x90
        default: true
        }
    }

    private mutating func utf16(_ input: ByteView, _ output: inout [UInt8]) {
        for byte in input.buffer {
            pending.append(byte)
            guard pending.count == 2 else { continue }
            let first = UInt32(pending[0])
            let second = UInt32(pending[1])
            pending.removeAll(keepingCapacity: true)
            if charset == .utf16 {
                // The first two bytes decide.
                charset = first == 0xFF && second == 0xFE ? .utf16LittleEndian : .utf16BigEndian
                if first == 0xFF && second == 0xFE || first == 0xFE && second == 0xFF { continue }
            }
            unit(charset == .utf16LittleEndian ? second << 8 | first : first << 8 | second, &output)
        }
    }

    private mutating func unit(_ unit: UInt32, _ output: inout [UInt8]) {
        if unit >= 0xDC00, unit < 0xE000, highSurrogate != 0 {
            appendScalar(0x10000 + (highSurrogate - 0xD800) << 10 + (unit - 0xDC00), &output)
            highSurrogate = 0
            return
        }
        if highSurrogate != 0 { appendScalar(0xFFFD, &output) }
        highSurrogate = 0
        if unit >= 0xD800, unit < 0xDC00 {
            highSurrogate = unit
        } else {
            appendScalar(unit >= 0xDC00 && unit < 0xE000 ? 0xFFFD : unit, &output)
        }
    }

    private mutating func utf7(_ input: ByteView, _ output: inout [UInt8]) {
        for byte in input.buffer {
            if inBase64 {
                if let value = Base64Alphabet.value(byte) {
                    runIsEmpty = false
                    bits = bits << 6 | UInt32(value)
                    bitCount += 6
                    if bitCount >= 16 {
                        bitCount -= 16
                        unit(bits >> UInt32(bitCount) & 0xFFFF, &output)
                        bits &= (1 << UInt32(bitCount)) - 1
                    }
                    continue
                }
                inBase64 = false
                if byte == 0x2D {
                    if runIsEmpty { output.append(0x2B) }
                    continue
                }
            }
            if byte == 0x2B {
                inBase64 = true
                runIsEmpty = true
                bits = 0
                bitCount = 0
            } else {
                appendScalar(UInt32(byte), &output)
            }
        }
    }
}

/// Appends a code point as UTF-8; what is no scalar value becomes U+FFFD.
func appendScalar(_ value: UInt32, _ output: inout [UInt8]) {
    let scalar = value > 0x10FFFF || (value >= 0xD800 && value < 0xE000) ? 0xFFFD : value
    if scalar < 0x80 {
        output.append(UInt8(scalar))
    } else if scalar < 0x800 {
        output.append(UInt8(0xC0 | scalar >> 6))
        output.append(UInt8(0x80 | scalar & 0x3F))
    } else if scalar < 0x10000 {
        output.append(UInt8(0xE0 | scalar >> 12))
        output.append(UInt8(0x80 | scalar >> 6 & 0x3F))
        output.append(UInt8(0x80 | scalar & 0x3F))
    } else {
        output.append(UInt8(0xF0 | scalar >> 18))
        output.append(UInt8(0x80 | scalar >> 12 & 0x3F))
        output.append(UInt8(0x80 | scalar >> 6 & 0x3F))
        output.append(UInt8(0x80 | scalar & 0x3F))
    }
}

extension Charset {
    /// Bytes of this set as UTF-8.
    package func decode(_ input: ByteView) -> [UInt8] {
        var decoder = CharsetDecoder(self)
        var output: [UInt8] = []
        output.reserveCapacity(input.count)
        decoder.decode(input, into: &output)
        decoder.finish(into: &output)
        return output
    }
}
