import Synchronization

/// Tells a scan on another thread that its result is not wanted any more, and shows that it still looks.
package final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)
    private let looks = Atomic<UInt64>(0)

    package init() {}

    /// Whether the scan should end at once. The engine asks at short intervals; an engine that has stopped
    /// asking hangs.
    package var isCancelled: Bool {
        looks.wrappingAdd(1, ordering: .relaxed)
        return flag.load(ordering: .relaxed)
    }

    /// How often the scan asked.
    var beats: UInt64 { looks.load(ordering: .relaxed) }

    package func cancel() { flag.store(true, ordering: .relaxed) }
}
