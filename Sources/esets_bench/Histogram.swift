/// How often which time was measured, in microseconds, in memory that does not grow.
struct Histogram: Sendable {
    private var bins: [UInt32]
    private(set) var count = 0
    /// The longest time, in nanoseconds.
    private(set) var worst: UInt64 = 0

    /// Longer times count as this many microseconds.
    private static let limit = 200_000

    init() {
        bins = [UInt32](repeating: 0, count: Self.limit + 1)
    }

    mutating func add(_ nanoseconds: UInt64) {
        bins[min(Self.limit, Int(nanoseconds / 1_000))] += 1
        count += 1
        worst = max(worst, nanoseconds)
    }

    /// The time in nanoseconds below which a share of all lies.
    func percentile(_ share: Double) -> UInt64 {
        var left = Int(Double(count) * share)
        for (microseconds, times) in bins.enumerated() {
            left -= Int(times)
            if left < 0 { return UInt64(microseconds) * 1_000 }
        }
        return worst
    }
}
