/// How long to wait before something that ended is started again: at once the first time, then longer and longer
/// while it keeps ending, at once again after a quiet minute.
struct Backoff {
    private var failures: UInt64 = 0
    private var last: UInt64 = 0
    private static let quiet: UInt64 = 60 * 1_000_000_000
    private static let longest: UInt64 = 30 * 1_000_000_000

    /// Nanoseconds to wait now.
    mutating func next(now: UInt64) -> UInt64 {
        if now &- last > Backoff.quiet { failures = 0 }
        last = now
        defer { failures += 1 }
        guard failures > 0 else { return 0 }
        return min(Backoff.longest, 100_000_000 << min(failures, 10))
    }
}
