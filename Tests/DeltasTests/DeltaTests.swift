import Bytes
import Testing

@testable import Deltas

@Suite("Deltas") struct DeltaTests {
    /// Lines of a signature file, some hundred kilobytes that do not compress well.
    private func database(_ lines: Int, changed: Set<Int> = [], added: Int = 0) -> [UInt8] {
        var state: UInt64 = 7
        var text: [UInt8] = []
        for line in 0..<(lines + added) {
            text += Array("Test.Signature-\(line):0:*:".utf8)
            for _ in 0..<4 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text += Array(String(state, radix: 16).utf8)
            }
            if changed.contains(line) { text += Array("ff".utf8) }
            text.append(0x0a)
        }
        return text
    }

    private func apply(_ delta: [UInt8], to old: [UInt8], limit: Int = 1 << 24) throws -> [UInt8] {
        var result: [UInt8] = []
        try delta.withUnsafeBufferPointer { delta in
            try old.withUnsafeBufferPointer { old in
                try Delta.apply(ByteView(delta), to: ByteView(old), limit: limit) { piece in
                    result.append(contentsOf: piece.buffer)
                    return true
                }
            }
        }
        return result
    }

    private func kind(_ body: () throws -> Void) -> DeltaError.Kind? {
        do {
            try body()
            return nil
        } catch {
            return (error as? DeltaError)?.kind
        }
    }

    @Test("a few changed lines make a small delta") func small() throws {
        let old = database(2_000)
        let new = database(2_000, changed: [5, 700, 1_900], added: 20)
        let delta = try Delta.make(from: old, to: new, level: 3)
        #expect(try apply(delta, to: old) == new)
        #expect(delta.count < new.count / 20, "\(delta.count) bytes for \(new.count)")
    }

    @Test("also of and to nothing, and of equal files") func corners() throws {
        let file = database(50)
        for (old, new) in [([], file), (file, []), (file, file), ([], []), ([1], [2])] as [([UInt8], [UInt8])] {
            #expect(try apply(Delta.make(from: old, to: new, level: 1), to: old) == new)
        }
    }

    @Test("a delta is refused for another file, even of the same length") func otherFile() throws {
        let old = database(100)
        var other = old
        other[9] ^= 1
        let delta = try Delta.make(from: old, to: database(101), level: 1)
        #expect(kind { _ = try apply(delta, to: other) } == .otherFile)
        #expect(kind { _ = try apply(delta, to: Array(old.dropLast())) } == .otherFile)
    }

    @Test("a larger file than allowed is refused before it is made") func limit() throws {
        let delta = try Delta.make(from: [], to: [UInt8](repeating: 0, count: 100_000), level: 1)
        #expect(kind { _ = try apply(delta, to: [], limit: 99_999) } == .limit)
    }

    @Test("a header that promises less than comes ends it there") func endless() throws {
        let honest = try Delta.make(from: [], to: [UInt8](repeating: 0, count: 1_000_000), level: 1)
        var header = try honest.withUnsafeBufferPointer { try DeltaHeader(ByteView($0)) }
        header.newSize = 10
        #expect(kind { _ = try apply(header.bytes + honest.dropFirst(DeltaHeader.size), to: []) } == .malformed)
    }

    @Test("a damaged delta never makes another file, a cut one none") func damaged() throws {
        let old = database(20)
        let new = database(21)
        let delta = try Delta.make(from: old, to: new, level: 1)
        var refused = 0
        for at in 0..<delta.count {
            var damaged = delta
            damaged[at] ^= 0x20
            if let made = try? apply(damaged, to: old) {
                #expect(made == new)
            } else {
                refused += 1
            }
        }
        // Only the sizes of windows may be other ones.
        #expect(refused >= delta.count - 2)
        for count in 0..<delta.count {
            #expect((try? apply(Array(delta[..<count]), to: old)) == nil)
        }
        #expect((try? apply(delta + [0], to: old)) == nil)
    }

    @Test("seeds of the fuzzer") func seeds() throws {
        let old = [UInt8](repeating: 0x41, count: 4096)
        let delta = try Delta.make(from: old, to: database(10), level: 1)
        for count in stride(from: 0, through: delta.count, by: 7) {
            delta.withUnsafeBufferPointer { Delta.fuzz(ByteView($0).prefix(count)) }
        }
    }
}
