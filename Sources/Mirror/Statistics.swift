import Synchronization

/// What the mirror did since its process was started. Names are those of the counters in `esets_daemon --status`.
package final class Statistics: Sendable {
    /// Requests that were answered, or tried to be.
    let requests = Atomic<UInt64>(0)
    /// Bytes of content that were sent; of transfers that broke, what the client acknowledged.
    let bytes = Atomic<UInt64>(0)
    let ok = Atomic<UInt64>(0)
    let partial = Atomic<UInt64>(0)
    let notModified = Atomic<UInt64>(0)
    let compressed = Atomic<UInt64>(0)
    let unauthorized = Atomic<UInt64>(0)
    let notFound = Atomic<UInt64>(0)
    let limited = Atomic<UInt64>(0)
    let refused = Atomic<UInt64>(0)
    let failed = Atomic<UInt64>(0)
    let aborted = Atomic<UInt64>(0)
    let connections = Atomic<UInt64>(0)
    let closed = Atomic<UInt64>(0)
    let turnedAway = Atomic<UInt64>(0)
    let late = Atomic<UInt64>(0)

    package init() {}

    /// Counts an answer by its status.
    func count(status: UInt32) {
        requests.wrappingAdd(1, ordering: .relaxed)
        switch status {
        case 200: ok.wrappingAdd(1, ordering: .relaxed)
        case 206: partial.wrappingAdd(1, ordering: .relaxed)
        case 304: notModified.wrappingAdd(1, ordering: .relaxed)
        case 401: unauthorized.wrappingAdd(1, ordering: .relaxed)
        case 404: notFound.wrappingAdd(1, ordering: .relaxed)
        case 429: limited.wrappingAdd(1, ordering: .relaxed)
        case 500...: failed.wrappingAdd(1, ordering: .relaxed)
        default: refused.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// The numbers by name: only ever more.
    package var snapshot: [String: UInt64] {
        var result: [String: UInt64] = [:]
        for (name, _, value) in values { result[name] = value }
        return result
    }

    /// Names of all counters and what they count, in the order in which they are shown.
    package static let meanings: [(name: String, meaning: String)] = Statistics().values.map { ($0.0, $0.1) }

    private var values: [(String, String, UInt64)] {
        func value(_ name: String, _ meaning: String, _ counter: borrowing Atomic<UInt64>) -> (String, String, UInt64) {
            (name, meaning, counter.load(ordering: .relaxed))
        }
        return [
            value("requests", "Requests that were answered.", requests),
            value("bytes", "Bytes of content that were sent.", bytes),
            value("ok", "Answers with a whole file (200).", ok),
            value("partial", "Answers with a part of a file (206).", partial),
            value("not_modified", "Answers that the client has the file already (304).", notModified),
            value("compressed", "Answers in gzip format.", compressed),
            value("unauthorized", "Requests without the right user name and password (401).", unauthorized),
            value("not_found", "Requests for files that are not there (404).", notFound),
            value("limited", "Requests of clients that asked too often (429).", limited),
            value("refused", "Other requests that cannot be served (400 to 499).", refused),
            value("failed", "Requests that failed for want of memory or descriptors (500).", failed),
            value("aborted", "Answers whose connection broke.", aborted),
            value("connections", "Connections that were taken.", connections),
            value("closed", "Connections that ended.", closed),
            value("turned_away", "Connections of clients that had too many.", turnedAway),
            value("late", "Connections that were cut because the client was too slow.", late),
        ]
    }
}
