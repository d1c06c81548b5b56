import CCrypto
import CDigests
import Testing

/// Two digests in one pass, compared with each by itself.
@Suite("MD5 and SHA-256 in one pass", .enabled(if: CDigests_pair_works() != 0))
struct DigestTests {
    @Test("any length, in pieces of any length")
    func pieces() {
        var random = Deterministic(31)
        for length in Array(0...330) + [4096, 65_536, 100_001] {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            var state = CDigests_pair()
            CDigests_pair_begin(&state)
            var at = 0
            while at < length {
                let end = Int.random(in: at...min(length, at + Swift.max(200, length / 3)), using: &random)
                Array(bytes[at..<end]).withUnsafeBufferPointer {
                    CDigests_pair_add(&state, $0.baseAddress, $0.count)
                }
                at = end
            }
            var md5 = [UInt8](repeating: 0, count: 16)
            var sha256 = [UInt8](repeating: 0, count: 32)
            CDigests_pair_finish(&state, &md5, &sha256)
            #expect(md5 == digest(CCRYPTO_MD5, of: bytes, count: 16), "\(length)")
            #expect(sha256 == digest(CCRYPTO_SHA256, of: bytes, count: 32), "\(length)")
        }
    }

    private func digest(_ algorithm: Int32, of bytes: [UInt8], count: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        #expect(CCrypto_digest(algorithm, bytes, bytes.count, &result) == 1)
        return result
    }
}
