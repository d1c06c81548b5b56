package import Configuration
import Mail
package import ScanProtocol

/// Everything that one load of the configuration means for this agent. Immutable: a reload makes another one, which
/// counts for new connections.
package final class ClamdSettings: Sendable {
    /// What is answered for an object that was not scanned as a whole.
    package enum NotScanned: String, Sendable {
        case error, found, ok
    }

    /// Where the agent listens when nobody passed on its sockets; empty means not at all.
    package let socketPath: String
    package let listenHost: String
    package let listenPort: UInt16
    /// Number of reactor threads; counts for the life of the process.
    package let threads: Int
    package let spoolDirectory: String
    /// Bytes of one INSTREAM.
    package let streamLimit: UInt64
    /// In this process.
    package let maximumConnections: Int
    /// In this process.
    package let maximumScans: Int
    package let maximumSession: Int
    /// Levels below the given directory.
    package let maximumDepth: Int
    /// Seconds.
    package let commandTimeout: Int
    package let readTimeout: Int
    package let scanTimeout: Int
    /// Directories, without a slash at the end ("" is "/"), longest first.
    package let scanPaths: [String]
    package let followsLinks: Bool
    package let allowsAllMatches: Bool
    package let reloadUsers: [String]
    package let version: String
    package let notScanned: NotScanned
    package let heuristicScore: Double
    /// Of clean objects; nil when none is wished.
    let cache: CleanCache?

    /// Options for content that this agent collected itself: first match, all matches.
    private let own: (first: ScanOptions, all: ScanOptions)
    /// Options for files of others, which may be cut while they are read.
    private let foreign: (first: ScanOptions, all: ScanOptions)

    package init(_ configuration: Configuration) {
        let settings = configuration.settings(for: "clamd")
        socketPath = settings.text("clamd_sock_path")
        listenHost = settings.text("listen_addr")
        listenPort = UInt16(clamping: settings.number("listen_port"))
        threads = max(1, settings.number("num_thrd"))
        spoolDirectory = configuration.paths.spoolDirectory
        streamLimit = UInt64(max(1, settings.number("clamd_stream_max")))
        maximumConnections = settings.number("clamd_max_connections")
        maximumScans = settings.number("clamd_max_scans")
        maximumSession = settings.number("clamd_max_session")
        maximumDepth = settings.number("clamd_max_depth")
        commandTimeout = settings.number("clamd_command_timeout")
        readTimeout = settings.number("clamd_read_timeout")
        scanTimeout = settings.number("clamd_scan_timeout")
        scanPaths = settings.list("clamd_scan_paths").filter { $0.hasPrefix("/") }
            .map { path in
                var path = path
                while path.hasSuffix("/") { path.removeLast() }
                return path
            }
            .sorted { $0.utf8.count > $1.utf8.count }
        followsLinks = settings.flag("clamd_follow_links")
        allowsAllMatches = settings.flag("clamd_allmatch")
        reloadUsers = settings.list("clamd_reload_users")
        version = settings.text("clamd_version")
        notScanned = NotScanned(rawValue: settings.text("clamd_notscanned")) ?? .error
        heuristicScore = Double(settings.number("clamd_heuristic_score"))

        let entries = settings.number("clamd_cache")
        cache = entries > 0 ? CleanCache(count: entries) : nil

        let options = ScanOptions(engine: settings)
        var all = options
        all.reportsAllMatches = true
        own = (options, all)
        var cautious = options
        cautious.isForeign = true
        var cautiousAll = all
        cautiousAll.isForeign = true
        foreign = (cautious, cautiousAll)
    }

    /// What an object is scanned with.
    ///
    /// - Parameters:
    ///   - isForeign: it is a file of somebody else.
    ///   - all: every match is wanted, not the first one.
    package func options(isForeign: Bool, all: Bool) -> ScanOptions {
        let pair = isForeign ? foreign : own
        return all ? pair.all : pair.first
    }
}
