package import TUF

/// A role that others hold the keys of, or another machine.
package struct DelegationPlan: Sendable {
    package var name: String
    package var keys: [PublicKey]
    package var threshold = 1
    /// Shell patterns.
    package var paths: [String]
    package var kinds: Set<TargetKind>
    /// Hash bins below it; 0: none.
    package var bins = 0
    package var isTerminating = false

    package init(name: String, keys: [PublicKey], paths: [String], kinds: Set<TargetKind>, bins: Int = 0) {
        self.name = name
        self.keys = keys
        self.paths = paths
        self.kinds = kinds
        self.bins = bins
    }

    /// All files for signatures and rules, up to four folders deep ("*" matches no slash), and deltas.
    package static let listPaths: [String] =
        ["signatures", "antispam"].flatMap { folder in
            (1...5).map { "\(folder)\(String(repeating: "/*", count: $0))" }
        } + ["deltas/*"]
}

extension Repository {
    /// Trusts another role with some targets, after those that are trusted already.
    package func delegate(_ plan: DelegationPlan) throws(RepositoryError) {
        guard isRoleName(plan.name) else {
            throw RepositoryError(
                .request,
                "\(plan.name): a role's name has small letters, digits, \"-\" and \"_\", and is none of root, "
                    + "targets, snapshot, timestamp")
        }
        guard !places.contains(where: { $0.name == plan.name }) else {
            throw RepositoryError(.request, "\(plan.name): there is such a role already")
        }
        guard !plan.paths.isEmpty, (1...max(1, plan.keys.count)).contains(plan.threshold), !plan.keys.isEmpty else {
            throw RepositoryError(
                .request, "\(plan.name): it needs patterns of paths, and as many keys as its threshold")
        }
        if let kind = plan.kinds.first(where: { !TargetKind.delegable.contains($0) }) {
            throw RepositoryError(
                .request, "\(plan.name): targets of the kind \(kind.rawValue) come from the top-level role alone")
        }
        let role = Role(keyIDs: plan.keys.map(\.keyID), threshold: plan.threshold)
        edit("targets") { targets in
            var delegations = targets.delegations ?? Delegations()
            for key in plan.keys { delegations.keys[key.keyID] = key }
            delegations.roles.append(
                Delegation(
                    name: plan.name, role: role, isTerminating: plan.isTerminating, rule: .paths(plan.paths),
                    kinds: plan.kinds.map(\.rawValue).sorted()))
            targets.delegations = delegations
        }
        // Removed once and delegated again: its versions go on.
        if published[plan.name] == nil { edit(plan.name) { $0.files = [:] } } else { renew(plan.name) }
        if plan.bins > 0 { try addBins(plan, role) }
    }

    func isRoleName(_ name: String) -> Bool {
        !Root.roleNames.contains(name) && (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x5F
            }
    }

    /// Spreads what a role may bring over roles of their own, by the hash of paths, so that clients fetch the list of
    /// one bin in place of all.
    private func addBins(_ plan: DelegationPlan, _ role: Role) throws(RepositoryError) {
        guard plan.bins >= 2, plan.bins <= 4_096, plan.bins & (plan.bins - 1) == 0 else {
            throw RepositoryError(.request, "the number of hash bins must be a power of two from 2 to 4096")
        }
        let digits = (plan.bins.trailingZeroBitCount + 3) / 4
        let perBin = (1 << (4 * digits)) / plan.bins
        func padded(_ value: Int) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: digits - text.utf8.count) + text
        }
        let bins = (0..<plan.bins).map { bin in
            Delegation(
                name: "\(plan.name)-\(padded(bin))", role: role, isTerminating: true,
                rule: .hashPrefixes((0..<perBin).map { padded(bin * perBin + $0) }),
                kinds: plan.kinds.map(\.rawValue).sorted())
        }
        edit(plan.name) { targets in
            targets.delegations = Delegations(
                keys: Dictionary(plan.keys.map { ($0.keyID, $0) }) { first, _ in first }, roles: bins)
        }
        for bin in bins { edit(bin.name) { $0.files = [:] } }
    }

    /// Trusts a role no more. Its last version stays in the snapshot, which may forget nothing.
    package func undelegate(_ name: String) throws(RepositoryError) {
        guard targets("targets")?.delegations?.roles.contains(where: { $0.name == name }) == true else {
            throw RepositoryError(.request, "\(name): the top-level role does not delegate to it")
        }
        edit("targets") { targets in
            targets.delegations?.roles.removeAll { $0.name == name }
            targets.delegations?.dropUnusedKeys()
        }
        drafts[name] = nil
        try forgetDraft(name)
    }

    /// The role that brings targets of this kind and path: code and components from the top-level one, all else from the
    /// first that is trusted with it.
    func role(for path: String, _ kind: TargetKind) -> String {
        guard kind != .module, kind != .pcu,
            let first = targets("targets")?.delegations?.roles.first(where: {
                $0.covers(path) && ($0.kinds.map { $0.contains(kind.rawValue) } ?? TargetKind.delegated.contains(kind))
            })
        else { return "targets" }
        return bin(of: first.name, path)
    }

    /// The bin of a role, if it has bins.
    func bin(of role: String, _ path: String) -> String {
        targets(role)?.delegations?.roles.first { $0.covers(path) }?.name ?? role
    }
}

extension Delegations {
    /// Keys stay as long as a role has them.
    mutating func dropUnusedKeys() {
        let used = Set(roles.flatMap(\.role.keyIDs))
        keys = keys.filter { used.contains($0.key) }
    }
}
