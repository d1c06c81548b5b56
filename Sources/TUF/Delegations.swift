import JSON

/// A role that another one trusts with some targets (specification section 4.5).
package struct Delegation: Sendable, Equatable {
    package enum Rule: Sendable, Equatable {
        /// Shell patterns.
        case paths([String])
        /// Beginnings of the SHA-256 of paths, in hexadecimal digits: hash bins.
        case hashPrefixes([String])
    }

    package var name: String
    package var role: Role
    /// Whether no later delegation is asked for a target that this one covers.
    package var isTerminating: Bool
    package var rule: Rule
    /// What kinds of targets it may bring, by our member "x-esets-kinds"; nil without it. See `TargetKind`.
    package var kinds: [String]?

    package static let kindsMember = "x-esets-kinds"

    package init(name: String, role: Role, isTerminating: Bool, rule: Rule, kinds: [String]? = nil) {
        self.name = name
        self.role = role
        self.isTerminating = isTerminating
        self.rule = rule
        self.kinds = kinds
    }

    init?(_ json: JSONValue) {
        guard let name = json["name"]?.string, FileNames.isUsable(role: name), let role = Role(json),
            let isTerminating = json["terminating"]?.bool
        else { return nil }
        self.name = name
        self.role = role
        self.isTerminating = isTerminating
        switch (json["paths"]?.strings, json["path_hash_prefixes"]?.strings) {
        case (let paths?, nil) where json["path_hash_prefixes"] == nil: rule = .paths(paths)
        case (nil, let prefixes?) where json["paths"] == nil: rule = .hashPrefixes(prefixes)
        default: return nil
        }
        if let value = json[Self.kindsMember] {
            guard let kinds = value.strings else { return nil }
            self.kinds = kinds
        }
    }

    var json: JSONValue {
        var members = role.members
        members["name"] = .string(name)
        members["terminating"] = .bool(isTerminating)
        switch rule {
        case .paths(let paths): members["paths"] = .array(paths.map { .string($0) })
        case .hashPrefixes(let prefixes): members["path_hash_prefixes"] = .array(prefixes.map { .string($0) })
        }
        if let kinds { members[Self.kindsMember] = .array(kinds.map { .string($0) }) }
        return .object(members)
    }

    /// Whether it covers a target.
    package func covers(_ path: String) -> Bool {
        covers(path, digest: Hexadecimal.text(SHA2.sha256(Array(path.utf8))))
    }

    func covers(_ path: String, digest: String) -> Bool {
        switch rule {
        case .paths(let patterns): patterns.contains { PathPattern.matches($0, path) }
        case .hashPrefixes(let prefixes): prefixes.contains { digest.utf8.starts(with: $0.utf8) }
        }
    }
}

extension JSONValue {
    fileprivate var strings: [String]? {
        guard let array else { return nil }
        let strings = array.compactMap(\.string)
        return strings.count == array.count ? strings : nil
    }
}

/// What a role delegates, in the order of trust.
package struct Delegations: Sendable, Equatable {
    /// Hash bins in short (TAP 15): 2 to the power of `bits` roles with one set of keys.
    struct Bins: Sendable, Equatable {
        let role: Role
        let bits: Int
        let prefix: String

        init?(_ json: JSONValue) {
            guard let role = Role(json), let bits = json["bit_length"]?.integer, (1...32).contains(bits),
                let prefix = json["name_prefix"]?.string, FileNames.isUsable(role: "\(prefix)-00000000")
            else { return nil }
            self.role = role
            self.bits = Int(bits)
            self.prefix = prefix
        }

        func name(_ bin: Int) -> String {
            let digits = String(bin, radix: 16)
            let width = String((1 << bits) - 1, radix: 16).utf8.count
            return "\(prefix)-\(String(repeating: "0", count: width - digits.utf8.count))\(digits)"
        }

        /// The bin of a target whose path has this SHA-256.
        func bin(digest: String) -> Int { (Int(digest.prefix(8), radix: 16) ?? 0) >> (32 - bits) }

        func contains(_ name: String) -> Bool {
            let suffix = name.dropFirst(prefix.count + 1)
            guard let bin = Int(suffix, radix: 16), bin >= 0, bin < 1 << bits else { return false }
            return self.name(bin) == name
        }

        var json: JSONValue {
            var members = role.members
            members["bit_length"] = .integer(Int64(bits))
            members["name_prefix"] = .string(prefix)
            return .object(members)
        }
    }

    package var keys: [String: PublicKey]
    package var roles: [Delegation]
    var bins: Bins?

    package init(keys: [String: PublicKey] = [:], roles: [Delegation] = []) {
        self.keys = keys
        self.roles = roles
    }

    init(_ json: JSONValue, _ envelope: Envelope) throws(TUFError) {
        keys = try PublicKey.all(json["keys"], envelope)
        roles = []
        if let list = json["roles"]?.array, json["succinct_roles"] == nil {
            for entry in list {
                guard let delegation = Delegation(entry) else {
                    throw envelope.malformed(
                        "the delegation \"\(printable(entry["name"]?.string ?? ""))\" is malformed, or has a name that "
                            + "no delegated role can have")
                }
                roles.append(delegation)
            }
            guard Set(roles.map(\.name)).count == roles.count else {
                throw envelope.malformed("a role is delegated twice")
            }
        } else if let value = json["succinct_roles"], json["roles"] == nil, let bins = Bins(value) {
            self.bins = bins
        } else {
            throw envelope.malformed("delegations without a list \"roles\"")
        }
    }

    var json: JSONValue {
        var members: [String: JSONValue] = ["keys": .object(keys.mapValues(\.json))]
        if let bins { members["succinct_roles"] = bins.json } else { members["roles"] = .array(roles.map(\.json)) }
        return .object(members)
    }

    /// Whose signatures a delegated role needs.
    func role(_ name: String) -> Role? {
        if let bins { return bins.contains(name) ? bins.role : nil }
        return roles.first { $0.name == name }?.role
    }

    /// A way to a delegated role.
    struct Way: Equatable {
        let name: String
        let isTerminating: Bool
        let kinds: [String]?
    }

    /// The roles to ask for a target.
    func ways(to path: String, digest: String) -> [Way] {
        if let bins { return [Way(name: bins.name(bins.bin(digest: digest)), isTerminating: true, kinds: nil)] }
        return roles.filter { $0.covers(path, digest: digest) }.map {
            Way(name: $0.name, isTerminating: $0.isTerminating, kinds: $0.kinds)
        }
    }

    /// The names of all roles; of bins at most `limit`, because a few bytes can name billions.
    func names(limit: Int) -> [String] {
        if let bins { return (0..<min(limit, 1 << bins.bits)).map { bins.name($0) } }
        return roles.map(\.name)
    }
}
