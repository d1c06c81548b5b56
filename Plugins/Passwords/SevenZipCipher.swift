package import BytesE
import CCrypto
package import ModuleKit
package import Unpacking

/// The encryption of 7z: AES-256 in CBC mode; the key is a digest of very many repetitions of salt, password and a
/// counter.
package struct SevenZipCipher {
    private let salt: [UInt8]
    private let initial: [UInt8]
    private let power: UInt8

    /// - Parameter properties: of the coder.
    package init?(_ properties: ByteView) {
        guard properties.count >= 1 else { return nil }
        let first = properties[0]
        power = first & 0x3f
        guard power <= 24 || power == 0x3f else { return nil }
        var saltSize = Int(first >> 7)
        var initialSize = Int(first >> 6 & 1)
        if properties.count > 1 {
            saltSize += Int(properties[1] >> 4)
            initialSize += Int(properties[1] & 15)
        }
        guard properties.count >= 2 + saltSize + initialSize || saltSize + initialSize == 0 else { return nil }
        salt = properties.slice(2, 2 + saltSize).array
        var initial = properties.slice(2 + saltSize, 2 + saltSize + initialSize).array
        while initial.count < 16 { initial.append(0) }
        self.initial = initial
    }

    /// What a password costs, in rounds of a hash: several repetitions go into one block.
    package var cost: Int { power == 0x3f ? 1 : 1 << max(0, Int(power) - 1) }

    /// Whether every password gives both the same key.
    package func hasKey(of other: SevenZipCipher) -> Bool { power == other.power && salt == other.salt }

    package func key(_ password: [UInt8]) -> [UInt8]? {
        let material = salt + utf16(password)
        guard power != 0x3f else {
            return Array((material + [UInt8](repeating: 0, count: 32)).prefix(32))
        }
        var key = [UInt8](repeating: 0, count: 32)
        let isDone = CCrypto_counted(CCRYPTO_SHA256, material, material.count, 1 << UInt32(power), &key)
        return isDone == 1 ? key : nil
    }

    /// The first bytes of a stream.
    package func head(_ packed: ByteView, _ key: [UInt8]) -> [UInt8] {
        cbc(key, initial, packed.prefix(64).prefix(packed.count & ~15).array) ?? []
    }

    /// The CRC-32 of a stream of so many bytes when it is decrypted.
    package func checksum(
        _ packed: ByteView, _ key: [UInt8], size: UInt64, _ scan: ScanContext
    ) throws(ModuleError) -> UInt32? {
        try checksumCBC(packed, key, initial, size: Int(clamping: size), scan)
    }

    /// Decrypts a stream of so many bytes; false when a limit is met.
    package func decrypt(
        _ packed: ByteView, _ key: [UInt8], size: UInt64, into output: inout Output
    ) throws(ModuleError) -> Bool {
        try decryptCBC(packed, key, initial, size: Int(clamping: size), into: &output)
    }
}
