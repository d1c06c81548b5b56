import Fetching
import Glibc
import Platform
import Updates

/// Plain files by their names: signatures, YARA rules, archives of them, maps. Each is believed for a reason that the
/// administrator chose, and is taken only if its ending is one that the upstream may bring.
struct ListUpstream {
    private let job: UpstreamJob
    private let guarantor: Guarantor

    init(_ job: UpstreamJob) throws(FetchError) {
        self.job = job
        guarantor = Guarantor(job)
        if case .tls = job.upstream.check, !job.isOffline {
            for server in job.servers.servers where WebAddress(server.base)?.scheme != .https {
                throw FetchError(.address, "\(server.base): its certificate is what is believed, so it must be https")
            }
        }
    }

    func run() throws(FetchError) {
        var digests: [String] = []
        if case .pinned(let list) = job.upstream.check {
            guard list.count == job.upstream.files.count else {
                throw FetchError(.damaged, "update_checksum must have one SHA-256 for each of update_files")
            }
            digests = list
        }
        for (index, entry) in job.upstream.files.enumerated() {
            let name = FileName(entry)
            guard SafePath.isName(name.local), job.upstream.formats.contains(Formats.ending(of: name.local)) else {
                throw FetchError(.damaged, "\(name.local): the upstream may not bring this format")
            }
            try update(name, digest: index < digests.count ? digests[index] : nil)
        }
    }

    private func update(_ name: FileName, digest: String?) throws(FetchError) {
        let path = job.path(name.local)
        let known = job.known(path)
        // What is pinned and there needs no request.
        if let digest, let known, known.digest == digest { return job.keep(known) }
        let remote = job.isOffline ? name.local : name.remote
        let outcome = try job.servers.perform { server throws(FetchError) in
            var download = Download(
                WebAddress.join(server.base, remote), to: try job.staged(path), limit: job.upstream.limit,
                credentials: server.credentials)
            download.digest = digest
            // One that is not the pinned one is no reason to keep it.
            if digest == nil, let known {
                download.unless = Validators(tag: known.tag, modified: known.modified)
            }
            let (run, upstream) = (job.run, job.name)
            let outcome = try download.run(run.fetcher) { done, total in run.tell(upstream, remote, done, total) }
            if case .complete = outcome {
                do throws(FetchError) {
                    try guarantor.check("\(job.plan.staging)/\(path)", remote, server)
                } catch {
                    job.discard(path)
                    throw error
                }
            }
            return outcome
        }
        switch outcome {
        case .notModified:
            guard let known else { throw FetchError(.damaged, "\(remote): the server says that it did not change") }
            job.keep(known)
        case .complete(let validators):
            var file = try job.describe(path, role: Self.role(of: name.local))
            (file.tag, file.modified) = (validators.tag, validators.modified)
            if Formats.archives.contains(Formats.ending(of: name.local)) { file.formats = job.upstream.formats }
            if let known, known.digest == file.digest {
                // The same again: only what the server says of it is new.
                job.discard(path)
                job.keep(file)
            } else {
                job.bring(file)
            }
        }
    }

    private static func role(of name: String) -> SourceFile.Role {
        Formats.maps.contains(Formats.ending(of: name)) ? .antispam : .signatures
    }
}

/// An entry of `update_files`: "remote/name", or "remote/name=local".
struct FileName: Equatable {
    let remote: String
    let local: String

    init(_ entry: String) {
        // The remote name may have "=" itself, in a query.
        if let mark = entry.lastIndex(of: "="), SafePath.isName(String(entry[entry.index(after: mark)...])) {
            remote = String(entry[..<mark])
            local = String(entry[entry.index(after: mark)...])
        } else {
            remote = entry
            local = Files.name(of: entry)
        }
    }
}
