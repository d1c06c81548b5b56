import Glibc

/// The two clocks that esets uses.
package enum Clock {
    /// Nanoseconds of the monotonic clock.
    package static var now: UInt64 { read(CLOCK_MONOTONIC) }
    /// Nanoseconds since 1970.
    package static var realtime: UInt64 { read(CLOCK_REALTIME) }
    /// Nanoseconds of CPU time of the calling thread.
    package static var threadCPU: UInt64 { read(CLOCK_THREAD_CPUTIME_ID) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
