/// The limits of one scanning process.
package struct ScanServerSettings: Sendable {
    /// Scanning threads.
    package var threads = 2
    /// Scans that may wait for a thread; while there are more, clients are not read from.
    package var queue = 64
    /// Requests of one client under way, suspended ones included; further ones are answered "busy".
    package var perClient = 4_096
    /// Connections of clients that are not our own agents.
    package var foreign = 4_096
    /// Requests of all clients under way.
    package var total = 16_384
    /// Nanoseconds after which unanswered questions count as failed.
    package var suspension: UInt64 = 60 * 1_000_000_000
    /// Nanoseconds without a sign of life after which a scan is taken for hung.
    package var stall: UInt64 = 300 * 1_000_000_000
    /// Serves one client with one request at a time, then ends.
    package var isIsolated = false
    /// Nanoseconds for which an isolated process waits for its client's request.
    package var idle: UInt64 = 60 * 1_000_000_000

    package init() {}
}
