import CCrypto

/// Reads any bytes as a generation's manifest: as they are, which no signature of ours can make right, and as a body
/// that is signed. What is read must survive writing. Traps when a promise is broken. For fuzzing and replay tests.
package func fuzzManifest(_ bytes: UnsafeRawBufferPointer) {
    let raw = Array(bytes)
    _ = try? GenerationManifest(raw, publicKey: fuzzKey.publicKey, path: "raw")
    var signature = [UInt8](repeating: 0, count: 64)
    guard CCrypto_ed25519_sign(fuzzKey.seed, raw, raw.count, &signature) == 1 else { return }
    let signed = raw + Array("signature \(hexadecimal(signature))\n".utf8)
    guard let manifest = try? GenerationManifest(signed, publicKey: fuzzKey.publicKey, path: "signed") else { return }
    for file in manifest.files {
        precondition(!file.name.isEmpty && !file.name.contains("/") && !file.name.contains("\0") && file.name != "..")
    }
    let again = (try? manifest.encoded(seed: fuzzKey.seed)).flatMap {
        try? GenerationManifest($0, publicKey: fuzzKey.publicKey, path: "again")
    }
    precondition(again == manifest, "what was read does not survive writing")
    // Whoever has no key cannot change anything.
    var forged = signed
    forged[raw.count / 2] ^= 1
    precondition((try? GenerationManifest(forged, publicKey: fuzzKey.publicKey, path: "forged")) == nil)
}

/// A key that protects nothing.
private let fuzzKey: (seed: [UInt8], publicKey: [UInt8]) = {
    var seed = [UInt8](repeating: 0, count: 32)
    var publicKey = seed
    guard CCrypto_ed25519_generate(&seed, &publicKey) == 1 else { preconditionFailure("no key can be made") }
    return (seed, publicKey)
}()
