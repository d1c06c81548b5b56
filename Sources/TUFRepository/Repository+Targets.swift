import JSON
import Platform
package import TUF

extension Repository {
    /// A target of the working state, and the role that brings it.
    package struct Entry: Sendable {
        package let path: String
        package let role: String
        package let file: Targets.File

        package var kind: TargetKind? { file.custom["kind"]?.string.flatMap { TargetKind(rawValue: $0) } }
    }

    /// All targets, in the order of their paths.
    package var entries: [Entry] {
        var result: [Entry] = []
        for place in places {
            for (path, file) in targets(place.name)?.files ?? [:] {
                result.append(Entry(path: path, role: place.name, file: file))
            }
        }
        return result.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    /// Where the content of a target is stored.
    func storage(_ path: String, _ sha256: [UInt8]) -> String {
        "\(targetsDirectory)/\(Target.location(path, sha256))"
    }

    /// Puts a file into the repository.
    ///
    /// - Parameters:
    ///   - path: of the target, below its kind's folder: "signatures/own/mine.ndb".
    ///   - role: that brings it; nil: the first that is trusted with it.
    /// - Returns: false when the same is there already.
    package func add(
        _ source: String, as path: String, _ kind: TargetKind, role given: String? = nil
    ) throws(RepositoryError) -> Bool {
        try checkPath(path, kind)
        let role =
            try given.map { role throws(RepositoryError) in try check(role, mayBring: path, kind) }
            ?? role(for: path, kind)
        let incoming = try files { () throws(SystemError) in
            try IncomingFile(copying: source, into: targetsDirectory)
        }
        do throws(RepositoryError) {
            var custom: [String: JSONValue] = ["kind": .string(kind.rawValue)]
            if kind == .module {
                let facts = try ModuleFacts.read(incoming.path, name: Files.name(of: path))
                custom.merge(facts) { own, _ in own }
            }
            let isNew = try put(incoming, path, role, custom)
            if isNew, kind != .delta { try makeDeltas(path, in: role) }
            return isNew
        } catch {
            incoming.discard()
            throw error
        }
    }

    /// Lists a file that is stored.
    func put(
        _ incoming: IncomingFile, _ path: String, _ role: String, _ custom: [String: JSONValue]
    ) throws(RepositoryError) -> Bool {
        let file = Targets.File(
            length: incoming.length, hashes: Hashes(sha256: incoming.sha256), custom: .object(custom))
        if targets(role)?.files[path] == file, Files.exists(storage(path, incoming.sha256)) {
            incoming.discard()
            return false
        }
        try files { () throws(SystemError) in try incoming.move(to: storage(path, incoming.sha256)) }
        if targets(role)?.files[path] == nil {
            for place in places where place.name != role && targets(place.name)?.files[path] != nil {
                edit(place.name) { $0.files[path] = nil }
            }
        }
        edit(role) { $0.files[path] = file }
        return true
    }

    private func checkPath(_ path: String, _ kind: TargetKind) throws(RepositoryError) {
        guard FileNames.isSafe(path: path), path.utf8.starts(with: kind.folder.utf8), !path.utf8.contains(0x25),
            !path.hasSuffix(".json")
        else {
            throw RepositoryError(
                .request,
                "\(path): a target of the kind \(kind.rawValue) lies below \(kind.folder), without \"..\", \"%\" "
                    + "and control characters")
        }
    }

    private func check(
        _ role: String, mayBring path: String, _ kind: TargetKind
    ) throws(RepositoryError) -> String {
        if role == "targets" { return role }
        guard let delegation = targets("targets")?.delegations?.roles.first(where: { $0.name == role }),
            delegation.covers(path), delegation.kinds.map({ $0.contains(kind.rawValue) }) ?? false
        else {
            throw RepositoryError(.request, "\(path): the role \(role) may not bring it: clients would refuse it")
        }
        return bin(of: role, path)
    }

    /// Takes targets out, with the deltas that make them. Their files stay until `prune`.
    package func remove(_ paths: [String]) throws(RepositoryError) {
        for path in paths {
            guard let entry = entries.first(where: { $0.path == path }) else {
                throw RepositoryError(.request, "\(path): there is no such target")
            }
            edit(entry.role) { $0.files[path] = nil }
        }
        try removeStaleDeltas()
    }

    /// What came of bringing the repository in line with a folder.
    package struct Changes: Sendable {
        package var added: [String] = []
        package var removed: [String] = []
    }

    /// Makes the targets of the kinds that a folder has be exactly its files: `modules/`, `signatures/`, `antispam/`,
    /// `pcu/`, as a mirror lays them out. A kind without a folder is left alone.
    package func synchronize(with source: String) throws(RepositoryError) -> Changes {
        var changes = Changes()
        var found = false
        for kind in TargetKind.allCases where kind != .delta {
            let folder = "\(source)/\(kind.folder.dropLast())"
            guard Files.exists(folder) else { continue }
            found = true
            var present: Set<String> = []
            for name in try list(folder) {
                let path = "\(kind.folder)\(name)"
                // What clients compile themselves, e.g. when the folder is one's own mirror.
                if kind == .module, name.hasPrefix("em002") || name.hasPrefix("em006") { continue }
                present.insert(path)
                if try add("\(folder)/\(name)", as: path, kind) { changes.added.append(path) }
            }
            for entry in entries where entry.kind == kind && !present.contains(entry.path) && isOurs(entry.role) {
                edit(entry.role) { $0.files[entry.path] = nil }
                changes.removed.append(entry.path)
            }
        }
        guard found else {
            throw RepositoryError(
                .source, "\(source): it has none of the folders modules, signatures, antispam, pcu")
        }
        try removeStaleDeltas()
        return changes
    }

    /// Whether a role's keys are at hand: what others publish is theirs.
    private func isOurs(_ role: String) -> Bool {
        guard let place = places.first(where: { $0.name == role }) else { return false }
        return role == "targets" || place.role.keyIDs.contains { keys.has($0) }
    }

    /// The files below a folder, relative, in byte order; hidden ones and documentation are left out, as clients do.
    private func list(_ folder: String, prefix: String = "", depth: Int = 0) throws(RepositoryError) -> [String] {
        guard depth < 8 else { return [] }
        var result: [String] = []
        for name in try files({ () throws(SystemError) in try Files.names(in: folder) })
        where !name.hasPrefix(".") && !name.hasSuffix(".md") {
            if isDirectory("\(folder)/\(name)") {
                result += try list("\(folder)/\(name)", prefix: "\(prefix)\(name)/", depth: depth + 1)
            } else {
                result.append(prefix + name)
            }
        }
        return result
    }
}
