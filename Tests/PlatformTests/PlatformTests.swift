import Glibc
import Platform
import Testing

struct PlatformTests {
    @Test func sealedMemoryCannotShrink() throws {
        let file = try "hello".utf8CString.withUnsafeBytes { try Descriptor.sealed(name: "t", $0) }
        #expect(file.isSealed)
        #expect(ftruncate(file.raw, 0) == -1)
        #expect(try file.size() == 6)
    }

    @Test func descriptorsTravelOverASocket() throws {
        let (a, b) = try UnixSocket.pair()
        let file = try Descriptor.memory(name: "t")
        try file.writeAll(Array("content".utf8))
        try UnixSocket.send(a, [1, 2, 3], descriptors: [file])
        let message = try #require(try UnixSocket.receive(b))
        #expect(message.bytes == [1, 2, 3])
        #expect(!message.isTruncated)
        let size = try message.descriptors.first?.size()
        #expect(size == 7)
    }

    @Test func aMessageThatDoesNotFitIsMarked() throws {
        let (a, b) = try UnixSocket.pair()
        try UnixSocket.send(a, [UInt8](repeating: 7, count: 100))
        let message = try #require(try UnixSocket.receive(b, limit: 10))
        #expect(message.isTruncated)
    }

    @Test func replacingAFileLeavesNothingBeside() throws {
        let directory = "/tmp/esets-platform-\(getpid())"
        try Files.makeDirectory("\(directory)/a/b")
        defer { try? Files.remove(directory) }
        try Files.replace("\(directory)/a/b/f", with: [65], mode: 0o640)
        try Files.replace("\(directory)/a/b/f", with: [66], mode: 0o640)
        #expect(try Files.text("\(directory)/a/b/f") == "B")
        #expect(try Files.names(in: "\(directory)/a/b") == ["f"])
    }

    @Test func childrenReportTheirEnd() throws {
        let pid = try ChildProcess.spawn("/bin/sh", arguments: ["sh", "-c", "exit 7"], environment: [:])
        #expect(try ChildProcess.wait(pid) == .exited(7))
        let killed = try ChildProcess.spawn("/bin/sh", arguments: ["sh", "-c", "kill -9 $$"], environment: [:])
        #expect(try ChildProcess.wait(killed) == .killed(signal: 9))
    }

    @Test func descriptorsAreInheritedUnderTheirNumbers() throws {
        let file = try Descriptor.memory(name: "t")
        let pid = try ChildProcess.spawn(
            "/bin/sh", arguments: ["sh", "-c", "echo -n hi >&5"], environment: [:], descriptors: [(5, file.raw)])
        #expect(try ChildProcess.wait(pid) == .exited(0))
        #expect(try file.size() == 2)
    }

    @Test func errorsSayWhatAndWhere() {
        do throws(SystemError) {
            _ = try Files.read("/nonexistent/x")
            Issue.record("read a file that is not there")
        } catch {
            #expect(error.description == "open /nonexistent/x: No such file or directory")
        }
    }

    @Test func aCopyOutlivesTheFile() throws {
        let path = "/tmp/esets-copy-\(getpid())"
        let content = [UInt8](repeating: 0x41, count: 100_000)
        try Files.replace(path, with: content)
        defer { unlink(path) }
        let copy = try Mapping(copyOf: path)
        // A mapping would end the process here.
        #expect(truncate(path, 0) == 0)
        #expect(copy.bytes.elementsEqual(content))
        #expect(try Mapping(copyOf: path).bytes.isEmpty)
        #expect(throws: SystemError.self) { _ = try Mapping(copyOf: "/tmp") }
    }
}
