import CCrypto

/// SHA-1 and SHA-256 of the same bytes, piece by piece.
final class ContentDigest {
    private let sha1: OpaquePointer
    private let sha256: OpaquePointer

    /// nil when libcrypto has no memory or refuses the algorithm.
    init?() {
        guard let sha1 = CCrypto_hash_new(CCRYPTO_SHA1) else { return nil }
        guard let sha256 = CCrypto_hash_new(CCRYPTO_SHA256) else {
            CCrypto_hash_free(sha1)
            return nil
        }
        self.sha1 = sha1
        self.sha256 = sha256
    }

    deinit {
        CCrypto_hash_free(sha1)
        CCrypto_hash_free(sha256)
    }

    /// Whether it worked.
    func update(_ bytes: UnsafeRawBufferPointer) -> Bool {
        CCrypto_hash_update(sha1, bytes.baseAddress, bytes.count) == 1
            && CCrypto_hash_update(sha256, bytes.baseAddress, bytes.count) == 1
    }

    /// The two digests; nil on failure.
    func finish() -> (sha1: [UInt8], sha256: [UInt8])? {
        var first = [UInt8](repeating: 0, count: 20)
        var second = [UInt8](repeating: 0, count: 32)
        guard CCrypto_hash_final(sha1, &first) == 1, CCrypto_hash_final(sha256, &second) == 1 else { return nil }
        return (first, second)
    }
}
