import Glibc
import Platform

/// Servers that have the same files, in order of preference: the first one that works is used, and stays.
///
/// A server that fails is asked again as `RetryPolicy` says, then the next one takes its place for the rest of the update.
package final class ServerList {
    package struct Server: Sendable, Equatable {
        /// Where its files begin: http://host/path
        package let base: String
        package let credentials: Credentials?

        package init(_ base: String, _ credentials: Credentials? = nil) {
            self.base = base
            self.credentials = credentials
        }

        /// What rests and errors are counted by.
        var host: String { WebAddress(base)?.host ?? base }
    }

    private let fetcher: Fetcher
    package let servers: [Server]
    private let policy: RetryPolicy
    private let pause: (Double) -> Void
    private let now: () -> Int64
    /// Which one is used.
    package private(set) var current = 0
    /// Until when servers are left alone, by host; seconds since 1970.
    package private(set) var rests: [String: Int64]
    /// Why servers were left, in order.
    package private(set) var failures: [FetchError] = []
    /// Rests longer than a server may ask for come from a clock that was wrong.
    private static let longestRest: Int64 = 30 * 86_400

    /// - Parameters:
    ///   - rests: of earlier updates.
    ///   - pause: waits so many seconds.
    package init(
        _ servers: [Server], fetcher: Fetcher, rests: [String: Int64] = [:], policy: RetryPolicy = RetryPolicy(),
        now: @escaping () -> Int64 = { Int64(Clock.realtime / 1_000_000_000) },
        pause: @escaping (Double) -> Void = { usleep(UInt32(min($0, 4000) * 1_000_000)) }
    ) {
        self.servers = servers
        self.fetcher = fetcher
        self.policy = policy
        self.pause = pause
        self.now = now
        let time = now()
        self.rests = rests.filter { $0.value > time && $0.value <= time + Self.longestRest }
    }

    package var server: Server? { current < servers.count ? servers[current] : nil }

    /// Goes on to the next server; for callers who found that the content of this one is wrong.
    package func leave(_ reason: FetchError) {
        failures.append(reason)
        current += 1
    }

    /// Runs one request at the current server, or at the next ones.
    ///
    /// - Parameter request: is given the address of the server's files; may be called again and again.
    package func perform<Result>(
        _ request: (Server) throws(FetchError) -> Result
    ) throws(FetchError) -> Result {
        while let server {
            do throws(FetchError) {
                if let until = rests[server.host] {
                    throw FetchError(
                        .busy, "\(server.base): asked to be left alone until \(HTTPDate.text(until))",
                        retryAfter: nil)
                }
                return try insist(server, request)
            } catch {
                // That a file is missing is an answer; that this disk is full is not the server's fault.
                if error.kind == .missing || error.kind == .files { throw error }
                leave(error)
            }
        }
        // A refusal of credentials tells more than what came after it.
        throw failures.first { $0.kind == .credentials } ?? failures.last
            ?? FetchError(.address, "there is no server to fetch from")
    }

    private func insist<Result>(
        _ server: Server, _ request: (Server) throws(FetchError) -> Result
    ) throws(FetchError) -> Result {
        var attempt = 1
        // Another server is there sooner than this one comes back.
        var policy = policy
        if current + 1 < servers.count { policy.attempts = min(policy.attempts, 2) }
        while true {
            do throws(FetchError) {
                return try request(server)
            } catch {
                switch policy.decide(error, attempt: attempt, chance: Double.random(in: 0..<1)) {
                case .giveUp: throw error
                case .leaveAlone(let seconds):
                    rests[server.host] = now() + Int64(seconds)
                    throw error
                case .again(let seconds):
                    attempt += 1
                    pause(seconds)
                }
            }
        }
    }

    /// The whole content of a small file; nil when the server has none of that name.
    package func bytes(_ path: String, limit: Int) throws(FetchError) -> [UInt8]? {
        let fetcher = fetcher
        return try perform { server throws(FetchError) in
            try fetcher.bytes(WebAddress.join(server.base, path), limit: limit, credentials: server.credentials)
        }
    }

    /// Fetches to a file. `set` completes what the download needs to know.
    package func download(
        _ path: String, to target: String, limit: Int, progress: @escaping (Int, Int?) -> Void = { _, _ in },
        set: (inout Download) -> Void = { _ in }
    ) throws(FetchError) -> Download.Outcome {
        let fetcher = fetcher
        return try perform { server throws(FetchError) in
            var download = Download(
                WebAddress.join(server.base, path), to: target, limit: limit, credentials: server.credentials)
            set(&download)
            return try download.run(fetcher, progress: progress)
        }
    }
}
