/// Waiters ordered by the moment at which they must be looked at.
///
/// A waiter's entry is left where it is when its wait ends or its deadline moves to a later moment, and is
/// put right when it comes up: a connection whose state's deadline is awaited a hundred times
/// costs one insertion. Confined to the reactor's thread, as its waiters are.
struct TimerHeap {
    private var entries: [(due: UInt64, waiter: Waiter)] = []

    /// When the first entry is due; nil when there is none.
    var next: UInt64? { entries.first?.due }

    var waiters: [Waiter] { entries.map(\.waiter) }

    /// Makes sure that the waiter comes up at the moment or before.
    mutating func schedule(_ waiter: Waiter, at due: UInt64) {
        if waiter.heapIndex >= 0 {
            guard due < entries[waiter.heapIndex].due else { return }
            entries[waiter.heapIndex].due = due
            siftUp(waiter.heapIndex)
        } else {
            waiter.heapIndex = entries.count
            entries.append((due, waiter))
            siftUp(entries.count - 1)
        }
    }

    /// Takes the first waiter whose entry is due.
    mutating func popDue(_ now: UInt64) -> Waiter? {
        guard let first = entries.first, first.due <= now else { return nil }
        remove(first.waiter)
        return first.waiter
    }

    /// Forgets a waiter.
    mutating func remove(_ waiter: Waiter) {
        let index = waiter.heapIndex
        guard index >= 0 else { return }
        waiter.heapIndex = -1
        let last = entries.removeLast()
        guard index < entries.count else { return }
        entries[index] = last
        last.waiter.heapIndex = index
        siftUp(index)
        siftDown(last.waiter.heapIndex)
    }

    private mutating func siftUp(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard entries[index].due < entries[parent].due else { return }
            swap(index, parent)
            index = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var index = start
        while true {
            var child = 2 * index + 1
            guard child < entries.count else { return }
            if child + 1 < entries.count, entries[child + 1].due < entries[child].due { child += 1 }
            guard entries[child].due < entries[index].due else { return }
            swap(index, child)
            index = child
        }
    }

    private mutating func swap(_ a: Int, _ b: Int) {
        entries.swapAt(a, b)
        entries[a].waiter.heapIndex = a
        entries[b].waiter.heapIndex = b
    }
}
