import CCrypto

/// The hashes that metadata names. Empty when the library fails, which matches nothing.
package enum SHA2 {
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] { digest(CCRYPTO_SHA256, 32, bytes) }

    package static func sha512(_ bytes: [UInt8]) -> [UInt8] { digest(CCRYPTO_SHA512, 64, bytes) }

    private static func digest(_ algorithm: Int32, _ size: Int, _ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: size)
        return CCrypto_digest(algorithm, bytes, bytes.count, &digest) == 1 ? digest : []
    }
}
