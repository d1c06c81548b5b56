/// What a client of clamd can ask for.
package enum Command: Sendable, Equatable {
    /// How the files below a path are scanned.
    package enum PathScan: Sendable, Equatable {
        /// Up to the first infected file.
        case first
        /// All files, one after another.
        case all
        /// All files, several at the same time.
        case parallel
        /// Up to the first infected file, with everything that is found in it.
        case allMatches
    }

    case ping
    case version
    /// VERSION, and the names of the commands.
    case versionCommands
    case statistics
    case reload
    case shutdown
    /// DETSTATS and DETSTATSCLEAR: detections of the past, which are not kept.
    case detectionStatistics
    /// The path as its bytes came.
    case scan(PathScan, path: [UInt8])
    /// INSTREAM: the content follows in chunks.
    case stream
    /// FILDES: a descriptor comes with the next byte.
    case descriptor
    case beginSession
    case endSession

    /// Whether it may stand between IDSESSION and END.
    package var isAllowedInSession: Bool {
        switch self {
        case .ping, .version, .versionCommands, .statistics, .scan(.first, _), .stream, .descriptor, .endSession: true
        case .reload, .shutdown, .detectionStatistics, .scan, .beginSession: false
        }
    }

    /// The names that VERSIONCOMMANDS tells.
    package static let names = [
        "SCAN", "QUIT", "RELOAD", "PING", "CONTSCAN", "VERSIONCOMMANDS", "VERSION", "END", "SHUTDOWN", "MULTISCAN",
        "FILDES", "STATS", "IDSESSION", "INSTREAM", "DETSTATSCLEAR", "DETSTATS", "ALLMATCHSCAN",
    ]
}

/// How a command was written: that decides what it may be, and how its reply ends.
package enum CommandStyle: Sendable, Equatable {
    /// `PING`, ended by a line end or by nothing.
    case bare
    /// `nPING` and a line feed.
    case line
    /// `zPING` and a NUL.
    case null

    /// What ends the command, and its reply.
    package var delimiter: UInt8 { self == .null ? 0 : 0x0A }
}
