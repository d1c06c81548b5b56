package import Bytes

/// Basic authentication (RFC 7617): the field is compared in its encoded form.
package enum BasicCredentials {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The base64 text (RFC 4648 §4) of "user:password".
    package static func encode(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        for index in stride(from: 0, to: bytes.count, by: 3) {
            let rest = bytes.count - index
            let word =
                UInt32(bytes[index]) << 16 | (rest > 1 ? UInt32(bytes[index + 1]) << 8 : 0)
                | (rest > 2 ? UInt32(bytes[index + 2]) : 0)
            for position in 0..<4 {
                let isPadding = position > rest
                result.append(isPadding ? UInt8(ascii: "=") : alphabet[Int(word >> (18 - 6 * UInt32(position)) & 63)])
            }
        }
        return result
    }

    /// Whether an Authorization field holds these credentials. How long that takes does not tell where they differ.
    package static func match(_ field: ByteView, _ expected: [UInt8]) -> Bool {
        let scheme = ByteView("basic ")
        guard field.count > scheme.count,
            (0..<scheme.count).allSatisfy({ lowercased(field[$0]) == scheme[$0] })
        else { return false }
        let given = trimmed(field.dropFirst(scheme.count))
        guard given.count == expected.count else { return false }
        var difference: UInt8 = 0
        for index in 0..<expected.count { difference |= given[index] ^ expected[index] }
        return difference == 0
    }
}
