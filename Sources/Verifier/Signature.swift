import CCrypto
import CModuleABI

#if MODULE_WORLD
    package import BytesE
#else
    package import Bytes
#endif

/// Ed25519 signatures of modules: over a context and the SHA-256 of the file with the signature's place zeroed.
package enum Signature {
    package static let keySize = 32

    /// The 8 bytes that name a public key.
    package static func keyID(_ publicKey: ByteView) -> [UInt8] {
        Array(digest(publicKey).prefix(8))
    }

    /// What is signed, for a file whose signature note lies at `offset`; nil when the library fails.
    package static func message(_ file: ByteView, signatureOffset offset: Int) -> [UInt8]? {
        guard let hash = CCrypto_hash_new(CCRYPTO_SHA256) else { return nil }
        defer { CCrypto_hash_free(hash) }
        let size = Int(EM_SIGNATURE_SIZE)
        let zeros = [UInt8](repeating: 0, count: size)
        let head = file.prefix(offset)
        let tail = file.dropFirst(offset + size)
        var result = [UInt8](repeating: 0, count: 32)
        guard CCrypto_hash_update(hash, head.buffer.baseAddress, head.count) == 1,
            CCrypto_hash_update(hash, zeros, zeros.count) == 1,
            CCrypto_hash_update(hash, tail.buffer.baseAddress, tail.count) == 1,
            CCrypto_hash_final(hash, &result) == 1
        else { return nil }
        return ByteView("esets module v1\n").array + result
    }

    /// The content of the signature note: key id and signature. nil when the library fails.
    package static func sign(_ file: ByteView, signatureOffset: Int, seed: [UInt8]) -> [UInt8]? {
        guard seed.count == keySize, let message = message(file, signatureOffset: signatureOffset) else { return nil }
        var publicKey = [UInt8](repeating: 0, count: keySize)
        var signature = [UInt8](repeating: 0, count: 64)
        guard CCrypto_ed25519_public(seed, &publicKey) == 1,
            CCrypto_ed25519_sign(seed, message, message.count, &signature) == 1
        else { return nil }
        return publicKey.withUnsafeBufferPointer { keyID(ByteView($0)) } + signature
    }

    /// Checks the signature of a file against the keys that may sign it (32 bytes each, one after another).
    package static func verify(_ notes: Notes, file: ByteView, keys: ByteView) throws(Refusal) {
        guard notes.isSigned else { throw Refusal("signature", "the module is not signed") }
        guard let message = message(file, signatureOffset: notes.signatureOffset) else {
            throw Refusal("signature", "the hash cannot be computed")
        }
        let signature = notes.signature.dropFirst(8)
        var offset = 0
        while offset + keySize <= keys.count {
            let key = keys.slice(offset, offset + keySize)
            offset += keySize
            let named = keyID(key).withUnsafeBufferPointer { ByteView($0).equals(notes.signature.prefix(8)) }
            guard named else { continue }
            guard
                CCrypto_ed25519_verify(
                    key.buffer.baseAddress, message, message.count, signature.buffer.baseAddress) == 1
            else { throw Refusal("signature", "the signature is wrong: the file was changed after signing") }
            return
        }
        throw Refusal("signature", "signed with a key that is not trusted here")
    }

    /// SHA-256.
    package static func digest(_ bytes: ByteView) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        _ = CCrypto_digest(CCRYPTO_SHA256, bytes.buffer.baseAddress, bytes.count, &result)
        return result
    }
}
