import Fetching
import Glibc
import Platform
import Testing
import WebServer

@Suite("Fetching over HTTP") struct FetcherTests {
    private func fetcher(_ change: (inout NetworkSettings) -> Void = { _ in }) -> Fetcher {
        var settings = NetworkSettings()
        settings.timeout = 5
        change(&settings)
        return Fetcher(settings)
    }

    private func error(_ body: () throws -> Void) -> FetchError? {
        do {
            try body()
            return nil
        } catch {
            return error as? FetchError
        }
    }

    @Test("content, credentials, agent") func plain() throws {
        let server = try ScriptedServer { _, _ in .init("200 OK", [:], Array("hello".utf8)) }
        defer { server.stop() }
        let bytes = try fetcher { $0.agent = "esets/1" }.bytes(
            "\(server.base)/a", limit: 5, credentials: Credentials(user: "me", password: "secret"))
        #expect(bytes == Array("hello".utf8))
        #expect(server.requests.first?.fields["authorization"] == "Basic bWU6c2VjcmV0")
        #expect(server.requests.first?.fields["user-agent"] == "esets/1")
    }

    @Test(
        "what each status means",
        arguments: [
            ("401 No", FetchError.Kind.credentials), ("403 No", .credentials), ("407 No", .credentials),
            ("404 No", .missing), ("429 No", .busy), ("503 No", .busy), ("500 No", .network), ("418 No", .status),
        ]) func statuses(_ line: String, _ kind: FetchError.Kind) throws
    {
        let server = try ScriptedServer { _, _ in .init(line, ["Retry-After": "17"], Array("page".utf8)) }
        defer { server.stop() }
        var taken = 0
        let failure = error {
            _ = try fetcher().fetch(FetchRequest("\(server.base)/a", limit: 100)) { bytes in
                taken += bytes.count
                return true
            }
        }
        #expect(failure?.kind == kind)
        #expect(failure?.retryAfter == 17)
        #expect(taken == 0, "the page of an error is no content")
    }

    @Test("more than may come ends the transfer") func endless() throws {
        let server = try ScriptedServer { request, _ in
            request.path == "/announced"
                ? .init("200 OK", [:], [UInt8](repeating: 1, count: 1000))
                : ScriptedServer.Answer.chunked([UInt8](repeating: 1, count: 100_000))
        }
        defer { server.stop() }
        for path in ["announced", "chunked"] {
            var taken = 0
            let failure = error {
                _ = try fetcher().fetch(FetchRequest("\(server.base)/\(path)", limit: 999)) { bytes in
                    taken += bytes.count
                    return true
                }
            }
            #expect(failure?.kind == .tooLarge)
            #expect(taken <= 999)
        }
    }

    @Test("a server that is silent, or sends drop by drop, is given up", arguments: [0, 1, 15])
    func slow(step: Int) throws {
        // Nothing after the head; 10 bytes a second, too slow by far; 150, which is fast enough but never ends.
        let server = try ScriptedServer { _, _ in
            var answer = ScriptedServer.Answer("200 OK", [:], [UInt8](repeating: 1, count: 4_000), announced: 4_000)
            if step == 0 {
                answer.bytes = Array(answer.bytes.dropLast(4_000))
                answer.milliseconds = 60_000
            } else {
                answer.step = step
                answer.pause = 100
            }
            return answer
        }
        defer { server.stop() }
        let failure = error {
            _ = try fetcher { $0.timeout = 1 }.bytes("\(server.base)/metadata", limit: 4_000)
        }
        #expect(failure?.kind == .network, "\(failure?.description ?? "it was waited for")")
    }

    @Test("no more bytes a second than are allowed") func rate() throws {
        let server = try ScriptedServer { _, _ in .init("200 OK", [:], [UInt8](repeating: 1, count: 600_000)) }
        defer { server.stop() }
        let begin = Clock.now
        let bytes = try fetcher { $0.rate = 200_000 }.bytes("\(server.base)/a", limit: 600_000)
        #expect(bytes?.count == 600_000)
        // However busy the machine is, it does not become faster.
        #expect(Clock.now - begin > 1_000_000_000)
    }

