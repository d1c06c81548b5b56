import Glibc
import Platform
import ScanClient
import Testing

@Suite("Objects to scan") struct ScanObjectTests {
    @Test("up to 1 MiB travels sealed, more as an unnamed file", arguments: [0, 1, 1 << 20, 1 << 20 | 1, 3 << 20])
    func kinds(size: Int) throws {
        let bytes = [UInt8](repeating: 0x61, count: size)
        for object in [
            try ScanObject(bytes: bytes, name: "n", directory: "/tmp"),
            try bytes.withUnsafeBytes { try ScanObject(bytes: $0, name: "n", directory: "/tmp") },
        ] {
            #expect(object.size == UInt64(size))
            #expect(try object.descriptor.size() == UInt64(size))
            #expect(object.descriptor.isSealed == (size <= 1 << 20))
            #expect(try object.descriptor.status().st_nlink == 0)
        }
    }

    @Test("pieces come together in order")
    func pieces() throws {
        var writer = ScanObjectWriter(directory: "/tmp")
        var expected: [UInt8] = []
        for piece in 0..<40 {
            let bytes = [UInt8](repeating: UInt8(piece), count: 50_000)
            try writer.append(bytes)
            expected += bytes
        }
        #expect(writer.size == UInt64(expected.count))
        let object = try writer.finish(name: "n")
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: expected.count + 1, alignment: 1)
        defer { buffer.deallocate() }
        #expect(try object.descriptor.read(at: 0, into: buffer) == expected.count)
        #expect(buffer.prefix(expected.count).elementsEqual(expected))
    }

    @Test("only regular files are taken, and a pipe does not block")
    func special() throws {
        let path = "/tmp/esets-fifo-\(getpid())"
        #expect(mkfifo(path, 0o600) == 0)
        defer { unlink(path) }
        #expect(throws: SystemError.self) { try ScanObject(path: path) }
        #expect(throws: SystemError.self) { try ScanObject(path: "/tmp") }
        #expect(throws: SystemError.self) { try ScanObject(path: "/nowhere/x") }
    }
}
