import Bytes
import Deltas
import Fetching
import Glibc
import Platform
import TUF
import TUFStore
import Updates

/// A TUF repository: `metadata/` and `targets/` below the servers' addresses, as the mirror has them too, byte for byte.
struct RepositoryUpstream {
    private let job: UpstreamJob

    init(_ job: UpstreamJob) {
        self.job = job
    }

    func run() throws(FetchError) {
        var trusted = try begin()
        let client = try refresh(&trusted)
        for refused in client.refused { job.note("\(refused.role): \(refused.error.description)") }
        let wanted = select(client.targets)
        for target in wanted.all { try take(target, deltas: wanted.deltas) }
        try takeMetadata(client, trusted)
        job.report.version = "snapshot \(client.snapshot?.common.version ?? 0)"
    }

    // MARK: - Metadata

    /// The file beside trusted metadata that says which root they began with.
    private static let origin = "origin"

    /// What is trusted: what was kept, else the root that came with the installation. When the administrator put another
    /// root there, it begins anew with that one.
    private func begin() throws(FetchError) -> TrustedMetadata {
        let folder = job.upstream.trusted
        do throws(SystemError) {
            let isKept = Files.exists("\(folder)/root.json")
            if isKept, !Files.exists(job.upstream.root) { return try MetadataStore(directory: folder).load() }
            let root = try Files.read(job.upstream.root, limit: TUFLimits().root)
            let digest = try FileDigest.sha256(job.upstream.root)
            let before = try? Files.text("\(folder)/\(Self.origin)", limit: 128)
            if isKept, before == digest { return try MetadataStore(directory: folder).load() }
            // Kept only when something was signed by those whom it names: it may be the wrong one.
            let names = (try? Files.names(in: folder)) ?? []
            job.beginning = names.filter { $0.hasSuffix(".json") && SafePath.isName($0) }.map { .remove($0) }
            job.beginning += [
                .write(name: "root.json", text: String(decoding: root, as: UTF8.self)),
                .write(name: Self.origin, text: digest),
            ]
            return TrustedMetadata(root: root)
        } catch {
            throw FetchError(
                .files,
                "\(error.description); a repository needs the root that its operator published (av_update_root, "
                    + "update_root)")
        }
    }

    /// Asks one server after another until one has metadata that can be believed.
    private func refresh(_ trusted: inout TrustedMetadata) throws(FetchError) -> TUFClient {
        while true {
            do throws(FetchError) {
                return try ask(&trusted)
            } catch {
                // `ask` has left the server whose metadata are wrong.
                guard error.kind == .damaged, job.servers.server != nil else { throw error }
            }
        }
    }

    private func ask(_ trusted: inout TrustedMetadata) throws(FetchError) -> TUFClient {
        var failure: FetchError?
        do throws(TUFError) {
            var client = try TUFClient(trusted: trusted, now: job.run.surroundings.now())
            client.loadDelegations()
            while true {
                switch try client.next() {
                case .fetch(let path, let limit):
                    job.run.tell(job.name, path, 0, nil)
                    var bytes: [UInt8]?
                    do throws(FetchError) {
                        bytes = try job.encoded("metadata/\(path)", limit: limit, isGuess: client.isGuessing)
                    } catch {
                        failure = error
                        throw TUFError(.missing, path, error.description)
                    }
                    if let bytes { try client.received(bytes) } else { try client.notFound() }
                    keep(client.takeKept(), &trusted)
                case .found, .notFound: break
                case .done: return client
                }
            }
        } catch {
            if let failure { throw failure }
            let wrong = FetchError(.damaged, "\(job.servers.server?.base ?? job.name): \(error.description)")
            job.servers.leave(wrong)
            throw wrong
        }
    }

    private func keep(_ changes: [Kept], _ trusted: inout TrustedMetadata) {
        guard !changes.isEmpty else { return }
        job.report.trusted += job.beginning
        job.beginning = []
        for change in changes {
            switch change {
            case .write(let name, let bytes):
                trusted.files[name] = bytes
                job.report.trusted.append(.write(name: name, text: String(decoding: bytes, as: UTF8.self)))
            case .remove(let name):
                trusted.files[name] = nil
                job.report.trusted.append(.remove(name))
            }
        }
    }

