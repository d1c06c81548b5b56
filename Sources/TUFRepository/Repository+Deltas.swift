import Bytes
import Deltas
import Glibc
import JSON
import Platform
import TUF

extension Repository {
    /// Smaller files are not worth a delta, and neither are deltas of more than this part of the whole.
    private static let smallest = 4_096
    private static let worth = 0.7
    /// zstd's, for the whole file, which is made once and fetched by everybody who is new.
    private static let wholeLevel = 12

    /// Makes deltas that lead to a role's target from its older versions, the newest first, as far as those are still
    /// stored, and one from nothing: the whole, compressed, for those who have no older version.
    ///
    /// - Returns: how many deltas are new.
    @discardableResult
    package func makeDeltas(_ path: String, in role: String) throws(RepositoryError) -> Int {
        guard let file = targets(role)?.files[path], let new = file.hashes.sha256, file.length >= Self.smallest,
            file.length <= Delta.largestFile
        else { return 0 }
        var made = 0
        let older = try olderVersions(path, than: new).prefix(settings.deltas).map { Optional($0) }
        for old in older + [nil] {
            let from = old.map { Hexadecimal.text($0) } ?? Delta.nothing
            let name = "deltas/\(from)-\(Hexadecimal.text(new)).zst"
            let bringer = self.role(for: name, .delta)
            guard targets(bringer)?.files[name] == nil,
                let incoming = try makeDelta(
                    from: old.map { storage(path, $0) }, to: storage(path, new),
                    level: old == nil ? Self.wholeLevel : 3)
            else { continue }
            let custom: [String: String] = [
                "kind": TargetKind.delta.rawValue, "from": from, "to": Hexadecimal.text(new), "path": path,
            ]
            _ = try put(incoming, name, bringer, custom.mapValues { .string($0) })
            made += 1
        }
        return made
    }

    /// nil when it is not worth it.
    private func makeDelta(from old: String?, to new: String, level: Int) throws(RepositoryError) -> IncomingFile? {
        let before = try files { () throws(SystemError) in
            try old.map { path throws(SystemError) in try Mapping(path: path) }
        }
        let after = try files { () throws(SystemError) in try Mapping(path: new) }
        defer { withExtendedLifetime((before, after)) {} }
        let limit = Int(Double(after.bytes.count) * Self.worth)
        var delta: [UInt8] = []
        do throws(DeltaError) {
            try Delta.make(
                from: before.map { ByteView($0.bytes) } ?? ByteView(), to: ByteView(after.bytes), level: level
            ) { piece in
                delta += piece.buffer
                return delta.count <= limit
            }
        } catch {
            return nil
        }
        let made = delta
        return try files { () throws(SystemError) in try IncomingFile(made, into: targetsDirectory) }
    }

    /// SHA-256 of versions of a target that are stored, newest first.
    private func olderVersions(_ path: String, than current: [UInt8]) throws(RepositoryError) -> [[UInt8]] {
        let folder = Files.parent(of: "\(targetsDirectory)/\(path)")
        let ending = ".\(Files.name(of: path))"
        var versions: [(sha256: [UInt8], time: Int)] = []
        for name in try files({ () throws(SystemError) in try Files.names(in: folder) }) where name.hasSuffix(ending) {
            guard let sha256 = Hexadecimal.bytes(name.dropLast(ending.count)), sha256.count == 32, sha256 != current
            else { continue }
            var info = stat()
            if stat("\(folder)/\(name)", &info) == 0 { versions.append((sha256, info.st_mtim.tv_sec)) }
        }
        return versions.sorted { $0.time > $1.time }.map(\.sha256)
    }

    /// Takes out deltas that lead to nothing that is listed.
    package func removeStaleDeltas() throws(RepositoryError) {
        let entries = entries
        let current = Set(entries.filter { $0.kind != .delta }.compactMap { $0.file.hashes.sha256 })
        for entry in entries where entry.kind == .delta {
            let target = entry.file.custom["to"]?.string.flatMap { Hexadecimal.bytes($0) }
            if let target, current.contains(target) { continue }
            edit(entry.role) { $0.files[entry.path] = nil }
        }
    }

    func isDirectory(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }
}
