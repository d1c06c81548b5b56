import CSlots

/// Lends things that take long to make to threads: each to one at a time, without waiting.
package final class LendingPool<Element: AnyObject>: @unchecked Sendable {
    // @unchecked: places are exchanged atomically, and whoever takes what is in one has it alone.
    /// So many are kept; threads beyond so many make their own.
    private let capacity = 16
    private let places: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private let make: () -> Element

    /// - Parameter make: makes one when none is left; called by any thread.
    package init(_ make: @escaping () -> Element) {
        self.make = make
        places = .allocate(capacity: capacity)
        places.initialize(repeating: nil, count: capacity)
    }

    deinit {
        for index in 0..<capacity { _ = take(index) }
        places.deallocate()
    }

    /// One that nobody else has until it is given back.
    package func take() -> Element {
        for index in 0..<capacity { if let element = take(index) { return element } }
        return make()
    }

    /// Gives one back, which its user keeps no reference to; it is let go of when enough are there.
    package func give(_ element: Element) {
        let raw = Unmanaged.passRetained(element).toOpaque()
        for index in 0..<capacity where CSlots_put(places + index, raw) != 0 { return }
        Unmanaged<Element>.fromOpaque(raw).release()
    }

    /// Runs `body` with one that nobody else uses meanwhile.
    package func with<T>(_ body: (Element) -> T) -> T {
        let element = take()
        defer { give(element) }
        return body(element)
    }

    private func take(_ index: Int) -> Element? {
        CSlots_take(places + index).map { Unmanaged<Element>.fromOpaque($0).takeRetainedValue() }
    }
}
