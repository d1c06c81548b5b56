import CBase64

#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// How a body was made fit for transport (RFC 2045 §6).
package enum TransferEncoding: Sendable, Equatable {
    /// 7bit, 8bit, binary, and whatever nobody knows: the bytes are what they are.
    case identity
    case base64
    case quotedPrintable
    case uuencode

    /// The encoding that a header value names. Comments, quotes and what follows the first word do not count.
    package init(headerValue: ByteView) {
        var word: [UInt8] = []
        var index = 0
        let value = headerValue.prefix(1024)
        while index < value.count {
            let byte = value[index]
            if byte == 0x28 {  // a comment
                guard let close = value.firstIndex(of: 0x29, from: index) else { break }
                index = close + 1
                continue
            }
            let isPartOfWord = byte > 0x20 && byte != 0x22 && byte != 0x27 && byte != 0x3B && byte != 0x2C
            if isPartOfWord {
                word.append(asciiLowercased(byte))
            } else if !word.isEmpty {
                break
            }
            index += 1
        }
        self = word.withUnsafeBufferPointer { buffer in
            let name = ByteView(buffer)
            if name.equals(ByteView("base64")) { return .base64 }
            if name.equals(ByteView("quoted-printable")) { return .quotedPrintable }
            if name.equals(ByteView("x-uuencode")) || name.equals(ByteView("uuencode"))
                || name.equals(ByteView("x-uue")) || name.equals(ByteView("uue"))
            {
                return .uuencode
            }
            return .identity
        }
    }
}

enum Base64Alphabet {
    /// The six bits of a character, or nil when it is not in the alphabet.
    @inline(__always) static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x41...0x5A: byte - 0x41
        case 0x61...0x7A: byte - 0x61 + 26
        case 0x30...0x39: byte - 0x30 + 52
        case 0x2B: 62
        case 0x2F: 63
        default: nil
        }
    }
}

