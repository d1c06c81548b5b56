import Archives
import BytesE
import CModuleABI
import Foundation
import Testing

/// 7z with coders that libarchive lacks. The samples have each of them once.
@Suite struct SevenZipTests {
    private func sample(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: SampleTests.folder.appendingPathComponent(name)))
    }

    private func opened(_ bytes: [UInt8], _ host: TrialHost = TrialHost(memory: 64 << 20)) -> TrialHost {
        host.walksDown = true
        _ = bytes.withUnsafeBufferPointer { host.unpack(ByteView($0)) }
        return host
    }

    /// What `tools/containers/sevenzip.py` has packed: calls, pairs, and bytes that look as if they were converted.
    private var calls: [UInt8] {
        (0..<200).flatMap { index -> [UInt8] in
            let call = 0xEF | (index % 3 != 0 ? 1 : 5) << 7 | (index * 0x1234567 & 0xFFFFF) << 12
            let pair = [0x17 | 10 << 7 | index << 12, 0x3 | 10 << 15 | (index * 77 & 0xFFF) << 20]
            let other = [0x3117 | (index % 32) << 27, index * 0x1020304, 0x17 | 11 << 7]
            return ([call] + pair + other).flatMap { little($0, 4) } + [1, 0]
        }
    }

    @Test func instructionsOfRISCV() throws {
        let host = opened(try sample("7z-riscv.7z"))
        let code = try #require(host.children.first { text($0.name) == "code" })
        #expect(code.data.count == calls.count)
        #expect(zip(code.data, calls).enumerated().first { $0.element.0 != $0.element.1 }?.offset == nil)
    }

    @Test(arguments: ["7z-zstd.7z", "7z-lz4-threads.7z", "7z-brotli.7z", "7z-brotli-threads.7z"])
    func coders(name: String) throws {
        let bytes = try sample(name)
        let host = opened(bytes)
        #expect(host.flags == 0)
        #expect(host.children.filter { $0.data == SampleTests.payload }.count == 1)
        // A number that no coder has.
        let place = try #require(bytes.indices.dropLast(4).first { Array(bytes[$0..<$0 + 3]) == [4, 0xF7, 0x11] })
        var other = bytes
        other[place + 3] = 9
        let closed = opened(other)
        #expect(!closed.children.contains { $0.data == SampleTests.payload })
        #expect((closed.flags | closed.children.reduce(0) { $0 | $1.flags }) & EM_OBJECT_UNSUPPORTED != 0)
    }

    /// What libarchive's own filters make wrong, as 7-Zip wrote it: the same few bytes again and again.
    @Test(arguments: [
        ("x86-over-lzma.7z", 66_000, 7), ("x86-over-bzip2.7z", 66_000, 7), ("bcj2.7z", 131_100, 13),
        ("ia64-over-copy.7z", 200, 7), ("ia64-over-lzma.7z", 200, 7),
    ])
    func filters(name: String, size: Int, period: Int) throws {
        let folder = SampleTests.folder.deletingLastPathComponent().appendingPathComponent("Streams")
        let host = opened(try [UInt8](Data(contentsOf: folder.appendingPathComponent(name))))
        #expect(host.flags == 0 && host.children.allSatisfy { $0.flags == 0 })
        let found = host.children.contains { child in
            child.data.count == size
                && child.data.indices.dropLast(period).allSatisfy { child.data[$0] == child.data[$0 + period] }
        }
        #expect(found)
    }

    /// Without room for what each coder makes, it is left to libarchive, which is right most of the time.
    @Test func littleRoom() throws {
        for memory in [256 << 10, 512 << 10, 1 << 20, 2 << 20] {
            let host = opened(try sample("7z-bcj2.7z"), TrialHost(memory: memory))
            #expect(host.children.contains { $0.data == SampleTests.payload }, "\(memory) bytes")
        }
        let folder = SampleTests.folder.deletingLastPathComponent().appendingPathComponent("Streams")
        let bytes = try [UInt8](Data(contentsOf: folder.appendingPathComponent("x86-over-lzma.7z")))
        for memory in [700 << 10, 1 << 20, 2 << 20] {
            let sizes = opened(bytes, TrialHost(memory: memory)).children.map(\.data.count)
            #expect(sizes.contains(66_000), "\(memory) bytes: \(sizes)")
        }
    }

    /// Brotli has a window that a small scan has no room for.
    @Test func littleMemory() throws {
        let host = opened(try sample("7z-brotli.7z"), TrialHost(memory: 1 << 20))
        #expect(!host.children.contains { $0.data == SampleTests.payload })
        #expect(host.flags & EM_OBJECT_UNSUPPORTED != 0)
        #expect(host.exceeded.contains(EM_BUDGET_MEMORY))
    }

    @Test func damaged() throws {
        for name in ["7z-zstd.7z", "7z-lz4-threads.7z", "7z-brotli-threads.7z", "7z-riscv.7z"] {
            let bytes = try sample(name)
            for index in stride(from: 32, to: bytes.count, by: bytes.count > 1000 ? 41 : 3) {
                var wrong = bytes
                wrong[index] ^= 0xFF
                wrong.withUnsafeBufferPointer { fuzzArchive(ByteView($0)) }
            }
        }
    }
}