    @Test("the first bytes of a server with and without ranges") func prefix() throws {
        let server = try ScriptedServer { request, _ in
            request.path == "/ranges"
                ? .init("206 Part", ["Content-Range": "bytes 0-3/9"], Array("abcd".utf8))
                : .init("200 OK", [:], Array("abcdefghi".utf8))
        }
        defer { server.stop() }
        for path in ["ranges", "none"] {
            var request = FetchRequest("\(server.base)/\(path)", limit: 100)
            request.first = 4
            var content: [UInt8] = []
            _ = try fetcher().fetch(request) { bytes in
                content += bytes
                return true
            }
            #expect(content == Array("abcd".utf8))
        }
        #expect(server.requests.allSatisfy { $0.fields["range"] == "bytes=0-3" })
    }

    @Test("redirects: http may lead to http, to no other scheme") func redirects() throws {
        let server = try ScriptedServer { request, _ in
            switch request.path {
            case "/good": .init("302 Go", ["Location": "/end"])
            case "/bad": .init("302 Go", ["Location": "file:///etc/passwd"])
            case "/loop": .init("302 Go", ["Location": "/loop"])
            default: .init("200 OK", [:], Array("end".utf8))
            }
        }
        defer { server.stop() }
        #expect(try fetcher().bytes("\(server.base)/good", limit: 10) == Array("end".utf8))
        #expect(error { _ = try fetcher().bytes("\(server.base)/bad", limit: 10_000) } != nil)
        #expect(error { _ = try fetcher().bytes("\(server.base)/loop", limit: 10_000) } != nil)
        #expect(server.requests.count == 2 + 1 + 6)
    }

    @Test(
        "addresses that are not fetched",
        arguments: [
            "ftp://h/a", "file:///etc/passwd", "h/a", "http:///a", "http://u:p@h/a", "http://h/a b", "",
        ]) func addresses(_ address: String)
    {
        #expect(error { _ = try fetcher().bytes(address, limit: 10) }?.kind == .address)
    }

    @Test("a proxy is asked, with its credentials") func proxy() throws {
        let server = try ScriptedServer { request, number in
            request.fields["proxy-authorization"] == nil
                ? .init("407 Who", ["Proxy-Authenticate": "Basic realm=\"p\""])
                : .init("200 OK", [:], Array("by proxy".utf8))
        }
        defer { server.stop() }
        let fetcher = fetcher {
            $0.proxy = "127.0.0.1:\(server.port)"
            $0.proxyUser = "p"
            $0.proxyPassword = "q"
        }
        #expect(try fetcher.bytes("http://update.example/a", limit: 100) == Array("by proxy".utf8))
        #expect(server.requests.last?.line == "GET http://update.example/a HTTP/1.1")
        #expect(server.requests.last?.fields["proxy-authorization"] == "Basic cDpx")
    }

    @Test("an unreachable server is an error of the network") func unreachable() {
        #expect(error { _ = try fetcher().bytes("http://127.0.0.1:1/a", limit: 10) }?.kind == .network)
    }

    @Test("a folder answers like a server") func folder() throws {
        let path = "/tmp/esets-fetching-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        try Files.makeDirectory(path)
        defer { try? Files.remove(path) }
        try Files.replace("\(path)/a b", with: Array("content".utf8))
        let fetcher = fetcher { $0.allowsFiles = true }
        let address = WebAddress.join("file://\(path)", "a b")
        #expect(try fetcher.bytes(address, limit: 7) == Array("content".utf8))
        #expect(error { _ = try fetcher.bytes(address, limit: 6) }?.kind == .tooLarge)
        #expect(try fetcher.bytes("file://\(path)/none", limit: 7) == nil)
        let first = try fetcher.fetch(FetchRequest(address, limit: 100)) { _ in true }
        var again = FetchRequest(address, limit: 100)
        again.unless = first.validators
        #expect(try fetcher.fetch(again) { _ in true }.isNotModified)
    }
}

extension ScriptedServer.Answer {
    static func chunked(_ body: [UInt8]) -> Self {
        var answer = Self("200 OK")
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        answer.bytes = Array((head + String(body.count, radix: 16) + "\r\n").utf8) + body + Array("\r\n0\r\n\r\n".utf8)
        return answer
    }
}
