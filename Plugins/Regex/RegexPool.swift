import CPCRE2

/// Lends caches of compiled expressions to threads: each cache to one at a time, without waiting.
package final class RegexPool: @unchecked Sendable {
    /// Caches kept; threads beyond so many compile for themselves.
    private static let capacity = 16
    private let slots: UnsafeMutablePointer<CPCRE2_slot>

    package init() {
        slots = .allocate(capacity: Self.capacity)
        slots.initialize(repeating: CPCRE2_slot(), count: Self.capacity)
    }

    deinit {
        for i in 0..<Self.capacity { _ = take(i) }
        slots.deallocate()
    }

    /// Runs `body` with a cache that nobody else uses meanwhile.
    package func withCache<T>(_ body: (RegexCache) -> T) -> T {
        var cache: RegexCache?
        for i in 0..<Self.capacity where cache == nil { cache = take(i) }
        let lent = cache ?? RegexCache()
        defer { put(lent) }
        return body(lent)
    }

    private func take(_ index: Int) -> RegexCache? {
        CPCRE2_take(slots + index).map { Unmanaged<RegexCache>.fromOpaque($0).takeRetainedValue() }
    }

    private func put(_ cache: RegexCache) {
        let raw = Unmanaged.passRetained(cache).toOpaque()
        for i in 0..<Self.capacity where CPCRE2_put(slots + i, raw) != 0 { return }
        Unmanaged<RegexCache>.fromOpaque(raw).release()
    }
}
