import Bytes
import CVD
import Fetching
import Glibc
import Platform
import SignatureCompiler
import Updates

/// A mirror of ClamAV's databases: versions by a DNS record or the first bytes of the container, scripts of changes in
/// place of whole containers, and every container checked before it is taken.
struct ClamAVUpstream {
    private let job: UpstreamJob
    private let store: CertificateStore?
    /// What a DNS record says, once for all databases.
    private var record: VersionRecord?

    init(_ job: UpstreamJob) throws(FetchError) {
        self.job = job
        store = try Self.certificates(job.plan.certificates)
        guard !job.upstream.dns.isEmpty, !job.isOffline else { return }
        switch job.run.surroundings.text(job.upstream.dns) {
        case .text(let text):
            record = VersionRecord(text, now: job.run.surroundings.now())
            if record == nil {
                job.note("\(job.upstream.dns): the record is too old or malformed; the servers are asked")
            }
        case .none: job.note("\(job.upstream.dns): there is no such record; the servers are asked")
        case .unreachable: job.note("\(job.upstream.dns): no answer; the servers are asked")
        }
    }

    private static func certificates(_ folder: String) throws(FetchError) -> CertificateStore? {
        guard !folder.isEmpty, Files.exists(folder), let store = CertificateStore() else { return nil }
        let names = (try? Files.names(in: folder)) ?? []
        for name in names where name.hasSuffix(".crt") || name.hasSuffix(".pem") {
            guard let pem = try? Files.read("\(folder)/\(name)", limit: 1 << 20) else { continue }
            do throws(CVDError) { try store.add(pem: pem) } catch {
                throw FetchError(.files, "\(folder)/\(name): \(error.description)")
            }
        }
        return store.count > 0 ? store : nil
    }

    func run() throws(FetchError) {
        var versions: [String] = []
        for database in job.upstream.files {
            let version = try update(database)
            versions.append("\(database) \(version)")
        }
        job.report.version = versions.joined(separator: ", ")
    }

    // MARK: - One database

    /// A container that is there.
    private struct Local {
        let file: SourceFile
        let kind: CVDContainer.Kind
        let version: UInt32
    }

    /// Returns the version that it is now.
    private func update(_ database: String) throws(FetchError) -> UInt32 {
        let local = local(database)
        let remote: UInt32
        if let version = record?.version(of: database) {
            remote = version
        } else if let version = try head(database, local) {
            remote = version
        } else {
            throw FetchError(.missing, "\(database): the server has neither \(database).cvd nor \(database).cld")
        }
        if let local, remote <= local.version {
            if remote < local.version {
                job.note("\(database): the server has version \(remote), older than \(local.version) here")
            }
            keep(local, database)
            return local.version
        }
        if let local, Int(remote - local.version) <= job.upstream.changes,
            let version = try changed(database, local, to: remote)
        {
            return version
        }
        return try whole(database, local, remote)
    }

    private func local(_ database: String) -> Local? {
        let candidates = [("cvd", CVDContainer.Kind.cvd), ("cld", .cld)].compactMap { ending, kind -> Local? in
            guard let file = job.known(job.path("\(database).\(ending)")), let version = UInt32(file.version) else {
                return nil
            }
            return Local(file: file, kind: kind, version: version)
        }
        return candidates.max { $0.version < $1.version }
    }

    private func keep(_ local: Local, _ database: String) {
        job.keep(local.file)
        keepBeside(database)
    }

    /// Signatures and scripts that came with a container.
    private func keepBeside(_ database: String, except paths: Set<String> = []) {
        for file in job.upstream.known where file.role == .served {
            guard Files.name(of: file.path).hasPrefix("\(database)-"), !paths.contains(file.path),
                job.known(file.path) != nil
            else { continue }
            job.keep(file)
        }
    }

    /// The version at the server, by the first bytes of the container; nil when there is none.
    private func head(_ database: String, _ local: Local?) throws(FetchError) -> UInt32? {
        for ending in ["cvd", "cld"] {
            let name = "\(database).\(ending)"
            let known = local.flatMap { $0.file.path == job.path(name) ? $0 : nil }
            do throws(FetchError) {
                return try job.servers.perform { server throws(FetchError) in
                    var request = FetchRequest(
                        WebAddress.join(server.base, name), limit: job.upstream.limit, credentials: server.credentials)
                    request.first = CVDHeader.size
                    request.totalTime = job.plan.timeout * 2
                    if let known { request.unless = Validators(tag: known.file.tag, modified: known.file.modified) }
                    var bytes: [UInt8] = []
                    let response = try job.run.fetcher.fetch(request) { piece in
                        bytes.append(contentsOf: piece)
                        return true
                    }
                    if response.isNotModified, let known { return known.version }
                    do throws(CVDError) {
                        return try bytes.withUnsafeBufferPointer { buffer throws(CVDError) in
                            try CVDHeader(ByteView(buffer)).version
                        }
                    } catch {
                        throw FetchError(.damaged, "\(server.base)/\(name): \(error.description)")
                    }
                }
            } catch {
                if error.kind != .missing { throw error }
            }
        }
        return nil
    }