/// Decodes a body piece by piece into memory of the caller. The output is not longer than the input, except that a
/// line of uuencode that lost its spaces can grow from one byte to 63.
package struct TransferDecoder {
    private let encoding: TransferEncoding
    // base64: bits not yet written.
    private var bits: UInt32 = 0
    private var sextets = 0
    /// Whether something was met that the encoding does not have; it was skipped or passed on as it was.
    package private(set) var foundJunk = false

    package init(_ encoding: TransferEncoding) {
        self.encoding = encoding
    }

    /// Decodes from `position` on until the input ends or the output is full.
    ///
    /// - Parameters:
    ///   - input: the whole encoded body: decoding looks ahead in it.
    ///   - position: where to begin; moved behind what was used.
    ///   - output: at least 64 bytes.
    /// - Returns: how many bytes of the output were written. The input is done when `position` is its count.
    package mutating func decode(
        _ input: ByteView, from position: inout Int, into output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        switch encoding {
        case .identity: identity(input, &position, output)
        case .base64: base64(input, &position, output)
        case .quotedPrintable: quotedPrintable(input, &position, output)
        case .uuencode: uuencode(input, &position, output)
        }
    }

    private func identity(
        _ input: ByteView, _ position: inout Int, _ output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        let count = min(output.count, input.count - position)
        guard count > 0, let from = input.buffer.baseAddress, let to = output.baseAddress else { return 0 }
        UnsafeMutableRawPointer(to).copyMemory(from: from + position, byteCount: count)
        position += count
        return count
    }

    /// RFC 2045 §6.8. What is outside the alphabet is skipped; padding ends a run, and another may follow.
    private mutating func base64(
        _ input: ByteView, _ position: inout Int, _ output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        guard let from = input.buffer.baseAddress, let to = output.baseAddress else { return 0 }
        let end = input.count
        let capacity = output.count - 3
        var written = 0
        var index = position
        while index < end, written <= capacity {
            // Whole lines, then whole groups inside a line: nearly everything.
            if sextets == 0 {
                var made = 0
                index += CBase64_decodeLines(from + index, end - index, to + written, output.count - written, &made)
                written += made
            }
            while sextets == 0, end - index >= 16, written + 12 <= output.count {
                let groups = Int(CBase64_decode16(from + index, to + written))
                written += 3 * groups
                index += 4 * groups
                if groups < 4 { break }
            }
            guard index < end, written <= capacity else { break }
            let byte = from[index]
            index += 1
            if let value = Base64Alphabet.value(byte) {
                bits = bits << 6 | UInt32(value)
                sextets += 1
                if sextets == 4 {
                    to[written] = UInt8(truncatingIfNeeded: bits >> 16)
                    to[written + 1] = UInt8(truncatingIfNeeded: bits >> 8)
                    to[written + 2] = UInt8(truncatingIfNeeded: bits)
                    written += 3
                    sextets = 0
                    bits = 0
                }
            } else if byte == 0x3D {
                written += flush(to + written)
            } else if byte > 0x20 {
                foundJunk = true
            }
        }
        if index == end, written <= capacity { written += flush(to + written) }
        position = index
        return written
    }

    /// Writes the bytes of an incomplete group of four.
    private mutating func flush(_ to: UnsafeMutablePointer<UInt8>) -> Int {
        defer {
            sextets = 0
            bits = 0
        }
        switch sextets {
        case 2:
            to[0] = UInt8(truncatingIfNeeded: bits >> 4)
            return 1
        case 3:
            to[0] = UInt8(truncatingIfNeeded: bits >> 10)
            to[1] = UInt8(truncatingIfNeeded: bits >> 2)
            return 2
        default: return 0
        }
    }

    /// RFC 2045 §6.7. A broken escape stands for itself.
    private mutating func quotedPrintable(
        _ input: ByteView, _ position: inout Int, _ output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        guard let from = input.buffer.baseAddress, let to = output.baseAddress else { return 0 }
        let end = input.count
        var written = 0
        var index = position
        while index < end, written < output.count {
            // Up to the next escape all is as it stands.
            let piece = input.prefix(index + output.count - written)
            let plain = (piece.firstIndex(of: 0x3D, from: index) ?? piece.count) - index
            UnsafeMutableRawPointer(to + written).copyMemory(from: from + index, byteCount: plain)
            written += plain
            index += plain
            guard index < end, written < output.count else { break }
            let byte = from[index]
            index += 1
            if index + 1 < end, let high = hexDigit(from[index]), let low = hexDigit(from[index + 1]) {
                to[written] = high << 4 | low
                written += 1
                index += 2
                continue
            }
            // A soft line break, perhaps with white space before the line end.
            var after = index
            while after < end, after - index < 1000, from[after] == 0x20 || from[after] == 0x09 { after += 1 }
            if after == end {
                index = end
            } else if from[after] == 0x0A {
                index = after + 1
            } else if from[after] == 0x0D {
                index = after + 1 < end && from[after + 1] == 0x0A ? after + 2 : after + 1
            } else {
                foundJunk = true
                to[written] = byte
                written += 1
            }
        }
        position = index
        return written
    }

    /// The lines of a uuencoded file: a character for the length, then groups of four. Lines that cannot
    /// be such are skipped; `UUBlocks` tells where the lines of a file begin.
    private mutating func uuencode(
        _ input: ByteView, _ position: inout Int, _ output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        guard let from = input.buffer.baseAddress, let to = output.baseAddress else { return 0 }
        let end = input.count
        var written = 0
        var index = position
        while index < end, written + 64 <= output.count {
            var lineEnd = index
            // No line of the format is longer than 1 + 84 characters and a checksum.
            while lineEnd < end, from[lineEnd] != 0x0A, from[lineEnd] != 0x0D { lineEnd += 1 }
            let length = Int(from[index] &- 0x20) & 0x3F
            let isLine = from[index] >= 0x20 && from[index] <= 0x60 && lineEnd - index <= 128
            if isLine, length > 0 {
                var group = index + 1
                var left = length
                while left > 0 {
                    // Spaces at the end of a line get lost on the way: they stand for zero.
                    var value: UInt32 = 0
                    for offset in 0..<4 {
                        let byte = group + offset < lineEnd ? from[group + offset] : 0x20
                        value = value << 6 | UInt32((byte &- 0x20) & 0x3F)
                    }
                    for shift in [UInt32(16), 8, 0] where left > 0 {
                        to[written] = UInt8(truncatingIfNeeded: value >> shift)
                        written += 1
                        left -= 1
                    }
                    group += 4
                }
            } else if lineEnd > index, length > 0 {
                foundJunk = true
            }
            index = lineEnd
            while index < end, from[index] == 0x0A || from[index] == 0x0D { index += 1 }
        }
        position = index
        return written
    }
}

/// The value of a hexadecimal digit.
@inline(__always) func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x41 + 10
    case 0x61...0x66: byte - 0x61 + 10
    default: nil
    }
}
