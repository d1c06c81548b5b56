import CLinux
import Platform
import Synchronization

/// How much of a processor a reactor's thread has used lately; measured by that thread, read by all.
final class LoadMeter: Sendable {
    /// Nanoseconds over which it is measured.
    private static let window: UInt64 = 100_000_000

    private let percent = Atomic<UInt64>(0)
    private let measured = Atomic<UInt64>(0)
    /// Of the present window; touched by the reactor's thread only.
    private let windowStart = Atomic<UInt64>(0)
    private let timeAtStart = Atomic<UInt64>(0)

    /// Takes the measure when it is time: once in each turn of the loop.
    func turn() {
        let now = Clock.now
        let start = windowStart.load(ordering: .relaxed)
        guard now &- start >= Self.window else { return }
        let time = CLinux_thread_time()
        let used = time &- timeAtStart.load(ordering: .relaxed)
        if start != 0 { percent.store(min(100, used &* 100 / (now &- start)), ordering: .relaxed) }
        windowStart.store(now, ordering: .relaxed)
        timeAtStart.store(time, ordering: .relaxed)
        measured.store(now, ordering: .relaxed)
    }

    /// Percent of one processor; 0 when the thread has slept for a while.
    var recent: Int {
        let stamp = measured.load(ordering: .relaxed)
        guard Clock.now &- stamp < 5 * Self.window else { return 0 }
        return Int(percent.load(ordering: .relaxed))
    }
}
