import JSON
import TUF

/// A role's file: what it says, and who signed it so far.
struct Draft: Sendable {
    enum Content: Sendable, Equatable {
        case root(Root)
        case targets(Targets)
        case snapshot(Snapshot)
        case timestamp(Timestamp)
    }

    let role: String
    var content: Content
    /// By key.
    var signatures: [String: [UInt8]] = [:]

    init(role: String, _ content: Content) {
        self.role = role
        self.content = content
    }

    init(role: String, bytes: [UInt8], file: String) throws(RepositoryError) {
        do throws(TUFError) {
            let envelope = try Envelope(bytes, file: file)
            self.role = role
            signatures = envelope.signatures
            switch role {
            case "root": content = .root(try Root(envelope))
            case "snapshot": content = .snapshot(try Snapshot(envelope))
            case "timestamp": content = .timestamp(try Timestamp(envelope))
            default: content = .targets(try Targets(envelope))
            }
        } catch {
            throw RepositoryError(error)
        }
    }

    private var json: JSONValue {
        switch content {
        case .root(let value): value.json
        case .targets(let value): value.json
        case .snapshot(let value): value.json
        case .timestamp(let value): value.json
        }
    }

    var common: Common {
        switch content {
        case .root(let value): value.common
        case .targets(let value): value.common
        case .snapshot(let value): value.common
        case .timestamp(let value): value.common
        }
    }

    var root: Root? { if case .root(let value) = content { value } else { nil } }
    var targets: Targets? { if case .targets(let value) = content { value } else { nil } }
    var snapshot: Snapshot? { if case .snapshot(let value) = content { value } else { nil } }
    var timestamp: Timestamp? { if case .timestamp(let value) = content { value } else { nil } }

    /// The file as clients get it. Bytes are the same for the same content and signatures.
    var bytes: [UInt8] {
        let list = signatures.sorted { $0.key < $1.key }.map { keyID, signature in
            JSONValue.object(["keyid": .string(keyID), "sig": .string(Hexadecimal.text(signature))])
        }
        return JSONValue.object(["signatures": .array(list), "signed": json]).bytes() + [0x0A]
    }

    /// What signatures are over.
    var canonical: [UInt8] { CanonicalJSON.encode(json) ?? [] }

    /// Adds signatures of the keys that are at hand.
    mutating func sign(_ keyIDs: some Sequence<String>, with keys: KeyRing) throws(RepositoryError) {
        let canonical = canonical
        for keyID in keyIDs where signatures[keyID] == nil {
            if let key = try keys.key(keyID) { signatures[keyID] = try key.sign(canonical) }
        }
    }

    /// How many good signatures of a role it has.
    func count(_ role: Role, _ keys: [String: PublicKey]) -> Int {
        guard let envelope = try? Envelope(bytes, file: self.role) else { return 0 }
        return role.goodSignatures(of: envelope, keys: keys)
    }

    func isGood(_ role: Role?, _ keys: [String: PublicKey]) -> Bool {
        guard let role else { return false }
        return count(role, keys) >= role.threshold
    }
}
