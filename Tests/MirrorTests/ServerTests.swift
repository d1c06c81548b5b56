import AgentKit
import Bytes
import CLinux
import Configuration
import EventLoop
import Foundation
import Glibc
import Platform
import Synchronization
import Testing

@testable import Mirror

/// A mirror with a directory of its own, on a free port of this machine.
final class TestMirror {
    let directory: String
    let server: MirrorServer
    let port: UInt16
    private let thread: NativeThread

    init(_ change: (inout MirrorSettings) -> Void = { _ in }) throws {
        directory = NSTemporaryDirectory() + "mirror-\(UUID().uuidString)"
        try Files.makeDirectory(directory)
        let listening = try Listener.open(try #require(SocketAddress(numeric: "127.0.0.1", port: 0)))
        var local = CLinux_address()
        _ = CLinux_local_address(listening.raw, &local)
        port = local.port
        var settings = MirrorSettings()
        settings.directory = directory
        settings.threads = 2
        change(&settings)
        let server = try MirrorServer(
            settings, listening: [listening], events: MirrorEvents(warning: { _ in }, debug: { _ in }))
        self.server = server
        thread = try NativeThread { server.run() }
    }

    func end() throws {
        server.stop(grace: .seconds(0))
        thread.join()
        try Files.remove(directory)
    }

    /// Writes a file as updates do: under another name first. Its date lies back, so that its tag is strong.
    func put(_ name: String, _ content: String, age: Int = 100) throws {
        try Files.makeDirectory(Files.parent(of: "\(directory)/\(name)"))
        try Files.replace("\(directory)/\(name)", with: Array(content.utf8))
        let then = timespec(tv_sec: time(nil) - age, tv_nsec: 0)
        var times = [then, then]
        utimensat(AT_FDCWD, "\(directory)/\(name)", &times, 0)
    }

    func connect() throws -> TestClient { try TestClient(port: port) }

    /// One request on a connection of its own.
    func get(_ target: String, _ fields: [String] = [], method: String = "GET") throws -> TestReply {
        let client = try connect()
        client.send(request(target, fields, method: method))
        return try #require(client.reply(hasContent: method != "HEAD"))
    }
}

func request(_ target: String, _ fields: [String] = [], method: String = "GET") -> String {
    "\(method) \(target) HTTP/1.1\r\nHost: mirror\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
}

struct TestReply {
    let status: Int
    let fields: [String: String]
    let content: String
}

/// A client that sends what it is told.
final class TestClient {
    private let socket: Int32
    private var input: [UInt8] = []

    init(port: UInt16) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
    }

    deinit { Glibc.close(socket) }

