package import BytesE
import CCrypto

/// The encryption of RAR 3 and 4: AES-128 in CBC mode; key and vector are a digest of very many repetitions of password,
/// salt and a counter. Nothing tells the right password but what comes out.
package struct OldRARCipher {
    package let salt: [UInt8]

    private static let repetitions: UInt32 = 0x40000

    /// - Parameter salt: eight bytes, or none: the first archives with this encryption had no salt.
    package init?(salt: ByteView) {
        guard salt.count == 8 || salt.isEmpty else { return nil }
        self.salt = salt.array
    }

    /// What trying a password costs, in rounds of a hash.
    package func cost(_ password: [UInt8]) -> Int {
        Int(Self.repetitions) * (2 * password.count + salt.count + 3) / 64
    }

    package struct Key {
        package let key, vector: [UInt8]

        package init(key: [UInt8], vector: [UInt8]) {
            self.key = key
            self.vector = vector
        }
    }

    package func key(_ password: [UInt8]) -> Key? {
        // Longer ones are cut by the programs that write archives.
        let material = Array(utf16(password).prefix(2 * 127)) + salt
        var digest = [UInt8](repeating: 0, count: 20)
        var vector = [UInt8](repeating: 0, count: 16)
        guard CCrypto_counted_tail(material, material.count, Self.repetitions, &digest, &vector) == 1 else {
            return nil
        }
        // Words with the lowest byte first, where the digest has the highest first.
        var key: [UInt8] = []
        for word in 0..<4 { for byte in 0..<4 { key.append(digest[4 * word + 3 - byte]) } }
        return Key(key: key, vector: vector)
    }

    /// Decrypts whole blocks.
    package static func decrypt(_ data: ByteView, _ key: Key) -> [UInt8]? {
        data.count % 16 == 0 && !data.isEmpty ? cbc(key.key, key.vector, data.array) : nil
    }
}
