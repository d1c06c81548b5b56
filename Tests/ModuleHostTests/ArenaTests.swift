import Glibc
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

    /// Writable bytes from an address to the end of its mapping.
    private func writable(from memory: UnsafeMutableRawPointer) throws -> Int {
        let address = Int(bitPattern: memory)
        let maps = try #require(fopen("/proc/self/maps", "r"))
        defer { fclose(maps) }
        var line = [CChar](repeating: 0, count: 8_192)
        while fgets(&line, Int32(line.count), maps) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            let words = text.split(separator: " ")
            let ends = words[0].split(separator: "-").compactMap { Int($0, radix: 16) }
            if ends[0] <= address && address < ends[1] { return words[1].hasPrefix("rw") ? ends[1] - address : 0 }
        }
        return 0
    }

    @Test("a system that promises no more memory than it has is asked only for what a scan uses")
    func commitment() throws {
        let arena = try Arena(capacity: 4 << 30)
        let memory = try #require(arena.allocate(100))
        #expect(try writable(from: memory) <= 16 << 20)
        let large = try #require(arena.allocate(100 << 20))
        large.storeBytes(of: 1, toByteOffset: (100 << 20) - 1, as: UInt8.self)
        #expect(arena.resize(large, to: 200 << 20) == .done)
        large.storeBytes(of: 1, toByteOffset: (200 << 20) - 1, as: UInt8.self)
        #expect(try writable(from: memory) >= 200 << 20)
        arena.reset()
        #expect(try writable(from: memory) <= 16 << 20)
        let again = try #require(arena.allocate(50 << 20))
        #expect(again.load(fromByteOffset: (50 << 20) - 1, as: UInt8.self) == 0)
    }

    @Test("memory that the system refuses is a full arena")
    func refusal() throws {
        let arena = try Arena(capacity: 64 << 20)
        let memory = try #require(arena.allocate(100))
        // A hole cannot be made usable, like memory that the system does not have.
        let page = UnsafeMutableRawPointer(bitPattern: (Int(bitPattern: memory) & ~4_095) + (32 << 20))
        try #require(munmap(page, 16 << 20) == 0)
        #expect(arena.resize(memory, to: 40 << 20) == .full)
        #expect(arena.allocate(40 << 20) == nil)
        #expect(arena.allocate(4_096) != nil)
    }
}
