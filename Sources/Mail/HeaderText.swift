/// Writing header fields (RFC 5322 section 2.2, RFC 2047).
enum HeaderText {
    /// The text as the value of an unstructured field, on one line. ASCII stands as it is; anything else, and
    /// what could be taken for an encoded word, becomes encoded words.
    /// - Parameters:
    ///   - text: the value; what would end the line is replaced.
    ///   - joined: whether more text follows after a space: the space then goes into the last encoded
    ///     word, because readers drop a space between two encoded words.
    /// - Returns: the bytes, without folding and line ending.
    static func unstructured(_ text: String, joined: Bool = false) -> [UInt8] {
        let line = SafeText.line(text, limit: 600)
        let bytes = [UInt8](line.utf8)
        if bytes.allSatisfy({ $0 < 0x80 }) && !mayBeEncoded(bytes) { return joined ? bytes + [0x20] : bytes }
        return encodedWords(line + (joined ? " " : "")) + (joined ? [0x20] : [])
    }

    /// Whether something in it could be taken for an encoded word.
    private static func mayBeEncoded(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.firstIndex(of: 0x3D) else { return false }
        return bytes.indices[first...].dropLast().contains { bytes[$0] == 0x3D && bytes[$0 + 1] == 0x3F }
    }

    /// Encoded words of at most 75 characters with a space between, each whole characters of UTF-8.
    private static func encodedWords(_ text: String) -> [UInt8] {
        var words: [[UInt8]] = []
        var chunk: [UInt8] = []
        func close() {
            words.append([UInt8]("=?UTF-8?B?".utf8) + TransferEncoder.base64(chunk) + [UInt8]("?=".utf8))
            chunk = []
        }
        for scalar in text.unicodeScalars {
            let encoded = [UInt8](String(Character(scalar)).utf8)
            if chunk.count + encoded.count > 45 { close() }
            chunk += encoded
        }
        if !chunk.isEmpty || words.isEmpty { close() }
        return [UInt8](words.joined(separator: [0x20]))
    }

    /// A whole field with its line ending. Folded at spaces, continuation lines begin with a tab.
    static func field(_ name: String, _ value: [UInt8], lineEnding: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(name.utf8.count + value.count + 32)
        result += name.utf8
        result.append(0x3A)
        var column = result.count
        var at = 0
        while let begin = value[at...].firstIndex(where: { $0 != 0x20 }) {
            at = value[begin...].firstIndex(of: 0x20) ?? value.count
            let length = at - begin
            if column + 1 + length > 78 && column > name.utf8.count + 1 {
                result += lineEnding
                result.append(0x09)
                column = 8
            } else {
                result.append(0x20)
                column += 1
            }
            result += value[begin..<at]
            column += length
        }
        result += lineEnding
        return result
    }

    /// Whether it may be the name of a field: printable ASCII without a colon or space (RFC 5322 section 3.6.8).
    static func isFieldName(_ name: some StringProtocol) -> Bool {
        !name.isEmpty && name.utf8.count <= 100 && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3A }
    }
}
