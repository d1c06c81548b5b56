import Glibc
import Platform
package import TUF

/// A TUF repository that is made here.
///
///     DIR/public/metadata    what clients fetch: N.root.json, N.targets.json, …, timestamp.json
///     DIR/public/targets     each file under its path, with its SHA-256 in front of its name
///     DIR/staged             files of roles that lack signatures, or wait for others
///     DIR/keys               private keys, unless they are elsewhere
///     DIR/root.json          the newest root: what a new client has to be given on a trusted way
///     DIR/publish.json       settings
///
/// Only `public` is served. Files of metadata appear whole, `timestamp.json` last, so that clients see the old state or
/// the new one.
package final class Repository {
    package let directory: String
    package let keys: KeyRing
    package internal(set) var settings: RepositorySettings
    /// Seconds since 1970.
    let now: Int64
    private let lock: Descriptor
    /// What clients see.
    var published: [String: Draft] = [:]
    /// What is being changed, or waits for signatures.
    var drafts: [String: Draft] = [:]

    var metadataDirectory: String { "\(directory)/public/metadata" }
    var targetsDirectory: String { "\(directory)/public/targets" }
    var stagedDirectory: String { "\(directory)/staged" }
    /// What a client has to begin with.
    package var rootFile: String { "\(directory)/root.json" }

    /// Opens a repository; nobody else can change it meanwhile.
    package convenience init(_ directory: String, keys: KeyRing, now: Int64) throws(RepositoryError) {
        guard Files.exists("\(directory)/publish.json") else {
            throw RepositoryError(.request, "\(directory): no repository is here; make one with esets_publish create")
        }
        try self.init(
            directory, RepositorySettings(path: "\(directory)/publish.json"), keys: keys, now: now)
    }

    /// Opens what is or becomes a repository.
    init(_ directory: String, _ settings: RepositorySettings, keys: KeyRing, now: Int64) throws(RepositoryError) {
        self.directory = directory
        self.keys = keys
        self.now = now
        self.settings = settings
        lock = try Self.lock(directory)
        try removeLeftovers()
        try load()
    }

    /// What a program that was killed had not finished writing. Nobody else writes now.
    private func removeLeftovers() throws(RepositoryError) {
        try files { () throws(SystemError) in
            for folder in [metadataDirectory, stagedDirectory, targetsDirectory, directory]
            where Files.exists(folder) {
                for name in try Files.names(in: folder) where Self.isLeftover(name) {
                    try Files.remove("\(folder)/\(name)")
                }
            }
        }
    }

    private static func isLeftover(_ name: String) -> Bool {
        let parts = name.split(separator: ".")
        return name.hasPrefix(".incoming-")
            || (parts.count > 2 && parts[parts.count - 2] == "new" && UInt32(parts[parts.count - 1]) != nil)
    }

    private static func lock(_ directory: String) throws(RepositoryError) -> Descriptor {
        let path = "\(directory)/.lock"
        let file = try files { () throws(SystemError) in
            try Descriptor.open(path, O_RDWR | O_CREAT, mode: 0o600)
        }
        guard flock(file.raw, LOCK_EX | LOCK_NB) == 0 else {
            throw RepositoryError(.request, "\(directory): somebody else is changing this repository (\(path))")
        }
        return file
    }

    // MARK: - Reading

    private func load() throws(RepositoryError) {
        let names = try files { () throws(SystemError) in
            Files.exists(metadataDirectory) ? try Files.names(in: metadataDirectory) : []
        }
        // The chain of roots has no gaps, so the highest number is the newest.
        if let newest = names.compactMap({ Self.version(of: $0, role: "root") }).max() {
            published["root"] = try read("root", newest)
        }
        if names.contains("timestamp.json") {
            let timestamp = try read("timestamp", nil)
            published["timestamp"] = timestamp
            if let facts = timestamp.timestamp?.snapshot {
                let snapshot = try read("snapshot", facts.version)
                published["snapshot"] = snapshot
                for (file, facts) in snapshot.snapshot?.files ?? [:] {
                    let role = String(file.dropLast(".json".count))
                    published[role] = try read(role, facts.version)
                }
            }
        }
        for name in Files.exists(stagedDirectory) ? try staged() : [] where name.hasSuffix(".json") {
            let role = String(name.dropLast(".json".count))
            let path = "\(stagedDirectory)/\(name)"
            let bytes = try files { () throws(SystemError) in try Files.read(path, limit: TUFLimits().targets) }
            let draft = try Draft(role: role, bytes: bytes, file: path)
            // It was published, and the machine stopped before it was removed here.
            if let old = published[role], old.common.version >= draft.common.version {
                try files { () throws(SystemError) in try Files.remove(path) }
            } else {
                drafts[role] = draft
            }
        }
        guard published["root"] != nil || drafts["root"] != nil else {
            throw RepositoryError(.damaged, "\(directory): it has no root")
        }
    }

    private func staged() throws(RepositoryError) -> [String] {
        try files { () throws(SystemError) in try Files.names(in: stagedDirectory) }
    }

    private func read(_ role: String, _ version: Int64?) throws(RepositoryError) -> Draft {
        let path = "\(metadataDirectory)/\(FileNames.metadata(role, version: version))"
        let bytes = try files { () throws(SystemError) in try Files.read(path, limit: TUFLimits().targets) }
        return try Draft(role: role, bytes: bytes, file: path)
    }

    /// N of "N.role.json".
    static func version(of name: String, role: String) -> Int64? {
        guard name.hasSuffix(".\(role).json"), let version = Int64(name.dropLast(role.utf8.count + 6)), version > 0,
            String(version).utf8.count == name.utf8.count - role.utf8.count - 6
        else { return nil }
        return version
    }

    // MARK: - The working state

    /// The root as it shall be.
    package var root: Root {
        if let root = drafts["root"]?.root ?? published["root"]?.root { return root }
        preconditionFailure("a repository has a root")
    }

    /// A role with targets as it shall be.
    package func targets(_ role: String) -> Targets? { (drafts[role] ?? published[role])?.targets }

    /// A delegated role, and whose signatures it needs.
    struct Place {
        let name: String
        let role: Role
        let keys: [String: PublicKey]
    }

    /// The top-level role and all that are delegated to, those who delegate first.
    var places: [Place] {
        guard let top = root.roles["targets"] else { return [] }
        var result = [Place(name: "targets", role: top, keys: root.keys)]
        var seen: Set<String> = ["targets"]
        var index = 0
        while index < result.count {
            let delegations = targets(result[index].name)?.delegations
            for delegation in delegations?.roles ?? [] where seen.insert(delegation.name).inserted {
                result.append(Place(name: delegation.name, role: delegation.role, keys: delegations?.keys ?? [:]))
            }
            index += 1
        }
        return result
    }

    // MARK: - Changing

    /// Changes a role with targets, which gets a new version; what was signed before must be signed again.
    func edit(_ role: String, _ body: (inout Targets) -> Void) {
        var targets = targets(role) ?? Targets(common: Common(version: 0, expires: 0))
        // Without a second owner it changes in place, however long the list is.
        drafts[role] = nil
        body(&targets)
        targets.common = next(role)
        drafts[role] = Draft(role: role, .targets(targets))
    }

    /// Gives a role a new version without changing what it says.
    func renew(_ role: String) {
        guard var targets = targets(role) else { return }
        targets.common = next(role)
        drafts[role] = Draft(role: role, .targets(targets))
    }

    func editRoot(_ body: (inout Root) -> Void) {
        var root = root
        body(&root)
        root.common = next("root")
        drafts["root"] = Draft(role: "root", .root(root))
    }

    func next(_ role: String) -> Common {
        Common(version: (published[role]?.common.version ?? 0) + 1, expires: now + settings.period(role))
    }

    /// Signs drafts with the keys that are at hand, and writes them down.
    func signDrafts(_ only: Set<String>? = nil) throws(RepositoryError) {
        var changed: [Draft] = []
        for var draft in drafts.values where only?.contains(draft.role) ?? true {
            if draft.role == "root" {
                let old = published["root"]?.root?.roles["root"]?.keyIDs ?? []
                try draft.sign((root.roles["root"]?.keyIDs ?? []) + old, with: keys)
            } else if let place = places.first(where: { $0.name == draft.role }) {
                try draft.sign(place.role.keyIDs, with: keys)
            }
            changed.append(draft)
        }
        try files { () throws(SystemError) in
            try Files.makeDirectory(stagedDirectory)
            for draft in changed { try Files.replace("\(stagedDirectory)/\(draft.role).json", with: draft.bytes) }
        }
        for draft in changed { drafts[draft.role] = draft }
    }
}
