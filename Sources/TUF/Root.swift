package import JSON

/// The root role: whose signatures all others need (specification section 4.3).
package struct Root: Sendable, Equatable {
    package static let roleNames = ["root", "timestamp", "snapshot", "targets"]

    package var common: Common
    package var consistentSnapshot: Bool
    package var keys: [String: PublicKey]
    package var roles: [String: Role]

    package init(common: Common, consistentSnapshot: Bool, keys: [String: PublicKey], roles: [String: Role]) {
        self.common = common
        self.consistentSnapshot = consistentSnapshot
        self.keys = keys
        self.roles = roles
    }

    package init(_ envelope: Envelope) throws(TUFError) {
        common = try Common(envelope, type: "root")
        switch envelope.signed["consistent_snapshot"] {
        case nil: consistentSnapshot = false
        case .bool(let value)?: consistentSnapshot = value
        default: throw envelope.malformed("\"consistent_snapshot\" is neither true nor false")
        }
        keys = try PublicKey.all(envelope.signed["keys"], envelope)
        var roles: [String: Role] = [:]
        for name in Self.roleNames {
            guard let role = envelope.signed["roles"]?[name].flatMap({ Role($0) }) else {
                throw envelope.malformed(
                    "no role \"\(name)\" with a threshold of at least 1 and keys that are listed once")
            }
            roles[name] = role
        }
        self.roles = roles
    }

    package var json: JSONValue {
        var members = common.members(type: "root")
        members["consistent_snapshot"] = .bool(consistentSnapshot)
        members["keys"] = .object(keys.mapValues(\.json))
        members["roles"] = .object(roles.mapValues { .object($0.members) })
        return .object(members)
    }

    /// Checks that a file is signed by one of the four roles.
    func verify(_ name: String, _ envelope: Envelope) throws(TUFError) {
        guard let role = roles[name] else { throw envelope.malformed("root has no role \"\(name)\"") }
        try role.verify(envelope, keys: keys, by: "root version \(common.version)")
    }

    /// Whether a role lost a key on the way to another root.
    func isRotated(_ name: String, in next: Root) -> Bool {
        let left = Set(next.roles[name]?.keyIDs ?? [])
        return roles[name]?.keyIDs.contains { !left.contains($0) || keys[$0] != next.keys[$0] } ?? false
    }
}

extension PublicKey {
    /// The object "keys" of root and of delegations.
    static func all(_ json: JSONValue?, _ envelope: Envelope) throws(TUFError) -> [String: PublicKey] {
        guard let members = json?.object, members.count <= 4_096 else {
            throw envelope.malformed("no object \"keys\" of at most 4096 keys")
        }
        var keys: [String: PublicKey] = [:]
        for (name, value) in members {
            guard let key = PublicKey(value) else { throw envelope.malformed("the key \(printable(name)) is none") }
            keys[name] = key
        }
        return keys
    }
}
