package import JSON

/// Whose signatures a file needs (specification section 4.3, "roles").
package struct Role: Sendable, Equatable {
    package var keyIDs: [String]
    package var threshold: Int

    package init(keyIDs: [String], threshold: Int) {
        self.keyIDs = keyIDs
        self.threshold = threshold
    }

    init?(_ json: JSONValue) {
        guard let list = json["keyids"]?.array, let threshold = json["threshold"]?.integer, threshold >= 1,
            threshold <= 1_024, list.count <= 1_024
        else { return nil }
        let keyIDs = list.compactMap(\.string)
        guard keyIDs.count == list.count, Set(keyIDs).count == keyIDs.count else { return nil }
        self.keyIDs = keyIDs
        self.threshold = Int(threshold)
    }

    package var members: [String: JSONValue] {
        ["keyids": .array(keyIDs.map { .string($0) }), "threshold": .integer(Int64(threshold))]
    }

    /// How many different keys of this role signed. A key under two names counts once.
    package func goodSignatures(of envelope: Envelope, keys: [String: PublicKey]) -> Int {
        var signers: Set<[UInt8]> = []
        for keyID in keyIDs {
            guard let key = keys[keyID], let signature = envelope.signatures[keyID], !signature.isEmpty,
                let identity = key.identity, !signers.contains(identity),
                PublicKey.verify(identity, envelope.canonical, signature)
            else { continue }
            signers.insert(identity)
        }
        return signers.count
    }

    func verify(_ envelope: Envelope, keys: [String: PublicKey], by delegator: String) throws(TUFError) {
        let count = goodSignatures(of: envelope, keys: keys)
        guard count >= threshold else {
            throw TUFError(
                .signature, envelope.file, "signed by \(count) of the \(threshold) keys that \(delegator) asks for")
        }
    }
}
