import CKeys
import Glibc
package import TUF

/// Which keys can be made.
package enum KeyType: String, Sendable, CaseIterable {
    case ed25519
    /// ECDSA on P-256.
    case ecdsa
    /// RSASSA-PSS, 3072 bits.
    case rsa

    var kind: Int32 {
        switch self {
        case .ed25519: CKEYS_ED25519
        case .ecdsa: CKEYS_ECDSA_P256
        case .rsa: CKEYS_RSA_PSS
        }
    }
}

/// A private key that signs metadata.
package final class SigningKey {
    private let key: OpaquePointer
    package let publicKey: PublicKey
    package let keyID: String

    private init?(owning key: OpaquePointer) {
        self.key = key
        var room = [CChar](repeating: 0, count: 4096)
        let count = CKeys_private_public(key, &room, room.count)
        publicKey = PublicKey(kind: CKeys_private_kind(key), room[..<count])
        keyID = publicKey.keyID
        if count == 0 {
            CKeys_private_free(key)
            return nil
        }
    }

    deinit { CKeys_private_free(key) }

    /// Makes a new one.
    package static func make(_ type: KeyType) throws(RepositoryError) -> SigningKey {
        guard let key = CKeys_generate(type.kind).flatMap({ SigningKey(owning: $0) }) else {
            throw RepositoryError(.keys, "the system cannot make a key of the type \(type.rawValue)")
        }
        return key
    }

    /// Reads PEM; nil when it is no key of ours, or the passphrase is wrong.
    package static func read(pem: [UInt8], passphrase: String?) -> SigningKey? {
        CKeys_private_read(pem, pem.count, passphrase).flatMap { SigningKey(owning: $0) }
    }

    /// PKCS #8, encrypted when there is a passphrase.
    package func pem(passphrase: String?) throws(RepositoryError) -> [UInt8] {
        var room = [CChar](repeating: 0, count: 16_384)
        defer { explicit_bzero(&room, room.count) }
        let count = CKeys_private_write(key, passphrase, &room, room.count)
        guard count > 0 else { throw RepositoryError(.keys, "a private key cannot be written") }
        return room[..<count].map { UInt8(bitPattern: $0) }
    }

    package func sign(_ bytes: [UInt8]) throws(RepositoryError) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: Int(CKEYS_SIGNATURE_SIZE))
        let count = CKeys_private_sign(key, bytes, bytes.count, &signature)
        guard count > 0 else { throw RepositoryError(.keys, "the key \(keyID) cannot sign") }
        return Array(signature[..<count])
    }
}

extension PublicKey {
    /// - Parameters:
    ///   - kind: one of CKEYS_….
    ///   - half: what libcrypto writes of a public key of this kind.
    fileprivate init(kind: Int32, _ half: ArraySlice<CChar>) {
        let bytes = half.map { UInt8(bitPattern: $0) }
        let text = String(decoding: bytes, as: UTF8.self)
        switch kind {
        case CKEYS_ED25519: self.init(type: "ed25519", scheme: "ed25519", value: Hexadecimal.text(bytes))
        case CKEYS_ECDSA_P256: self.init(type: "ecdsa", scheme: "ecdsa-sha2-nistp256", value: text)
        default: self.init(type: "rsa", scheme: "rsassa-pss-sha256", value: text)
        }
    }

    /// A key that another program made: PEM, as `openssl pkey -pubout` writes it. nil when it is no key of our kinds.
    init?(pem: [UInt8]) {
        var room = [CChar](repeating: 0, count: 4096)
        var count = 0
        let kind = CKeys_public_read(pem, pem.count, &room, room.count, &count)
        guard kind != 0 else { return nil }
        self.init(kind: kind, room[..<count])
    }
}
