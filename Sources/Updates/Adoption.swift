import CCrypto
import Generations
import Glibc
import Platform

/// Takes what the fetching process left into the mirror.
///
/// Files are copied, never renamed: whoever that process belongs to could still write to its own. Each appears under its
/// name by one rename, flushed before; the state that names them is written last. After a power failure at any moment the
/// state names files that are complete.
package struct Adoption {
    let staging: String
    let mirror: String
    /// Where trusted metadata are, one folder for each repository.
    let trusted: String

    package init(staging: String, mirror: String, trusted: String) {
        self.staging = staging
        self.mirror = mirror
        self.trusted = trusted
    }

    /// Carries out what an upstream reports.
    ///
    /// - Returns: what the state says of it from now on.
    package func adopt(
        _ report: FetchReport.Upstream, of plan: FetchPlan.Upstream, before: SourceState.Upstream?, now: Int64
    ) throws(UpdateError) -> SourceState.Upstream {
        var state = before ?? SourceState.Upstream(kind: plan.kind)
        if report.failure == nil { for file in report.files { try check(file, plan) } }
        do throws(SystemError) {
            if report.failure == nil {
                var folders: Set<String> = []
                for path in report.staged {
                    guard let file = report.files.first(where: { $0.path == path }) else {
                        throw SystemError("\(path) was fetched and is not wanted", code: EINVAL)
                    }
                    try copy(file)
                    // The folders may be new themselves.
                    var folder = path
                    while folder.contains("/") {
                        folder = Files.parent(of: folder)
                        folders.insert("\(mirror)/\(folder)")
                    }
                }
                for folder in folders.sorted() + (folders.isEmpty ? [] : [mirror]) {
                    try Files.synchronizeDirectory(folder)
                }
            }
            // After the files: who trusts new metadata has them.
            for change in report.trusted { try apply(change, plan.name) }
        } catch {
            throw UpdateError(
                .files,
                error.code == EINVAL || error.code == EBADMSG ? "\(plan.name): \(error.call)" : error.description)
        }
        if report.failure != nil {
            state.failure = report.reason
            return state
        }
        state.failure = nil
        state.kind = plan.kind
        state.version = report.version
        state.checked = now
        if state.files != report.files { state.updated = now }
        state.files = report.files
        return state
    }

    /// What an upstream may bring, whatever its process says.
    private func check(_ file: SourceFile, _ plan: FetchPlan.Upstream) throws(UpdateError) {
        func refuse(_ reason: String) -> UpdateError { UpdateError(.sources, "\(plan.name): \(file.path): \(reason)") }
        let ending = Formats.ending(of: file.path)
        if plan.kind == .repository {
            let isRight =
                switch file.role {
                case .module: file.path.hasSuffix(".dat")
                case .signatures, .antispam: ending != "dat"
                case .served: true
                }
            guard isRight else { throw refuse("not what its role may be") }
        } else {
            guard file.role != .module, ending != "dat" else {
                throw refuse("only a repository can bring modules")
            }
            guard file.role == .served || plan.formats.contains(ending) else {
                throw refuse("it may not bring the format .\(ending)")
            }
            guard Set(file.formats).isSubset(of: plan.formats) else { throw refuse("it may not bring these formats") }
        }
        guard plan.folder.isEmpty ? isOfRepository(file.path) : file.path.hasPrefix("\(plan.folder)/") else {
            throw refuse("it lies outside of the folder of this upstream")
        }
    }

    private func isOfRepository(_ path: String) -> Bool {
        path.hasPrefix("metadata/") || path.hasPrefix("targets/")
    }

    /// Copies one file, and checks on the way that it is the one that was reported.
    private func copy(_ file: SourceFile) throws(SystemError) {
        let source = "\(staging)/\(file.path)"
        let target = "\(mirror)/\(file.path)"
        let folder = Files.parent(of: target)
        try Files.makeDirectory(folder)
        // Whoever fetched may have put links anywhere in its directory.
        let place = try StagedPlace(staging, file.path)
        let from = try place.open()
        guard try from.status().st_mode & S_IFMT == S_IFREG else { throw SystemError("open", source, code: EINVAL) }
        let new = "\(folder)/.new.\(getpid())"
        let to = try Descriptor.open(new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o644)
        do throws(SystemError) {
            _ = try checked("fchmod", new) { fchmod(to.raw, 0o644) }
            guard let hash = CCrypto_hash_new(CCRYPTO_SHA256) else { throw SystemError("digest", source, code: ENOMEM) }
            defer { CCrypto_hash_free(hash) }
            let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
            defer { chunk.deallocate() }
            var size = 0
            while true {
                let count = try checkedCount("read", source) { read(from.raw, chunk.baseAddress, chunk.count) }
                if count == 0 { break }
                size += count
                guard size <= file.size, CCrypto_hash_update(hash, chunk.baseAddress, count) == 1 else { break }
                try to.writeAll(UnsafeRawBufferPointer(rebasing: chunk[..<count]))
            }
            var digest = [UInt8](repeating: 0, count: 32)
            guard size == file.size, CCrypto_hash_final(hash, &digest) == 1, hexadecimal(digest) == file.digest else {
                throw SystemError("\(file.path) is not the file that was fetched", code: EBADMSG)
            }
            try to.synchronize()
            _ = try checked("rename", target) { rename(new, target) }
        } catch {
            unlink(new)
            throw SystemError(error.call, error.subject.isEmpty ? target : error.subject, code: error.code)
        }
        // It is not needed any more, and would be fetched for nothing if it stayed damaged.
        place.remove()
    }

    private func apply(_ change: FetchReport.TrustedChange, _ name: String) throws(SystemError) {
        let folder = "\(trusted)/\(name)"
        try Files.makeDirectory(folder)
        switch change {
        case .write(let name, let text): try Files.replace("\(folder)/\(name)", with: Array(text.utf8))
        case .remove(let name):
            try Files.remove("\(folder)/\(name)")
            try Files.synchronizeDirectory(folder)
        }
    }

    /// Removes files of the upstream folders that no state names any more. What another client of the mirror may just be
    /// fetching stays for a day.
    package func prune(_ state: SourceState, now: Int64) {
        let wanted = Set(state.upstreams.values.flatMap { $0.files.map(\.path) })
        for folder in ["metadata", "targets", "upstreams"] { prune(folder, wanted, now, depth: 0) }
        guard let names = try? Files.names(in: trusted) else { return }
        for name in names where state.upstreams[name] == nil { try? Files.remove("\(trusted)/\(name)") }
    }

    private func prune(_ folder: String, _ wanted: Set<String>, _ now: Int64, depth: Int) {
        guard depth < 8, let names = try? Files.names(in: "\(mirror)/\(folder)") else { return }
        for name in names {
            let path = "\(folder)/\(name)"
            var info = stat()
            guard !wanted.contains(path), lstat("\(mirror)/\(path)", &info) == 0 else { continue }
            if info.st_mode & S_IFMT == S_IFDIR {
                prune(path, wanted, now, depth: depth + 1)
                // Goes only when it is empty.
                rmdir("\(mirror)/\(path)")
            } else if Int64(info.st_mtim.tv_sec) < now - 86_400, !Self.isRoot(name) {
                unlink("\(mirror)/\(path)")
            }
        }
    }

    /// Clients of the mirror that have an old root need every one since then.
    private static func isRoot(_ name: String) -> Bool { name.hasSuffix(".root.json") }
}

/// A file in a directory that belongs to somebody else: looked up without following any link.
private struct StagedPlace {
    private let folder: Descriptor
    private let name: String
    private let path: String

    init(_ staging: String, _ path: String) throws(SystemError) {
        self.path = "\(staging)/\(path)"
        name = Files.name(of: path)
        let parent = Files.parent(of: path)
        let base = try Descriptor.open(staging, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        var at = base
        for part in parent == "." ? [] : parent.split(separator: "/") {
            let raw = openat(at.raw, String(part), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard raw >= 0 else { throw SystemError("open", "\(staging)/\(path)") }
            at = Descriptor(owning: raw)
        }
        folder = at
    }

    func open() throws(SystemError) -> Descriptor {
        let raw = openat(folder.raw, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard raw >= 0 else { throw SystemError("open", path) }
        return Descriptor(owning: raw)
    }

    func remove() { unlinkat(folder.raw, name, 0) }
}
