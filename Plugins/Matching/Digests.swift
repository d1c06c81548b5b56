import BytesE
import CCrypto
import CModuleABI

/// Digests of objects. What the library makes for an algorithm is kept for the next object: making it takes as long as
/// the MD5 of 300 bytes.
final class Digests {
    /// Bytes between two budget checks.
    static let stride = 65_536

    private var md5: OpaquePointer?
    private var sha1: OpaquePointer?
    private var sha256: OpaquePointer?

    init() {}

    deinit {
        CCrypto_hash_free(md5)
        CCrypto_hash_free(sha1)
        CCrypto_hash_free(sha256)
    }

    /// Computes a digest (EM_HASH_…) and lends it.
    func with(
        _ object: ByteView, algorithm: UInt32, check: () -> Bool, _ use: (UnsafeRawPointer) -> Void
    ) -> MatchOutcome {
        guard let hash = hash(algorithm) else { return .failed }
        var at = 0
        while at < object.count {
            let part = object.slice(at, at + Self.stride)
            guard CCrypto_hash_update(hash, part.base, part.count) == 1 else { return fail() }
            at += part.count
            guard check() else {
                _ = fail()
                return .cancelled
            }
        }
        // The longest digest has 32 bytes.
        var digest: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let done = withUnsafeMutableBytes(of: &digest) { space -> Bool in
            guard let base = space.baseAddress,
                CCrypto_hash_final(hash, base.assumingMemoryBound(to: UInt8.self)) == 1
            else { return false }
            use(UnsafeRawPointer(base))
            return true
        }
        return done ? .complete : fail()
    }

    private func hash(_ algorithm: UInt32) -> OpaquePointer? {
        switch algorithm {
        case EM_HASH_MD5: made(&md5, CCRYPTO_MD5)
        case EM_HASH_SHA1: made(&sha1, CCRYPTO_SHA1)
        default: made(&sha256, CCRYPTO_SHA256)
        }
    }

    private func made(_ hash: inout OpaquePointer?, _ algorithm: Int32) -> OpaquePointer? {
        if hash == nil { hash = CCrypto_hash_new(algorithm) }
        return hash
    }

    /// Half a digest is no beginning for the next one.
    private func fail() -> MatchOutcome {
        CCrypto_hash_free(md5)
        CCrypto_hash_free(sha1)
        CCrypto_hash_free(sha256)
        (md5, sha1, sha256) = (nil, nil, nil)
        return .failed
    }
}
