import Platform
package import TUF

extension Repository {
    /// Gives a role a new key.
    ///
    /// - Parameters:
    ///   - role: root, targets, snapshot, timestamp, or a delegated one.
    ///   - keepsOld: whether the old keys stay beside it; otherwise the new one replaces those that are `replaced`.
    ///   - replaced: ids of keys, or their beginnings; nil: all of them.
    /// - Returns: the new key's id.
    package func rotate(
        _ role: String, _ type: KeyType, keepsOld: Bool, replaced: [String]? = nil, encrypted: Bool,
        threshold: Int? = nil
    ) throws(RepositoryError) -> String {
        let old: [String]
        if Root.roleNames.contains(role) {
            old = root.roles[role]?.keyIDs ?? []
        } else {
            guard let delegation = targets("targets")?.delegations?.roles.first(where: { $0.name == role }) else {
                throw RepositoryError(.request, "\(role): the top-level role does not delegate to it")
            }
            old = delegation.role.keyIDs
        }
        if let replaced {
            for part in replaced where !old.contains(where: { $0.hasPrefix(part) }) {
                throw RepositoryError(.request, "\(role): it has no key \(part)")
            }
        }
        let key = try keys.make(type, for: role, encrypted: encrypted)
        let kept =
            keepsOld ? old : replaced.map { parts in old.filter { id in !parts.contains { id.hasPrefix($0) } } } ?? []
        let ids = kept + [key.keyID]
        try change(role, to: ids, adding: key.publicKey, threshold: threshold)
        return key.keyID
    }

    private func change(
        _ role: String, to ids: [String], adding key: PublicKey, threshold: Int?
    ) throws(RepositoryError) {
        func new(_ old: Role?) -> Role {
            Role(keyIDs: ids, threshold: min(threshold ?? old?.threshold ?? 1, ids.count))
        }
        if let threshold, !(1...ids.count).contains(threshold) {
            throw RepositoryError(.request, "\(role): the threshold must be from 1 to its \(ids.count) keys")
        }
        if Root.roleNames.contains(role) {
            editRoot { root in
                root.roles[role] = new(root.roles[role])
                root.keys[key.keyID] = key
                let used = Set(root.roles.values.flatMap(\.keyIDs))
                root.keys = root.keys.filter { used.contains($0.key) }
            }
            if role == "targets" { renew("targets") }
            return
        }
        try replaceKeys(in: "targets", of: [role], new, key)
        let bins = targets(role)?.delegations?.roles.map(\.name) ?? []
        if bins.isEmpty { renew(role) } else { try replaceKeys(in: role, of: bins, new, key) }
        for bin in bins { renew(bin) }
    }

    private func replaceKeys(
        in delegator: String, of roles: [String], _ new: (Role?) -> Role, _ key: PublicKey
    ) throws(RepositoryError) {
        edit(delegator) { targets in
            for index in targets.delegations?.roles.indices ?? 0..<0 {
                guard let delegation = targets.delegations?.roles[index], roles.contains(delegation.name) else {
                    continue
                }
                targets.delegations?.roles[index].role = new(delegation.role)
            }
            targets.delegations?.keys[key.keyID] = key
            targets.delegations?.dropUnusedKeys()
        }
    }

    /// Sets for how many days a role's files count from now on, and renews it.
    package func expire(_ role: String, days: Int) throws(RepositoryError) {
        guard Root.roleNames.contains(role) || places.contains(where: { $0.name == role }) else {
            throw RepositoryError(.request, "\(role): there is no such role")
        }
        settings.days[role] = days
        try settings.write("\(directory)/publish.json")
        switch role {
        case "root": editRoot { _ in }
        case "snapshot", "timestamp": return
        default:
            renew(role)
            if role != "targets" {
                for bin in targets(role)?.delegations?.roles ?? [] { renew(bin.name) }
            }
        }
    }

    /// Makes a key for a role that is to come.
    package func makeKey(
        _ type: KeyType, for role: String, encrypted: Bool
    ) throws(RepositoryError) -> (keyID: String, publicKey: PublicKey) {
        guard isRoleName(role) else { throw RepositoryError(.request, "\(role): no name for a delegated role") }
        let key = try keys.make(type, for: role, encrypted: encrypted)
        return (key.keyID, key.publicKey)
    }

    func forgetDraft(_ role: String) throws(RepositoryError) {
        try files { () throws(SystemError) in try Files.remove("\(stagedDirectory)/\(role).json") }
    }
}
