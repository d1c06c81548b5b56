import CKeys
package import JSON

/// A public key as metadata has it. One of an unknown type is kept, and counts for nothing.
package struct PublicKey: Sendable, Equatable {
    /// The whole object, with members that we do not know.
    package let json: JSONValue
    package let type: String
    package let scheme: String
    /// Hexadecimal digits for Ed25519, PEM for others.
    package let value: String

    package init?(_ json: JSONValue) {
        guard case .object = json, let type = json["keytype"]?.string, let scheme = json["scheme"]?.string,
            case .object? = json["keyval"]
        else { return nil }
        self.json = json
        self.type = type
        self.scheme = scheme
        value = json["keyval"]?["public"]?.string ?? ""
    }

    package init(type: String, scheme: String, value: String) {
        json = ["keytype": .string(type), "scheme": .string(scheme), "keyval": ["public": .string(value)]]
        self.type = type
        self.scheme = scheme
        self.value = value
    }

    /// SHA-256 of the canonical form: how our own repositories name keys.
    package var keyID: String { Hexadecimal.text(SHA2.sha256(CanonicalJSON.encode(json) ?? [])) }

    /// One of CKEYS_…; nil when we cannot check its signatures.
    var kind: Int32? {
        switch (type, scheme) {
        case ("ed25519", "ed25519"): CKEYS_ED25519
        // The second type is what old repositories write.
        case ("ecdsa", "ecdsa-sha2-nistp256"), ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"): CKEYS_ECDSA_P256
        case ("rsa", "rsassa-pss-sha256"): CKEYS_RSA_PSS
        default: nil
        }
    }

    /// Whether it is a key whose signatures can be checked here.
    package var isUsable: Bool { identity != nil }

    /// The key itself, the same bytes however it is written and called; nil when it cannot be used.
    var identity: [UInt8]? {
        guard let kind, let bytes = kind == CKEYS_ED25519 ? Hexadecimal.bytes(value) : Array(value.utf8) else {
            return nil
        }
        var der = [UInt8](repeating: 0, count: Int(CKEYS_DER_SIZE))
        let count = CKeys_public(kind, bytes, bytes.count, &der)
        return count > 0 ? [UInt8(kind)] + der[..<count] : nil
    }

    /// Whether a signature over some bytes is by the key with this identity.
    static func verify(_ identity: [UInt8], _ bytes: [UInt8], _ signature: [UInt8]) -> Bool {
        let key = Array(identity.dropFirst())
        return CKeys_verify(Int32(identity[0]), key, key.count, bytes, bytes.count, signature, signature.count) == 1
    }
}
