import Fetching
import Glibc
import Platform
import Updates

/// A channel of SpamAssassin: a DNS record tells the version, a web server has `VERSION.tar.gz` with a signature or
/// checksums beside it. A mirror of ours has a file VERSION in place of the record.
struct ChannelUpstream {
    private let job: UpstreamJob
    private static let versionFile = "VERSION"

    init(_ job: UpstreamJob) {
        self.job = job
    }

    func run() throws(FetchError) {
        if job.servers.servers.isEmpty { try findServers() }
        let version = try newest()
        let name = "\(version).tar.gz"
        let path = job.path(name)
        job.report.version = version
        if let known = job.known(path) {
            job.keep(known)
            if let file = job.known(job.path(Self.versionFile)) { job.keep(file) }
            return
        }
        // A version that went back would bring back rules that were wrong.
        let before = job.upstream.known.compactMap { UInt64($0.version) }.max() ?? 0
        guard UInt64(version) ?? 0 >= before else {
            throw FetchError(.damaged, "the channel is at version \(version), older than \(before), which was there")
        }
        let guarantor = Guarantor(job)
        try job.servers.perform { server throws(FetchError) in
            let download = Download(
                WebAddress.join(server.base, name), to: try job.staged(path), limit: job.upstream.limit,
                credentials: server.credentials)
            let (run, upstream) = (job.run, job.name)
            _ = try download.run(run.fetcher) { done, total in run.tell(upstream, name, done, total) }
            do throws(FetchError) {
                try guarantor.check("\(job.plan.staging)/\(path)", name, server)
            } catch {
                job.discard(path)
                throw error
            }
        }
        var file = try job.describe(path, role: .antispam)
        file.version = version
        file.formats = job.upstream.formats
        job.bring(file)
        // For clients of the mirror: after what it names.
        let beside = job.path(Self.versionFile)
        try job.write(Array("\(version)\n".utf8), to: beside)
        job.bring(try job.describe(beside, role: .served))
    }

    // MARK: - Version

    private func newest() throws(FetchError) -> String {
        if !job.isOffline, !job.upstream.dns.isEmpty {
            switch job.run.surroundings.text(job.upstream.dns) {
            case .text(let text):
                guard let version = Self.version(text) else {
                    throw FetchError(.damaged, "\(job.upstream.dns): the record is no version")
                }
                return version
            case .none: throw FetchError(.missing, "\(job.upstream.dns): the channel has no version for this engine")
            case .unreachable: throw FetchError(.network, "\(job.upstream.dns): no answer from the DNS")
            }
        }
        guard let bytes = try job.bytes(Self.versionFile, limit: 64) else {
            throw FetchError(.missing, "the server has no file VERSION; name the channel's DNS record with update_dns")
        }
        guard let version = Self.version(String(decoding: bytes, as: UTF8.self)) else {
            throw FetchError(.damaged, "the server's file VERSION holds no version")
        }
        return version
    }

    /// A number; blanks and quotes around it do not matter.
    static func version(_ text: String) -> String? {
        let digits = text.utf8.filter { $0 != 0x20 && $0 != 0x0a && $0 != 0x0d && $0 != 0x22 }
        guard !digits.isEmpty, digits.count <= 18, digits.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        return String(decoding: digits, as: UTF8.self)
    }

    // MARK: - Servers

    /// Without servers in the configuration: a DNS record names a file that lists them.
    private func findServers() throws(FetchError) {
        let labels = job.upstream.dns.split(separator: ".")
        // The engine's version, backwards, then the channel.
        let channel = labels.drop { Int($0) != nil }.joined(separator: ".")
        guard !channel.isEmpty, case .text(let address) = job.run.surroundings.text("mirrors.\(channel)"),
            WebAddress(address) != nil
        else { throw FetchError(.address, "there is no server: set update_server") }
        guard let list = try job.run.fetcher.bytes(address, limit: 1 << 16) else {
            throw FetchError(.missing, "\(address): there is no list of servers")
        }
        let servers = Self.servers(String(decoding: list, as: UTF8.self))
        guard !servers.isEmpty else { throw FetchError(.damaged, "\(address): it names no server") }
        job.use(servers)
    }

    /// Lines `http://server/path/ weight=5`; heavier ones first.
    static func servers(_ text: String) -> [String] {
        var found: [(address: String, weight: Int)] = []
        for line in text.split(whereSeparator: \.isNewline).prefix(1000) where !line.hasPrefix("#") {
            let words = line.split(separator: " ")
            guard let address = words.first.map(String.init), let parsed = WebAddress(address),
                parsed.scheme != .file
            else { continue }
            let weight = words.dropFirst().first { $0.hasPrefix("weight=") }.flatMap { Int($0.dropFirst(7)) } ?? 1
            found.append((address, weight))
        }
        return found.enumerated().sorted {
            $0.element.weight == $1.element.weight
                ? $0.offset < $1.offset : $0.element.weight > $1.element.weight
        }.map(\.element.address)
    }
}
