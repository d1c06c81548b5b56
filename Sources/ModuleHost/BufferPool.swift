import Glibc
import Platform
import Synchronization

/// Memory for the bytes of objects, kept for the next object: to fill pages that are there already costs half of what
/// new ones cost.
final class BufferPool: Sendable {
    static let shared = BufferPool()

    /// Bytes of a buffer that is kept; an object that needs more gets memory of its own.
    static let size = 1 << 20
    /// Buffers kept for later at most: as many as objects are read at once on most machines.
    private static let most = 8

    private struct Buffer: @unchecked Sendable {
        let base: UnsafeMutableRawPointer
    }
    private let free = Mutex<[Buffer]>([])

    /// Memory for `count` bytes, page aligned; what is in it is of no meaning.
    func take(_ count: Int) throws(SystemError) -> UnsafeMutableRawPointer {
        if count <= Self.size, let buffer = free.withLock({ $0.popLast() }) { return buffer.base }
        guard
            let base = mmap(
                nil, max(count, Self.size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            base != MAP_FAILED
        else { throw SystemError("mmap") }
        return base
    }

    /// Gives back what `take` gave for so many bytes.
    func giveBack(_ base: UnsafeMutableRawPointer, _ count: Int) {
        let buffer = Buffer(base: base)
        let isKept =
            count <= Self.size
            && free.withLock { free in
                guard free.count < Self.most else { return false }
                free.append(buffer)
                return true
            }
        if !isKept { munmap(base, max(count, Self.size)) }
    }
}
