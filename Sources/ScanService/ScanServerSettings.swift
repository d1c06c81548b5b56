/// The limits of one scanning process.
package struct ScanServerSettings: Sendable {
    /// Scanning threads.
    package var threads = 2
    /// Scans of our own agents that may wait for a thread; while there are more, agents are not read from.
    package var queue = 64
    /// Requests of one client under way, suspended ones included; further ones are answered "busy".
    package var perClient = 4_096
    /// Connections of clients that are not our own agents, in all and of each user.
    package var foreign = 2_048
    package var foreignPerUser = 256
    /// Requests of one user that may wait for a thread; while there are more, that user's clients are not read from.
    package var foreignQueue = 8
    /// Requests under way, suspended ones included, of one user, and of all users; further ones are answered "busy".
    package var foreignRequestsPerUser = 64
    package var foreignRequests = 256
    /// Suspended scans of users: each holds its object and its memory. Questions of more have no answer.
    package var foreignSuspended = 16
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

    /// Threads that may work for users at the same time: one is left for our own agents, if there are two.
    var foreignThreads: Int { max(1, threads - 1) }

    package init() {}
}
