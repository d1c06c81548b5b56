import CCrypto

/// RSASSA-PSS (RFC 8017, 9.1.2) with SHA-256 and 32 bytes of salt, the way ClamAV's signer has it: the encoded message fills the
/// whole key but one bit, also where the key's modulus is shorter by a bit. A verifier that goes by the modulus refuses a good
/// part of the signatures.
enum SignaturePadding {
    private static let hashSize = 32
    private static let saltSize = 32

    /// Whether an encoded message is right for a digest.
    static func verify(_ encoded: [UInt8], digest: [UInt8]) -> Bool {
        let databaseSize = encoded.count - hashSize - 1
        guard databaseSize > saltSize + 1, digest.count == hashSize, encoded.last == 0xbc, encoded[0] & 0x80 == 0,
            let mask = mask(Array(encoded[databaseSize..<(databaseSize + hashSize)]), databaseSize)
        else { return false }
        var database = (0..<databaseSize).map { encoded[$0] ^ mask[$0] }
        database[0] &= 0x7f
        let separator = databaseSize - saltSize - 1
        guard database[..<separator].allSatisfy({ $0 == 0 }), database[separator] == 1 else { return false }
        let expected = hash([UInt8](repeating: 0, count: 8) + digest + database[(separator + 1)...])
        return expected.map { $0.elementsEqual(encoded[databaseSize..<(databaseSize + hashSize)]) } ?? false
    }

    /// MGF1 (RFC 8017, B.2.1).
    private static func mask(_ seed: [UInt8], _ count: Int) -> [UInt8]? {
        var result: [UInt8] = []
        var counter: UInt32 = 0
        while result.count < count {
            let number = (0..<4).map { UInt8(truncatingIfNeeded: counter >> UInt32(24 - 8 * $0)) }
            guard let block = hash(seed + number) else { return nil }
            result += block
            counter += 1
        }
        return result
    }

    private static func hash(_ bytes: [UInt8]) -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: hashSize)
        return CCrypto_digest(CCRYPTO_SHA256, bytes, bytes.count, &digest) == 1 ? digest : nil
    }
}
