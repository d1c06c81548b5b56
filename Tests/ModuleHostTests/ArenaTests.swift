import Testing

@testable import ModuleHost

@Suite("Arena") struct ArenaTests {
    /// An allocation filled with ones.
    private func filled(_ arena: Arena, _ size: Int) throws -> UnsafeMutableRawPointer {
        let memory = try #require(arena.allocate(size))
        memory.initializeMemory(as: UInt8.self, repeating: 0xff, count: size)
        return memory
    }

    private func isZero(_ memory: UnsafeMutableRawPointer?, _ size: Int) throws -> Bool {
        UnsafeRawBufferPointer(start: try #require(memory), count: size).allSatisfy { $0 == 0 }
    }

    @Test("memory that was given back by shrinking is zero when it is allocated again")
    func shrinking() throws {
        let arena = try Arena(capacity: 1 << 20)
        // An odd size: the next allocation begins behind a gap.
        _ = try filled(arena, 5)
        let memory = try filled(arena, 64)
        #expect(arena.resize(memory, to: 4) == .done)
        #expect(try isZero(arena.allocate(64), 64))
    }

    @Test("an allocation that grows again gets zeroes")
    func growing() throws {
        let arena = try Arena(capacity: 1 << 20)
        _ = try filled(arena, 5)
        let memory = try filled(arena, 64)
        #expect(arena.resize(memory, to: 4) == .done)
        #expect(arena.resize(memory, to: 64) == .done)
        #expect(try isZero(memory + 4, 60))
    }

    @Test("nothing of one scan is seen by the next")
    func nextScan() throws {
        let arena = try Arena(capacity: 1 << 20)
        _ = try filled(arena, 5)
        let memory = try filled(arena, 64)
        #expect(arena.resize(memory, to: 0) == .done)
        arena.reset()
        #expect(try isZero(arena.allocate(128), 128))
    }

    @Test("releasing makes what came later zero, and refuses sizes beyond the limit")
    func releasing() throws {
        let arena = try Arena(capacity: 1 << 20)
        arena.limit = 4_096
        let mark = arena.used
        _ = try filled(arena, 3_000)
        arena.release(mark)
        #expect(try isZero(arena.allocate(4_000), 4_000))
        #expect(arena.allocate(4_096) == nil)
        #expect(arena.allocate(.max) == nil)
        #expect(arena.allocate(-1) == nil)
    }
}
