import Platform
import TUF

/// How a new repository's roles are signed.
package struct RepositoryPlan: Sendable {
    package var keyType = KeyType.ed25519
    /// Keys of the root role that are made, and how many of them must sign.
    package var rootKeys = 1
    package var rootThreshold = 1
    package var targetsKeys = 1
    package var targetsThreshold = 1
    /// Whether the keys of root and targets, which belong into a drawer, are encrypted.
    package var encrypts = false
    /// Hash bins that the lists are spread over; 0: none. A power of two up to 4096.
    package var bins = 0

    package init() {}
}

extension Repository {
    /// The delegated role that the online key signs: lists of signatures and rules, never code.
    package static let lists = "lists"

    /// Makes a repository without targets, signed and complete.
    ///
    /// The keys of root and targets are needed only when modules or keys change; those of the other roles day by day.
    package static func create(
        _ directory: String, _ plan: RepositoryPlan, keys: KeyRing, now: Int64
    ) throws(RepositoryError) -> Repository {
        guard !Files.exists("\(directory)/publish.json") else {
            throw RepositoryError(.request, "\(directory): a repository is here already; to change it, see sync")
        }
        guard (1...64).contains(plan.rootKeys), (1...plan.rootKeys).contains(plan.rootThreshold),
            (1...64).contains(plan.targetsKeys), (1...plan.targetsKeys).contains(plan.targetsThreshold)
        else { throw RepositoryError(.request, "a threshold must be from 1 to the number of keys, 64 at most") }
        var root = Root(common: Common(version: 1, expires: 0), consistentSnapshot: true, keys: [:], roles: [:])
        let settings = RepositorySettings()
        root.common.expires = now + settings.period("root")
        let numbers = [
            ("root", plan.rootKeys, plan.rootThreshold), ("targets", plan.targetsKeys, plan.targetsThreshold),
            ("snapshot", 1, 1), ("timestamp", 1, 1),
        ]
        for (role, count, threshold) in numbers {
            var ids: [String] = []
            for _ in 0..<count {
                let isOffline = role == "root" || role == "targets"
                let key = try keys.make(plan.keyType, for: role, encrypted: plan.encrypts && isOffline)
                root.keys[key.keyID] = key.publicKey
                ids.append(key.keyID)
            }
            root.roles[role] = Role(keyIDs: ids, threshold: threshold)
        }
        try files { () throws(SystemError) in
            // What an attempt before this one left, with keys of its own.
            try Files.remove("\(directory)/staged")
            for folder in ["public/metadata", "public/targets", "staged"] {
                try Files.makeDirectory("\(directory)/\(folder)")
            }
            try Files.replace("\(directory)/staged/root.json", with: Draft(role: "root", .root(root)).bytes)
        }
        let repository = try Repository(directory, settings, keys: keys, now: now)
        let own = try keys.make(plan.keyType, for: lists, encrypted: false)
        repository.edit("targets") { _ in }
        try repository.delegate(
            DelegationPlan(
                name: lists, keys: [own.publicKey], paths: DelegationPlan.listPaths,
                kinds: [.signatures, .antispam, .delta], bins: plan.bins))
        try repository.signDrafts()
        // From here on it is one: whoever is stopped before this begins again.
        try settings.write("\(directory)/publish.json")
        return repository
    }
}