    // MARK: - Scripts of changes

    /// Makes the new version of the old one and scripts. nil when that is not possible: then the whole is fetched.
    private func changed(_ database: String, _ local: Local, to remote: UInt32) throws(FetchError) -> UInt32? {
        var scripts: [(path: String, signature: String?)] = []
        do throws(FetchError) {
            for version in (local.version + 1)...remote {
                let name = "\(database)-\(version).cdiff"
                let path = job.path(name)
                if job.known(path) == nil {
                    _ = try job.download(name, to: path, limit: 256 << 20)
                    // A server that has nothing to say sends an empty one: the whole is to be fetched.
                    var info = stat()
                    guard stat("\(job.plan.staging)/\(path)", &info) == 0, info.st_size > 0 else { return nil }
                }
                scripts.append((path, try signature(of: name)))
            }
        } catch {
            guard error.kind == .missing else { throw error }
            job.note("\(database): the server does not have every script of changes; the whole is fetched")
            return nil
        }
        do throws(CVDError) {
            let target = job.path("\(database).cld")
            let made = try apply(scripts, database, local, to: target, version: remote)
            finish(made, target, database, scripts)
            return remote
        } catch {
            job.note("\(database): \(error.description); the whole is fetched")
            for script in scripts { job.discard(script.path) }
            return nil
        }
    }

    /// A detached signature, if signatures of that kind can be checked here and there is one.
    private func signature(of name: String) throws(FetchError) -> String? {
        guard store != nil, let bytes = try job.bytes("\(name).sign") else { return nil }
        let path = job.path("\(name).sign")
        try job.write(bytes, to: path)
        return path
    }

    /// Where a file is: new ones in the staging directory, others in the mirror.
    private func place(_ path: String) -> String {
        let staged = "\(job.plan.staging)/\(path)"
        return Files.exists(staged) ? staged : job.mirrored(path)
    }

    private func map(_ path: String) throws(CVDError) -> Mapping {
        do throws(SystemError) { return try Mapping(copyOf: place(path)) } catch {
            throw CVDError(.sink, error.description)
        }
    }

    private func apply(
        _ scripts: [(path: String, signature: String?)], _ database: String, _ local: Local, to target: String,
        version: UInt32
    ) throws(CVDError) -> SourceFile {
        let old = try map(local.file.path)
        let container = try CVDContainer(ByteView(old.bytes), kind: local.kind, keys: job.run.surroundings.keys)
        var workshop = Workshop(in: job.plan.staging)
        try container.read(&workshop, information: true)
        withExtendedLifetime(old) {}
        for (index, script) in scripts.enumerated() {
            job.run.tell(job.name, Files.name(of: script.path), index + 1, scripts.count)
            let bytes = try map(script.path)
            let file = try ChangeFile(ByteView(bytes.bytes), keys: job.run.surroundings.keys)
            let detached = try script.signature.map { path throws(CVDError) in try map(path) }
            try file.verify(
                detached: detached.map { DetachedSignature(ByteView($0.bytes)) }, store: store,
                level: SignatureCompiler.level)
            guard file.version == local.version + UInt32(index) + 1 else {
                throw CVDError(.signature, "\(Files.name(of: script.path)) leads to version \(file.version)")
            }
            try workshop.apply(try file.script())
            withExtendedLifetime((bytes, detached)) {}
        }
        let place: String
        do throws(FetchError) { place = try job.staged(target) } catch { throw CVDError(.sink, error.description) }
        try workshop.write(to: place, database: database)
        // The signature over what the container must hold now shows whether everything was applied right.
        let made = try map(target)
        let check = try CVDContainer(ByteView(made.bytes), kind: .cld, keys: job.run.surroundings.keys)
        var nothing = NoSink()
        try check.read(&nothing)
        guard check.header.version == version else {
            throw CVDError(.signature, "the scripts lead to version \(check.header.version), not \(version)")
        }
        withExtendedLifetime(made) {}
        do throws(FetchError) { return try job.describe(target, role: .signatures) } catch {
            throw CVDError(.sink, error.description)
        }
    }

    private func finish(
        _ made: SourceFile, _ target: String, _ database: String, _ scripts: [(path: String, signature: String?)]
    ) {
        var paths: Set<String> = []
        // Clients of the mirror go the same way; scripts come before what they lead to.
        if job.plan.mirrorsEverything {
            for path in scripts.flatMap({ [$0.path] + ($0.signature.map { [$0] } ?? []) }) {
                if let file = job.known(path) {
                    job.keep(file)
                } else if let file = try? job.describe(path, role: .served) {
                    job.bring(file)
                }
                paths.insert(path)
            }
            keepBeside(database, except: paths)
            limitScripts(database)
        } else {
            for script in scripts { job.discard(script.path) }
        }
        var file = made
        file.version = version(of: made.path)
        job.bring(file)
    }

