package import CVD
package import Fetching
import Glibc
import Platform
package import Updates

/// Stage 1 of an update: asks every upstream of a plan for what is new. Runs in the fetching process, and writes to the
/// staging directory alone.
package final class FetchRun {
    let plan: FetchPlan
    let fetcher: Fetcher
    private let progress: (FetchEvent) -> Void
    private var rests: [String: Int64]
    /// What a test may put in place of the network and the clock.
    package var surroundings = Surroundings()

    /// Time, pauses and names.
    package struct Surroundings {
        package var now: () -> Int64 = { Int64(Clock.realtime / 1_000_000_000) }
        package var pause: (Double) -> Void = { usleep(UInt32(min($0, 4000) * 1_000_000)) }
        package var text: (String) -> TextRecord.Answer = TextRecord.ask
        package var policy = RetryPolicy()
        /// Keys of ClamAV's containers.
        package var keys = Keys.published

        package init() {}
    }

    package init(_ plan: FetchPlan, progress: @escaping (FetchEvent) -> Void = { _ in }) {
        self.plan = plan
        self.progress = progress
        rests = plan.ignoresRests ? [:] : plan.rests
        var settings = NetworkSettings()
        settings.proxy = plan.proxy.isEmpty ? nil : plan.proxy
        settings.proxyUser = plan.proxyUser
        settings.proxyPassword = plan.proxyPassword
        settings.timeout = max(1, plan.timeout)
        settings.rate = plan.rate
        settings.authorities = plan.authorities.isEmpty ? nil : plan.authorities
        settings.agent = plan.agent
        settings.allowsFiles = !plan.offline.isEmpty
        fetcher = Fetcher(settings)
    }

    /// Asks all of them, one after another: the network is shared anyway. One that fails does not keep the others.
    package func run() -> FetchReport {
        tidy(plan.staging, depth: 0)
        var report = FetchReport()
        for upstream in plan.upstreams { report.upstreams.append(run(upstream)) }
        let now = surroundings.now()
        report.rests = rests.filter { $0.value > now }
        return report
    }

    /// Days after which what is incomplete is not gone on with.
    private static let patience: Int64 = 7 * 86_400

    /// Removes what earlier runs left: whole files that nobody took, and parts that are old.
    private func tidy(_ folder: String, depth: Int) {
        guard depth < 8, let names = try? Files.names(in: folder) else { return }
        for name in names {
            let path = "\(folder)/\(name)"
            var info = stat()
            guard lstat(path, &info) == 0 else { continue }
            if info.st_mode & S_IFMT == S_IFDIR {
                tidy(path, depth: depth + 1)
                rmdir(path)
            } else if !(name.hasSuffix(".part") || name.hasSuffix(".note"))
                || Int64(info.st_mtim.tv_sec) < Int64(Clock.realtime / 1_000_000_000) - Self.patience
            {
                unlink(path)
            }
        }
    }

    private func run(_ upstream: FetchPlan.Upstream) -> FetchReport.Upstream {
        let job = UpstreamJob(self, upstream, servers(of: upstream))
        let (requests, bytes) = (fetcher.requests, fetcher.received)
        do throws(FetchError) {
            switch upstream.kind {
            case .repository: try RepositoryUpstream(job).run()
            case .clamav: try ClamAVUpstream(job).run()
            case .list, .maps: try ListUpstream(job).run()
            case .spamassassin: try ChannelUpstream(job).run()
            }
        } catch {
            job.report.failure = error.kind == .credentials ? .credentials : .download
            job.report.reason = error.description
            job.report.files = []
            job.report.staged = []
        }
        // Servers that were left for another one are worth knowing of also when that one worked.
        for failure in job.servers.failures where failure.description != job.report.reason {
            job.report.notes.append(failure.description)
        }
        rests.merge(job.servers.rests) { _, new in new }
        job.report.requests = fetcher.requests - requests
        job.report.bytes = fetcher.received - bytes
        return job.report
    }

    private func servers(of upstream: FetchPlan.Upstream) -> ServerList {
        let list: [ServerList.Server]
        if plan.offline.isEmpty {
            list = upstream.servers.map {
                ServerList.Server($0.base, $0.user.isEmpty ? nil : Credentials(user: $0.user, password: $0.password))
            }
        } else {
            // A folder is laid out like a mirror.
            let folder = upstream.folder.isEmpty ? plan.offline : "\(plan.offline)/\(upstream.folder)"
            list = [ServerList.Server("file://\(WebAddress.escaped(folder))")]
        }
        return servers(list)
    }

    func servers(_ list: [ServerList.Server]) -> ServerList {
        ServerList(
            list, fetcher: fetcher, rests: rests, policy: surroundings.policy, now: surroundings.now,
            pause: surroundings.pause)
    }

    func tell(_ upstream: String, _ file: String, _ done: Int, _ total: Int?) {
        progress(.progress(upstream: upstream, file: file, done: done, total: total))
    }
}