    /// Puts the metadata to where clients of the mirror look for them.
    private func takeMetadata(_ client: TUFClient, _ trusted: TrustedMetadata) throws(FetchError) {
        var files: [(name: String, bytes: [UInt8])] = []
        func add(_ role: String, _ version: Int64?) {
            guard let bytes = trusted.files[FileNames.metadata(role)] else { return }
            files.append((FileNames.metadata(role, version: version), bytes))
        }
        let isConsistent = client.isConsistent
        if job.plan.mirrorsEverything { try takeRoots(before: client.root.common.version) }
        add("root", client.root.common.version)
        for (name, facts) in (client.snapshot?.files ?? [:]).sorted(by: { $0.key < $1.key }) {
            // Of a role that is refused an older version may be kept, which is not what its name here would say.
            let role = String(name.dropLast(".json".count))
            guard let bytes = client.accepted(role: role) else { continue }
            files.append((FileNames.metadata(role, version: isConsistent ? facts.version : nil), bytes))
        }
        add("snapshot", isConsistent ? client.snapshot?.common.version : nil)
        // The one that names all others comes last.
        add("timestamp", nil)
        for (name, bytes) in files { try place("metadata/\(name)", bytes) }
    }

    /// Roots before the one that is trusted: clients of the mirror may have begun with any of them.
    private func takeRoots(before version: Int64) throws(FetchError) {
        guard version > 1 else { return }
        for number in max(1, version - 256)..<version {
            let path = job.path("metadata/\(FileNames.metadata("root", version: number))")
            if let known = job.known(path) {
                job.keep(known)
                continue
            }
            let name = "metadata/\(FileNames.metadata("root", version: number))"
            guard let bytes = try job.bytes(name, limit: TUFLimits().root) else { continue }
            try place(name, bytes)
        }
    }

    private func place(_ name: String, _ bytes: [UInt8]) throws(FetchError) {
        let path = job.path(name)
        if let known = job.known(path), known.size == bytes.count,
            (try? Files.read(job.mirrored(path), limit: bytes.count + 1)) == bytes
        {
            return job.keep(known)
        }
        try job.write(bytes, to: path)
        job.bring(try job.describe(path, role: .served))
    }

    // MARK: - Targets

    private struct Selection {
        var all: [(target: Target, role: SourceFile.Role)] = []
        /// By the digests of the old and the new file.
        var deltas: [String: Target] = [:]
    }

    /// What is needed here, and what is only kept for clients of the mirror.
    private func select(_ targets: [Target]) -> Selection {
        var selection = Selection()
        // First, so that what a mirror fetches for its clients makes its own files, too.
        var served: [(target: Target, role: SourceFile.Role)] = []
        for target in targets {
            let kind: TargetKind
            do throws(TUFError) { kind = try target.kind() } catch {
                // Not ours; a mirror passes it on as it is.
                if job.plan.mirrorsEverything {
                    selection.all.append((target, .served))
                } else {
                    job.note(error.description)
                }
                continue
            }
            switch kind {
            case .module: selection.all.append((target, .module))
            case .signatures: selection.all.append((target, .signatures))
            case .antispam: selection.all.append((target, .antispam))
            case .pcu: if job.plan.mirrorsComponents { selection.all.append((target, .served)) }
            case .delta:
                let name = Files.name(of: target.path)
                if name.hasSuffix(".zst") { selection.deltas[String(name.dropLast(4))] = target }
                if job.plan.mirrorsEverything { served.append((target, .served)) }
            }
        }
        selection.all = served + selection.all
        return selection
    }

    private func take(
        _ wanted: (target: Target, role: SourceFile.Role), deltas: [String: Target]
    ) throws(FetchError) {
        let (target, role) = wanted
        guard target.length <= job.upstream.limit else {
            throw FetchError(.tooLarge, "\(target.path): its \(target.length) bytes are more than update_max_size")
        }
        let path = job.path("targets/\(target.location)")
        guard SafePath.isSafe(path) else {
            throw FetchError(.damaged, "\(target.path): a name with characters that cannot be in the mirror")
        }
        let digest = target.hashes.sha256.map(FileDigest.text)
        if var known = job.known(path), known.size == target.length, digest.map({ $0 == known.digest }) ?? false {
            known.role = role
            return job.keep(known)
        }
        if try !patch(target, path, digest, deltas) { try fetch(target, path, digest) }
        var file = try job.describe(path, role: role)
        file.name = "\(job.name)/\(target.path.drop { $0 != "/" }.dropFirst())"
        if !SafePath.isSafe(file.name) { file.name = "\(job.name)/\(Files.name(of: path))" }
        job.bring(file)
    }

