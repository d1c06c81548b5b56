import Fetching
import Glibc
import Platform
import Updates

/// What every kind of upstream needs while it is asked.
final class UpstreamJob {
    let run: FetchRun
    let upstream: FetchPlan.Upstream
    var servers: ServerList
    var report: FetchReport.Upstream
    /// Changes of trusted metadata that come before the first one of this update.
    var beginning: [FetchReport.TrustedChange] = []

    init(_ run: FetchRun, _ upstream: FetchPlan.Upstream, _ servers: ServerList) {
        self.run = run
        self.upstream = upstream
        self.servers = servers
        report = FetchReport.Upstream(name: upstream.name)
    }

    var name: String { upstream.name }
    var plan: FetchPlan { run.plan }
    var isOffline: Bool { !plan.offline.isEmpty }

    /// A path in the mirror for a name below the upstream's folder.
    func path(_ name: String) -> String { upstream.folder.isEmpty ? name : "\(upstream.folder)/\(name)" }

    /// Where the file of a mirror path is put together. Its folder is made.
    func staged(_ path: String) throws(FetchError) -> String {
        let place = "\(plan.staging)/\(path)"
        do throws(SystemError) { try Files.makeDirectory(Files.parent(of: place)) } catch {
            throw FetchError(.files, error.description)
        }
        return place
    }

    /// The file as the mirror has it.
    func mirrored(_ path: String) -> String { "\(plan.mirror)/\(path)" }

    /// What the upstream brought before under that path, if it is still there, whole.
    func known(_ path: String) -> SourceFile? {
        guard let file = upstream.known.first(where: { $0.path == path }) else { return nil }
        var info = stat()
        guard stat(mirrored(path), &info) == 0, Int(info.st_size) == file.size else { return nil }
        return file
    }

    /// Takes a new file of the staging directory.
    func bring(_ file: SourceFile) {
        report.files.append(file)
        report.staged.append(file.path)
    }

    /// Keeps a file of the mirror.
    func keep(_ file: SourceFile) {
        report.files.append(file)
    }

    func note(_ text: String) { report.notes.append(text) }

    /// Describes a file that lies in the staging directory.
    func describe(_ path: String, role: SourceFile.Role) throws(FetchError) -> SourceFile {
        let place = "\(plan.staging)/\(path)"
        do throws(SystemError) {
            let size = try Descriptor.open(place, O_RDONLY | O_NOFOLLOW).size()
            let shown = path.hasPrefix("upstreams/") ? String(path.dropFirst("upstreams/".count)) : "\(name)/\(path)"
            return SourceFile(
                name: shown, role: role, path: path, size: Int(size), digest: try FileDigest.sha256(place))
        } catch {
            throw FetchError(.files, error.description)
        }
    }

    /// Fetches a file to the staging directory, with progress.
    func download(
        _ remote: String, to path: String, limit: Int? = nil, set: (inout Download) -> Void = { _ in }
    ) throws(FetchError) -> Download.Outcome {
        let place = try staged(path)
        let (run, name) = (run, name)
        return try servers.download(
            remote, to: place, limit: limit ?? upstream.limit,
            progress: { done, total in run.tell(name, remote, done, total) }, set: set)
    }

    /// The small file beside another one; nil when there is none.
    func bytes(_ remote: String, limit: Int = 1 << 20) throws(FetchError) -> [UInt8]? {
        try servers.bytes(remote, limit: limit)
    }

    /// The same for a path that is a part of an address already.
    func encoded(_ path: String, limit: Int, isGuess: Bool = false) throws(FetchError) -> [UInt8]? {
        let fetcher = run.fetcher
        return try servers.perform { server throws(FetchError) in
            try fetcher.bytes(
                WebAddress.join(server.base, "") + path, limit: limit, credentials: server.credentials,
                isGuess: isGuess)
        }
    }

    /// Writes a small file to the staging directory.
    func write(_ bytes: [UInt8], to path: String) throws(FetchError) {
        let place = try staged(path)
        do throws(SystemError) { try Files.replace(place, with: bytes) } catch {
            throw FetchError(.files, error.description)
        }
    }

    /// Asks other servers from now on.
    func use(_ bases: [String]) {
        servers = run.servers(bases.map { ServerList.Server($0) })
    }

    func discard(_ path: String) {
        for ending in ["", ".part", ".note"] { unlink("\(plan.staging)/\(path)\(ending)") }
    }
}
