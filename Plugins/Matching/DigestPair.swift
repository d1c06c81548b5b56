import BytesE
import CDigests
import CModuleABI

/// MD5 and SHA-256 of one object, which together take no longer than MD5 alone.
struct DigestPair {
    private var md5: (UInt64, UInt64) = (0, 0)
    private var sha256: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    /// Whether this processor can do that; on others nothing is won.
    static var isQuick: Bool { CDigests_pair_works() != 0 }

    /// Computes both; nil when the budget is used up. Only when it `isQuick`.
    init?(_ object: ByteView, check: () -> Bool) {
        var state = CDigests_pair()
        CDigests_pair_begin(&state)
        var at = 0
        while at < object.count {
            let part = object.slice(at, at + Digests.stride)
            CDigests_pair_add(&state, part.base, part.count)
            at += part.count
            guard check() else { return nil }
        }
        withUnsafeMutableBytes(of: &md5) { md5 in
            withUnsafeMutableBytes(of: &sha256) { sha256 in
                CDigests_pair_finish(&state, md5.baseAddress, sha256.baseAddress)
            }
        }
    }

    /// Lends one of the two digests; false when the algorithm (EM_HASH_…) is another one.
    func with(algorithm: UInt32, _ use: (UnsafeRawPointer) -> Void) -> Bool {
        switch algorithm {
        case EM_HASH_MD5: withUnsafeBytes(of: md5) { if let base = $0.baseAddress { use(base) } }
        case EM_HASH_SHA256: withUnsafeBytes(of: sha256) { if let base = $0.baseAddress { use(base) } }
        default: return false
        }
        return true
    }
}
