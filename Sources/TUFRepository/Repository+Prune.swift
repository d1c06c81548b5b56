import Platform
import TUF

extension Repository {
    /// Removes what no client needs any more: of each role's metadata all but the newest `keep` versions, and the files
    /// of targets that none of those names. All roots stay, because clients that were away for long walk through them.
    ///
    /// - Returns: how many files went, and their bytes.
    package func prune(keep: Int) throws(RepositoryError) -> (files: Int, bytes: Int) {
        var removed = (files: 0, bytes: 0)
        var used: Set<String> = []
        let names = try files { () throws(SystemError) in try Files.names(in: metadataDirectory) }
        var versions: [String: [Int64]] = [:]
        for name in names where name.hasSuffix(".json") {
            let parts = name.split(separator: ".", maxSplits: 1)
            guard parts.count == 2, let version = Int64(parts[0]), parts[1].hasSuffix(".json") else { continue }
            versions[String(parts[1].dropLast(5)), default: []].append(version)
        }
        for (role, all) in versions where role != "root" {
            // What is published now stays in any case; a draft may name newer files.
            let current = published[role]?.common.version ?? .max
            for (rank, version) in all.sorted(by: >).enumerated() {
                let path = "\(metadataDirectory)/\(FileNames.metadata(role, version: version))"
                if rank < max(1, keep) || version >= current {
                    if role != "snapshot" { used.formUnion(try locations(of: role, path)) }
                } else {
                    try remove(path, &removed)
                }
            }
        }
        for draft in drafts.values { used.formUnion(locations(draft.targets)) }
        try sweep("", used, &removed)
        return removed
    }

    private func locations(of role: String, _ path: String) throws(RepositoryError) -> Set<String> {
        let bytes = try files { () throws(SystemError) in try Files.read(path, limit: TUFLimits().targets) }
        return locations(try Draft(role: role, bytes: bytes, file: path).targets)
    }

    private func locations(_ targets: Targets?) -> Set<String> {
        Set((targets?.files ?? [:]).map { Target.location($0.key, $0.value.hashes.sha256) })
    }

    /// Removes files of targets that are not used, and folders that become empty.
    private func sweep(
        _ prefix: String, _ used: Set<String>, _ removed: inout (files: Int, bytes: Int)
    ) throws(RepositoryError) {
        let folder = "\(targetsDirectory)/\(prefix)"
        for name in try files({ () throws(SystemError) in try Files.names(in: folder) }) {
            let path = "\(folder)\(name)"
            if isDirectory(path) {
                try sweep("\(prefix)\(name)/", used, &removed)
                if try files({ () throws(SystemError) in try Files.names(in: path) }).isEmpty {
                    try files { () throws(SystemError) in try Files.remove(path) }
                }
            } else if !used.contains(prefix + name), isStored(name) {
                try remove(path, &removed)
            }
        }
    }

    /// Whether a file has a name that we give: a SHA-256 in front.
    private func isStored(_ name: String) -> Bool {
        let digits = name.prefix { $0 != "." }
        return digits.utf8.count == 64 && Hexadecimal.bytes(digits) != nil
    }

    private func remove(_ path: String, _ removed: inout (files: Int, bytes: Int)) throws(RepositoryError) {
        let size = try files { () throws(SystemError) in
            let size = try Descriptor.open(path, 0).size()
            try Files.remove(path)
            return size
        }
        removed.files += 1
        removed.bytes += Int(size)
    }
}