    func send(_ text: String) {
        var bytes = Array(text.utf8)
        _ = Glibc.send(socket, &bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    private func more() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = recv(socket, &chunk, chunk.count, 0)
        if count > 0 { input += chunk[..<count] }
        return count > 0
    }

    /// Whether the server has closed the connection, after what it still sent.
    var isClosed: Bool {
        // The end of the connection leaves errno as it was.
        errno = 0
        while more() { errno = 0 }
        return errno != EAGAIN
    }

    /// The next reply; nil when the connection ends or nothing comes.
    func reply(hasContent: Bool = true) -> TestReply? {
        let end = Array("\r\n\r\n".utf8)
        while true {
            let text = String(decoding: input, as: UTF8.self)
            if let range = text.range(of: "\r\n\r\n") {
                let lines = text[..<range.lowerBound].components(separatedBy: "\r\n")
                var fields: [String: String] = [:]
                for line in lines.dropFirst() {
                    let parts = line.split(separator: ":", maxSplits: 1)
                    fields[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
                }
                let head = (0...(input.count - 4)).first { Array(input[$0..<($0 + 4)]) == end }.map { $0 + 4 } ?? 0
                let status = Int(lines[0].split(separator: " ")[1]) ?? 0
                let length = hasContent && status != 304 ? Int(fields["content-length"] ?? "0") ?? 0 : 0
                while input.count < head + length { guard more() else { return nil } }
                let content = String(decoding: input[head..<(head + length)], as: UTF8.self)
                input.removeFirst(head + length)
                return TestReply(status: status, fields: fields, content: content)
            }
            guard more() else { return nil }
        }
    }
}

@Suite(.serialized) struct ServerTests {
    @Test func filesAndTheirHeads() throws {
        let mirror = try TestMirror()
        try mirror.put("update.ver", "[HOSTS]\n")
        try mirror.put("metadata/3.root.json", "{}")
        for target in ["/", "/eset_upd/", "/update.ver", "/eset_upd/update.ver"] {
            let reply = try mirror.get(target)
            #expect(reply.status == 200 && reply.content == "[HOSTS]\n", "\(target)")
            #expect(reply.fields["cache-control"] == "public, no-cache")
        }
        let root = try mirror.get("/metadata/3.root.json", method: "HEAD")
        #expect(root.fields["content-length"] == "2" && root.content == "")
        #expect(root.fields["cache-control"] == "public, max-age=31536000, immutable")
        for target in ["/metadata", "/metadata/", "/nothing", "/../x", "/.", "/metadata/%2e%2e/update.ver"] {
            #expect(try mirror.get(target).status == 404, "\(target)")
        }
        #expect(try mirror.get("/update.ver", method: "OPTIONS").fields["allow"] == "GET, HEAD")
        try mirror.end()
    }

    @Test func linksThatLeadOutsideAreNotFollowed() throws {
        let mirror = try TestMirror()
        try mirror.put("inside", "in")
        symlink("/etc/passwd", "\(mirror.directory)/absolute")
        symlink("../../../../../etc/passwd", "\(mirror.directory)/relative")
        symlink("/etc", "\(mirror.directory)/folder")
        symlink("inside", "\(mirror.directory)/good")
        mkfifo("\(mirror.directory)/pipe", 0o644)
        for target in ["/absolute", "/relative", "/folder/passwd", "/pipe"] {
            #expect(try mirror.get(target).status == 404, "\(target)")
        }
        #expect(try mirror.get("/good").content == "in")
        try mirror.end()
    }

    @Test func aFileThatIsReplacedIsSeenWithinTwoSeconds() throws {
        let mirror = try TestMirror()
        try mirror.put("timestamp.json", "old")
        let old = try mirror.get("/timestamp.json")
        #expect(old.content == "old")
        try mirror.put("timestamp.json", "new", age: 50)
        var new = old
        let end = Clock.now + 20_000_000_000
        while new.content == "old" && Clock.now < end {
            usleep(100_000)
            new = try mirror.get("/timestamp.json")
        }
        #expect(new.content == "new")
        #expect(new.fields["etag"] != old.fields["etag"])
        #expect(try mirror.get("/timestamp.json", ["If-None-Match: \(old.fields["etag"] ?? "")"]).status == 200)
        #expect(try mirror.get("/timestamp.json", ["If-None-Match: \(new.fields["etag"] ?? "")"]).status == 304)
        try mirror.end()
    }

    @Test func aFileThatHasJustChangedHasAWeakTag() throws {
        let mirror = try TestMirror()
        // Of the future: it does not grow old enough while the test is held up.
        try mirror.put("fresh", "0123456789", age: -60)
        let reply = try mirror.get("/fresh")
        let tag = reply.fields["etag"] ?? ""
        #expect(tag.hasPrefix("W/"))
        // So a download of it is begun anew, in place of joining two versions.
        #expect(try mirror.get("/fresh", ["Range: bytes=5-", "If-Range: \(tag)"]).status == 200)
        try mirror.end()
    }

    @Test func partsAreThoseOfTheFileEvenWhenItIsCompressible() throws {
        let mirror = try TestMirror()
        let text = String(repeating: "0123456789abcdef\n", count: 1_000)
        try mirror.put("a.json", text)
        let zipped = try mirror.get("/a.json", ["Accept-Encoding: gzip"])
        #expect(zipped.fields["content-encoding"] == "gzip" && zipped.fields["vary"] == "Accept-Encoding")
        let plain = try mirror.get("/a.json")
        #expect(plain.content == text && plain.fields["etag"] != zipped.fields["etag"])
        let part = try mirror.get("/a.json", ["Accept-Encoding: gzip", "Range: bytes=-17"])
        #expect(part.status == 206 && part.content == "0123456789abcdef\n")
        #expect(part.fields["content-range"] == "bytes 16983-16999/17000" && part.fields["content-encoding"] == nil)
        let none = try mirror.get("/a.json", ["Range: bytes=17000-"])
        #expect(none.status == 416 && none.fields["content-range"] == "bytes */17000")
        let tag = zipped.fields["etag"] ?? ""
        let same = try mirror.get("/a.json", ["Accept-Encoding: gzip", "If-None-Match: \(tag)"])
        #expect(same.status == 304 && same.fields["etag"] == tag)
        try mirror.end()
    }

    @Test func largeFilesAndTheirPartsArriveWhole() throws {
        let mirror = try TestMirror()
        let text = (0..<40_000).map { "\($0)\n" }.joined()
        try mirror.put("large", text)
        let client = try mirror.connect()
        // All at once: the answers come in order on the same connection.
        client.send(request("/large") + request("/large", ["Range: bytes=100000-100999"]) + request("/large"))
        #expect(client.reply()?.content == text)
        #expect(client.reply()?.content == String(text.dropFirst(100_000).prefix(1_000)))
        #expect(client.reply()?.content == text)
        #expect(mirror.server.statistics.snapshot["partial"] == 1)
        try mirror.end()
    }

    @Test func withBasicAuthenticationNothingIsServedToOthers() throws {
        let mirror = try TestMirror { $0.credentials = BasicCredentials.encode("user:secret") }
        try mirror.put("update.ver", "x")
        let refused = try mirror.get("/")
        #expect(refused.status == 401 && refused.fields["www-authenticate"]?.hasPrefix("Basic realm=") == true)
        #expect(try mirror.get("/", ["Authorization: Basic dXNlcjpzZWNyZXQ="]).status == 200)
        #expect(try mirror.get("/", ["Authorization: Basic dXNlcjpzZWNyZXU="]).status == 401)
        // Not even whether a file is there.
        #expect(try mirror.get("/nothing").status == 401)
        // Programs of this machine may look at the statistics.
        #expect(try mirror.get("/status").content.contains("unauthorized=3\n"))
        try mirror.end()
    }

    @Test func aRequestThatNeverEndsIsCut() throws {
        let mirror = try TestMirror { $0.timeout = 2 }
        let slow = try mirror.connect()
        slow.send("GET / HTTP/1.1\r\nHost: x\r\n")
        // A byte now and then does not help.
        let end = Clock.now + 60_000_000_000
        while mirror.server.statistics.snapshot["late"] == 0 && Clock.now < end {
            slow.send("X")
            usleep(200_000)
        }
        #expect(mirror.server.statistics.snapshot["late"] == 1)
        // It is counted before it is closed.
        while !slow.isClosed && Clock.now < end { usleep(10_000) }
        #expect(slow.isClosed)
        try mirror.end()
    }

    @Test func hostileHeadsEndTheConnection() throws {
        let mirror = try TestMirror()
        try mirror.put("update.ver", "x")
        for (text, wanted) in [
            ("GET / HTTP/1.1\r\n" + String(repeating: "X: \(String(repeating: "a", count: 500))\r\n", count: 100), 431),
            ("GET /" + String(repeating: "a", count: 60_000) + " HTTP/1.1\r\n", 414),
            ("\u{16}\u{3}\u{1}\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\n\r\n", 400),
        ] {
            let client = try mirror.connect()
            client.send(text)
            if let reply = client.reply() { #expect(reply.status == wanted, "\(text.prefix(40))") }
            #expect(client.isClosed, "\(text.prefix(40))")
        }
        // Content with GET is not read.
        let client = try mirror.connect()
        client.send(request("/", ["Content-Length: 1000000"]) + String(repeating: "x", count: 10_000))
        #expect(client.isClosed)
        #expect(try mirror.get("/").status == 200)
        try mirror.end()
    }

    @Test func aReloadChangesTheRulesAndCutsNoDownload() throws {
        let mirror = try TestMirror()
        let text = String(repeating: "0123456789abcdef", count: 1 << 20)
        try mirror.put("large", text)
        let client = try mirror.connect()
        client.send(request("/large"))
        // Its answer has begun, and does not fit into the buffers of the sockets.
        while mirror.server.statistics.snapshot["requests"] == 0 { usleep(10_000) }
        var settings = MirrorSettings()
        settings.directory = mirror.directory
        settings.credentials = BasicCredentials.encode("a:b")
        try mirror.server.reload(settings)
        #expect(try mirror.get("/large").status == 401)
        #expect(client.reply()?.content == text)
        // Idle then, and served by nobody any more.
        #expect(client.isClosed)
        settings.certificate = "nonsense"
        settings.key = "nonsense"
        #expect(throws: AgentError.self) { try mirror.server.reload(settings) }
        #expect(try mirror.get("/large").status == 401)
        try mirror.end()
    }

    @Test func anotherDirectoryMayTakeTheName() throws {
        let mirror = try TestMirror()
        try mirror.put("a", "first")
        #expect(try mirror.get("/a").content == "first")
        rename(mirror.directory, mirror.directory + ".old")
        try mirror.put("a", "second")
        var reply = try mirror.get("/a")
        let end = Clock.now + 20_000_000_000
        while reply.content != "second" && Clock.now < end {
            usleep(100_000)
            reply = try mirror.get("/a")
        }
        #expect(reply.content == "second")
        try Files.remove(mirror.directory + ".old")
        try mirror.end()
    }

    @Test func theAccessLogCannotBeForged() throws {
        let path = NSTemporaryDirectory() + "access-\(UUID().uuidString)"
        let mirror = try TestMirror { $0.accessLog = path }
        try mirror.put("update.ver", "12345")
        _ = try mirror.get("/", ["User-Agent: a\"b\\c\u{7f}"])
        _ = try mirror.get("/x\"y", ["Referer: r"])
        try mirror.end()
        let lines = try Files.text(path).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix("127.0.0.1 - - ["))
        #expect(lines[0].hasSuffix("] \"GET / HTTP/1.1\" 200 5 \"-\" \"a\\x22b\\x5Cc\\x7F\""))
        #expect(lines[1].hasSuffix("] \"GET /x\\x22y HTTP/1.1\" 404 14 \"r\" \"-\""))
        unlink(path)
    }
}
