/// A loaded generation and how many scans need it. Everything here is guarded by the server's lock.
final class HeldGeneration {
    let number: UInt64
    private(set) var generation: (any EngineGeneration)?
    private var jobs = 0
    private var isRetired = false

    init(_ generation: any EngineGeneration) {
        number = generation.number
        self.generation = generation
    }

    /// A scan begins.
    func enter() { jobs += 1 }

    /// A scan has let go of everything of it.
    /// - Returns: the last reference to what can be unloaded now.
    func leave() -> Unloadable? {
        jobs -= 1
        return unloadable
    }

    /// Another one took its place.
    func retire() -> Unloadable? {
        isRetired = true
        return unloadable
    }

    private var unloadable: Unloadable? {
        guard isRetired, jobs == 0, let last = generation else { return nil }
        generation = nil
        return Unloadable(number: number, generation: last)
    }
}

/// The last reference to a generation; it is unloaded with it.
struct Unloadable: Sendable {
    let number: UInt64
    let generation: any EngineGeneration
}
