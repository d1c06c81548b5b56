package import BytesE
import CCrypto

/// The encryption of RAR 5: AES-256 in CBC mode, the key by PBKDF2 with SHA-256.
package struct RARCipher {
    package let salt: [UInt8]
    /// The binary logarithm of the rounds.
    package let power: UInt8
    package let vector: [UInt8]
    /// Eight bytes that only the right password makes; empty when there are none.
    private let check: [UInt8]

    /// - Parameter bytes: version, flags, power, salt, for a file the vector, and 12 bytes to check the password.
    package init?(_ bytes: ByteView, hasVector: Bool) {
        // Both numbers are small.
        guard bytes.count >= 3 + 16, bytes[0] == 0, bytes[1] < 0x80, bytes[2] <= 24 else { return nil }
        power = bytes[2]
        salt = bytes.slice(3, 19).array
        let start = hasVector ? 35 : 19
        vector = bytes.slice(19, start).array
        guard !hasVector || vector.count == 16 else { return nil }
        check = bytes[1] & 1 != 0 ? bytes.slice(start, start + 8).array : []
    }

    /// What a password costs, in rounds of a hash.
    package var cost: Int { 4 << Int(power) }

    /// Whether a password is the right one. Without a value to check nobody knows, and none is.
    package func fits(_ password: [UInt8]) -> Bool {
        guard check.count == 8, let value = derived(password, 32) else { return false }
        var folded = [UInt8](repeating: 0, count: 8)
        for index in 0..<32 { folded[index & 7] ^= value[index] }
        return folded == check
    }

    package func key(_ password: [UInt8]) -> [UInt8]? { derived(password, 0) }

    private func derived(_ password: [UInt8], _ more: UInt32) -> [UInt8]? {
        var result = [UInt8](repeating: 0, count: 32)
        let isDone = CCrypto_pbkdf2(
            CCRYPTO_SHA256, password, password.count, salt, salt.count, (1 << UInt32(power)) + more, &result, 32)
        return isDone == 1 ? result : nil
    }

    /// Decrypts whole blocks.
    package static func decrypt(_ data: ByteView, _ key: [UInt8], _ vector: [UInt8]) -> [UInt8]? {
        data.count % 16 == 0 && !data.isEmpty ? cbc(key, vector, data.array) : nil
    }
}