    private func fetch(_ target: Target, _ path: String, _ digest: String?) throws(FetchError) {
        let place = try job.staged(path)
        try job.servers.perform { server throws(FetchError) in
            var download = Download(
                WebAddress.join(server.base, "targets") + "/\(target.address)", to: place, limit: target.length,
                credentials: server.credentials)
            download.digest = digest
            download.size = target.length
            let (run, name) = (job.run, job.name)
            do throws(FetchError) {
                _ = try download.run(run.fetcher) { done, total in run.tell(name, target.purpose, done, total) }
            } catch {
                // The metadata say that it is there: another server may have it.
                guard error.kind == .missing else { throw error }
                throw FetchError(.damaged, error.description)
            }
            try check(target, place)
        }
    }

    /// One attempt at the server in use: a delta that it does not have right is no reason to leave it.
    private func fetchDelta(_ delta: Target, _ path: String) throws(FetchError) {
        guard let server = job.servers.server else { throw FetchError(.network, "there is no server left") }
        let place = try job.staged(path)
        var download = Download(
            WebAddress.join(server.base, "targets") + "/\(delta.address)", to: place, limit: delta.length,
            credentials: server.credentials)
        download.digest = delta.hashes.sha256.map(FileDigest.text)
        download.size = delta.length
        let (run, name) = (job.run, job.name)
        _ = try download.run(run.fetcher) { done, total in run.tell(name, delta.purpose, done, total) }
        try check(delta, place)
    }

    /// Every hash that the metadata name.
    private func check(_ target: Target, _ place: String) throws(FetchError) {
        do throws(SystemError) {
            let file = try Mapping(copyOf: place)
            let checker = TargetChecker(target)
            do throws(TUFError) {
                try checker.update(file.bytes)
                try checker.finish()
            } catch {
                unlink(place)
                throw SystemError(error.description, code: EBADMSG)
            }
        } catch {
            throw error.code == EBADMSG ? FetchError(.damaged, error.call) : FetchError(.files, error.description)
        }
    }

    /// Makes the file of an older one and a delta, or of nothing and a delta, which is the whole compressed: whatever is
    /// smallest. False: fetch the whole as it is.
    private func patch(
        _ target: Target, _ path: String, _ digest: String?, _ deltas: [String: Target]
    ) throws(FetchError) -> Bool {
        guard let digest else { return false }
        var ways: [(delta: Target, old: String?)] = []
        if job.upstream.changes > 0 {
            for old in job.upstream.known {
                guard let delta = deltas["\(old.digest)-\(digest)"], job.known(old.path) != nil else { continue }
                ways.append((delta, job.mirrored(old.path)))
            }
        }
        if let whole = deltas["\(Delta.nothing)-\(digest)"] { ways.append((whole, nil)) }
        guard let way = ways.min(by: { $0.delta.length < $1.delta.length }), way.delta.length < target.length else {
            return false
        }
        let deltaPath = job.path("targets/\(way.delta.location)")
        do throws(FetchError) {
            if job.known(deltaPath) == nil, !job.report.staged.contains(deltaPath) {
                try fetchDelta(way.delta, deltaPath)
            }
            defer { if !job.plan.mirrorsEverything { job.discard(deltaPath) } }
            let staged = "\(job.plan.staging)/\(deltaPath)"
            try apply(
                Files.exists(staged) ? staged : job.mirrored(deltaPath), to: way.old, making: try job.staged(path),
                limit: target.length)
            try check(target, try job.staged(path))
            return true
        } catch {
            if error.kind == .files || error.kind == .credentials { throw error }
            job.note("\(way.delta.path): \(error.description); the whole is fetched")
            return false
        }
    }

    /// - Parameter old: nil: nothing.
    private func apply(_ delta: String, to old: String?, making place: String, limit: Int) throws(FetchError) {
        do throws(SystemError) {
            let delta = try Mapping(copyOf: delta)
            let old = try old.map { path throws(SystemError) in try Mapping(copyOf: path) }
            defer { withExtendedLifetime((delta, old)) {} }
            unlink(place)
            let new = try Descriptor.open(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644)
            var failure: SystemError?
            do throws(DeltaError) {
                try Delta.apply(
                    ByteView(delta.bytes), to: old.map { ByteView($0.bytes) } ?? ByteView(), limit: limit
                ) { piece in
                    do throws(SystemError) {
                        try new.writeAll(UnsafeRawBufferPointer(piece.buffer))
                        return true
                    } catch {
                        failure = error
                        return false
                    }
                }
            } catch {
                unlink(place)
                throw failure ?? SystemError(error.description, code: EBADMSG)
            }
            try new.synchronize()
        } catch {
            throw error.code == EBADMSG ? FetchError(.damaged, error.call) : FetchError(.files, error.description)
        }
    }
}
