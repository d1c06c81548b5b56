import Platform
import Synchronization

/// Arenas that no scan uses at the moment. Reserving addresses is cheap; touched pages are worth keeping.
final class ArenaPool: Sendable {
    static let shared = ArenaPool()

    /// Addresses reserved for each: more than any configured memory limit is allowed to be.
    static let capacity = 4 << 30
    private static let kept = 16

    private let free = Mutex<[Arena]>([])

    func take(limit: Int) throws(SystemError) -> Arena {
        let arena = free.withLock { $0.popLast().map(Unchecked.init) }?.value
        let result: Arena
        if let arena { result = arena } else { result = try Arena(capacity: Self.capacity) }
        result.limit = min(limit, Self.capacity)
        return result
    }

    func give(_ arena: Arena) {
        arena.reset()
        let boxed = Unchecked(value: arena)
        free.withLock { if $0.count < Self.kept { $0.append(boxed.value) } }
    }

    /// An arena belongs to one scan at a time; moving it between the pool and a scan is safe.
    private struct Unchecked: @unchecked Sendable {
        let value: Arena
    }
}