    private func version(of path: String) -> String {
        guard let bytes = try? Files.read(place(path), limit: CVDHeader.size),
            let header = bytes.withUnsafeBufferPointer({ try? CVDHeader(ByteView($0)) })
        else { return "" }
        return String(header.version)
    }

    /// Scripts for clients that are further behind than one here would be are not kept.
    private func limitScripts(_ database: String) {
        let scripts = job.report.files.filter {
            $0.role == .served && Files.name(of: $0.path).hasPrefix("\(database)-") && $0.path.hasSuffix(".cdiff")
        }
        func number(_ file: SourceFile) -> Int {
            Int(Files.name(of: file.path).dropFirst(database.count + 1).prefix { $0.isNumber }) ?? 0
        }
        let old = Set(scripts.sorted { number($0) > number($1) }.dropFirst(max(1, job.upstream.changes)).map(\.path))
        guard !old.isEmpty else { return }
        job.report.files.removeAll { old.contains($0.path) || old.contains(String($0.path.dropLast(".sign".count))) }
        let kept = Set(job.report.files.map(\.path))
        job.report.staged.removeAll { !kept.contains($0) }
    }

    // MARK: - Whole containers

    private func whole(_ database: String, _ local: Local?, _ remote: UInt32) throws(FetchError) -> UInt32 {
        for (ending, kind) in [("cvd", CVDContainer.Kind.cvd), ("cld", .cld)] {
            let name = "\(database).\(ending)"
            let path = job.path(name)
            let outcome: Download.Outcome
            do throws(FetchError) {
                outcome = try job.servers.perform { server throws(FetchError) in
                    let outcome = try fetch(name, path, server)
                    try check(name, path, kind, remote, local)
                    return outcome
                }
            } catch {
                if error.kind == .missing { continue }
                throw error
            }
            var file = try job.describe(path, role: .signatures)
            file.version = version(of: path)
            if case .complete(let validators) = outcome {
                (file.tag, file.modified) = (validators.tag, validators.modified)
            }
            if let version = UInt32(file.version), let local, version <= local.version {
                job.note("\(database): the servers still have version \(version)")
                job.discard(path)
                keep(local, database)
                return local.version
            }
            if let signature = try? job.describe(job.path("\(database)-\(file.version).cvd.sign"), role: .served) {
                job.bring(signature)
            }
            keepBeside(database, except: Set(job.report.files.map(\.path)))
            job.bring(file)
            return UInt32(file.version) ?? remote
        }
        throw FetchError(.missing, "\(database): the server has neither \(database).cvd nor \(database).cld")
    }

    private func fetch(
        _ name: String, _ path: String, _ server: ServerList.Server
    ) throws(FetchError) -> Download.Outcome {
        let place = try job.staged(path)
        let download = Download(
            WebAddress.join(server.base, name), to: place, limit: job.upstream.limit, credentials: server.credentials)
        let (run, upstream) = (job.run, job.name)
        return try download.run(run.fetcher) { done, total in run.tell(upstream, name, done, total) }
    }

    private func check(
        _ name: String, _ path: String, _ kind: CVDContainer.Kind, _ remote: UInt32, _ local: Local?
    ) throws(FetchError) {
        do throws(CVDError) {
            let bytes = try map(path)
            let container = try CVDContainer(ByteView(bytes.bytes), kind: kind, keys: job.run.surroundings.keys)
            var detached: Mapping?
            let database = String(name.dropLast(4))
            if kind == .cvd, store != nil {
                let sign = "\(database)-\(container.header.version).cvd.sign"
                if let content = try? job.bytes(sign), (try? job.write(content, to: job.path(sign))) != nil {
                    detached = try? Mapping(copyOf: "\(job.plan.staging)/\(job.path(sign))")
                }
            }
            _ = try container.verify(
                detached: detached.map { DetachedSignature(ByteView($0.bytes)) }, store: store,
                level: SignatureCompiler.level)
            var nothing = NoSink()
            try container.read(&nothing)
            withExtendedLifetime((bytes, detached)) {}
        } catch {
            unlink("\(job.plan.staging)/\(path)")
            throw FetchError(error.kind == .sink ? .files : .damaged, "\(name): \(error.description)")
        }
    }
}

/// Members go nowhere: only the signatures matter.
struct NoSink: CVDMemberSink {
    mutating func begin(_ name: String, size: Int) throws(CVDError) {}
    mutating func append(_ bytes: ByteView) throws(CVDError) {}
    mutating func end() throws(CVDError) {}
}
