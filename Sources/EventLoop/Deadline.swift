import Platform

/// A moment of the monotonic clock by which something must have happened.
///
/// Made once for a state of a protocol ("the whole command within 5 minutes") and passed to every await
/// of that state, so that a peer which sends one byte at a time gains nothing.
package struct Deadline: Sendable, Hashable, Comparable {
    /// Nanoseconds of the monotonic clock.
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// No limit.
    package static let never = Deadline(nanoseconds: .max)

    /// The present moment.
    package static var now: Deadline { Deadline(nanoseconds: Clock.now) }

    /// So much later than now; a negative duration counts as zero, one too large as never.
    package static func after(_ duration: Duration) -> Deadline { now.advanced(by: duration) }

    /// So many seconds from now.
    package static func seconds(_ seconds: Int) -> Deadline { later(seconds, 1_000_000_000) }

    /// So many milliseconds from now.
    package static func milliseconds(_ milliseconds: Int) -> Deadline { later(milliseconds, 1_000_000) }

    /// Without `Duration`, which counts in 128 bits: there are a dozen deadlines for each message.
    private static func later(_ count: Int, _ unit: UInt64) -> Deadline {
        let (time, tooLong) = UInt64(max(0, count)).multipliedReportingOverflow(by: unit)
        let (sum, tooLate) = Clock.now.addingReportingOverflow(time)
        return tooLong || tooLate ? .never : Deadline(nanoseconds: sum)
    }

    /// A later moment; a negative duration counts as zero, one too large gives never.
    package func advanced(by duration: Duration) -> Deadline {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return self }
        let (whole, tooLong) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, tooLate) = nanoseconds.addingReportingOverflow(whole)
        let (result, tooLateStill) = sum.addingReportingOverflow(UInt64(attoseconds) / 1_000_000_000)
        return tooLong || tooLate || tooLateStill ? .never : Deadline(nanoseconds: result)
    }

    /// Whether the moment has come.
    package var hasPassed: Bool { self != .never && Clock.now >= nanoseconds }

    package static func < (a: Deadline, b: Deadline) -> Bool { a.nanoseconds < b.nanoseconds }
}
