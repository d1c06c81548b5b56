import Glibc
import Platform

/// The memory of one scan: one reserved range of addresses, filled from the bottom, given back by going back to
/// a mark. Pages are touched only when they are used; an allocation can grow in place and never moves.
///
/// The range is reserved without any rights and made usable in steps: a system that promises no more memory than it
/// has (vm.overcommit_memory = 2) counts what is usable, not what is reserved.
final class Arena {
    /// Size of the reserved range: the hard limit of any scan.
    let capacity: Int
    private let base: UnsafeMutableRawPointer
    /// The first free byte.
    private(set) var used = 0
    /// Below this, memory was used since it was last zero.
    private var dirty = 0
    private var newest = 0
    /// What the current scan may use.
    var limit: Int

    /// Beyond this much, memory goes back to the system when the arena is reset.
    private static let kept = 1 << 20
    /// Memory is made usable in steps of this size.
    private static let step = 8 << 20
    /// Below this the range is usable.
    private var usable = 0

    init(capacity: Int) throws(SystemError) {
        guard
            let base = mmap(
                nil, capacity, PROT_NONE, Arena.mapping, -1, 0),
            base != MAP_FAILED
        else { throw SystemError("mmap") }
        self.base = base
        self.capacity = capacity
        limit = capacity
    }

    deinit {
        munmap(base, capacity)
    }

    private static let mapping = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE

    var left: Int { limit - used }

    /// Makes the range usable up to `end`; false when the system has no memory for it.
    private func makeUsable(_ end: Int) -> Bool {
        guard end > usable else { return true }
        let wanted = min(capacity, (end + Arena.step - 1) & ~(Arena.step - 1))
        guard mprotect(base + usable, wanted - usable, PROT_READ | PROT_WRITE) == 0 else { return false }
        usable = wanted
        return true
    }

    /// Zeroed bytes aligned to 16; nil when the limit, or the system, has not that much left.
    func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        let start = (used + 15) & ~15
        guard size >= 0, size <= limit, start <= limit - size, makeUsable(start + size) else { return nil }
        clean(start, start + size)
        newest = start
        used = start + size
        return base + start
    }

    /// Changes the size of the newest allocation; false when it is not the newest or there is no room.
    func resize(_ pointer: UnsafeMutableRawPointer, to size: Int) -> ResizeResult {
        guard pointer == base + newest, newest <= used else { return .notNewest }
        guard size >= 0, size <= limit, newest <= limit - size, makeUsable(newest + size) else { return .full }
        clean(used, newest + size)
        used = newest + size
        return .done
    }

    enum ResizeResult { case done, notNewest, full }

    /// Everything allocated after `used` was `mark` is gone.
    func release(_ mark: Int) {
        guard mark <= used else { return }
        dirty = max(dirty, used)
        used = max(0, mark)
        newest = used
    }

    /// Ready for another scan. Memory beyond a small rest goes back to the system.
    func reset() {
        dirty = max(dirty, used)
        used = 0
        newest = 0
        if dirty > Self.kept {
            madvise(base + Self.kept, dirty - Self.kept, MADV_DONTNEED)
            dirty = Self.kept
        }
        guard usable > Self.step else { return }
        // Only a new mapping is counted as unused again. Should it fail, the next scan finds out what is usable.
        _ = mmap(base + Self.step, usable - Self.step, PROT_NONE, Arena.mapping | MAP_FIXED, -1, 0)
        usable = Self.step
    }

    /// Zeroes what a new allocation covers, as far as it was used before.
    private func clean(_ from: Int, _ to: Int) {
        let end = min(to, dirty)
        if from < end { memset(base + from, 0, end - from) }
        // Also when `from` lies above it: what is between is the gap of an alignment.
        dirty = max(dirty, to)
    }
}
