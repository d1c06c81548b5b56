import Glibc
import Platform

/// What the machine can do at this moment, measured beside the engine: clock, and reading memory.
struct Machine {
    /// Cycles in a nanosecond, by a chain of instructions that wait for each other.
    let gigahertz: Double
    /// Gigabytes per second of one thread that adds up memory which no cache holds, and of copying it.
    let read, copy: Double

    private static let size = 256 << 20

    init() {
        let from = UnsafeMutableRawPointer.allocate(byteCount: Self.size, alignment: 64)
        let to = UnsafeMutableRawPointer.allocate(byteCount: Self.size, alignment: 64)
        defer {
            from.deallocate()
            to.deallocate()
        }
        memset(from, 1, Self.size)
        memset(to, 2, Self.size)
        var best: (chain: UInt64, read: UInt64, copy: UInt64) = (.max, .max, .max)
        var seen: UInt64 = 0
        for _ in 0..<3 {
            best.chain = min(best.chain, Self.time { seen &+= Self.chain(seen | 1) })
            best.read = min(best.read, Self.time { seen &+= Self.sum(from) })
            best.copy = min(best.copy, Self.time { memcpy(to, from, Self.size) })
        }
        // What was computed is used, so that it has to be.
        if seen == 42 { Self.hold(seen) }
        gigahertz = Double(Self.links) / Double(best.chain)
        read = Double(Self.size) / Double(best.read)
        copy = Double(Self.size) / Double(best.copy)
    }

    /// Cycles of the chain.
    private static let links = 40_000_000

    private static func time(_ body: () -> Void) -> UInt64 {
        let began = Clock.threadCPU
        body()
        return max(1, Clock.threadCPU - began)
    }

    /// A multiplication takes three cycles, the exclusive or behind it one; each waits for the one before.
    @inline(never) private static func chain(_ start: UInt64) -> UInt64 {
        var value = start
        for _ in 0..<(links / 4) { value = value &* 0x9e37_79b9_7f4a_7c15 ^ 0x5555 }
        return value
    }

    @inline(never) private static func sum(_ memory: UnsafeMutableRawPointer) -> UInt64 {
        var sums = SIMD8<UInt64>()
        for offset in stride(from: 0, to: size, by: 64) {
            sums &+= memory.load(fromByteOffset: offset, as: SIMD8<UInt64>.self)
        }
        return sums.wrappedSum()
    }

    @inline(never) private static func hold(_ value: UInt64) {}
}
