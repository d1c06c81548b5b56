import CCrypto

/// Checks a target while it comes in.
package final class TargetChecker {
    private let target: Target
    private var hashes: [(expected: [UInt8], state: OpaquePointer)] = []
    private var isUsable = true
    /// Bytes so far.
    package private(set) var length = 0

    package init(_ target: Target) {
        self.target = target
        for (expected, algorithm) in [(target.hashes.sha256, CCRYPTO_SHA256), (target.hashes.sha512, CCRYPTO_SHA512)] {
            guard let expected else { continue }
            // Without it the check fails at the end, rather than being left out.
            guard let state = CCrypto_hash_new(algorithm) else { isUsable = false; break }
            hashes.append((expected, state))
        }
    }

    /// Takes the next bytes. More than the target has are refused at once.
    package func update(_ bytes: UnsafeRawBufferPointer) throws(TUFError) {
        guard bytes.count <= target.length - length else {
            throw TUFError(.tooLong, target.path, "more than its \(target.length) bytes")
        }
        length += bytes.count
        for (_, state) in hashes where CCrypto_hash_update(state, bytes.baseAddress, bytes.count) != 1 {
            throw TUFError(.content, target.path, "the hash cannot be computed")
        }
    }

    package func update(_ bytes: [UInt8]) throws(TUFError) {
        let result = bytes.withUnsafeBytes { bytes -> Result<Void, TUFError> in
            do throws(TUFError) { return .success(try update(bytes)) } catch { return .failure(error) }
        }
        try result.get()
    }

    /// Whether what came is the target.
    package func finish() throws(TUFError) {
        guard length == target.length else {
            throw TUFError(.content, target.path, "\(length) bytes instead of \(target.length)")
        }
        guard isUsable else { throw TUFError(.content, target.path, "the hash cannot be computed") }
        guard !hashes.isEmpty else {
            throw TUFError(.content, target.path, "none of its hashes is SHA-256 or SHA-512")
        }
        for (expected, state) in hashes {
            var digest = [UInt8](repeating: 0, count: expected.count)
            guard CCrypto_hash_final(state, &digest) == 1, digest == expected else {
                throw TUFError(.content, target.path, "another hash than its role says")
            }
        }
    }

    deinit {
        for (_, state) in hashes { CCrypto_hash_free(state) }
    }
}
