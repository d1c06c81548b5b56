import Testing

@testable import Fetching

@Suite("Headers, dates and pauses") struct HeaderTests {
    private func read(_ text: String, now: Int64 = 0) -> FetchResponse {
        var header = ResponseHeader(now: now)
        for line in text.split(separator: "\n") { header.add((line + "\r\n").utf8) }
        return header.response
    }

    @Test("the last answer counts") func redirect() {
        let response = read(
            "HTTP/1.1 302 Found\nETag: \"a\"\nHTTP/2 200\nContent-Length: 7\nLAST-MODIFIED:Sun, 06 Nov 1994 08:49:37 GMT"
        )
        #expect(response.status == 200)
        #expect(response.validators == Validators(modified: "Sun, 06 Nov 1994 08:49:37 GMT"))
        #expect(response.length == 7)
    }

    @Test func ranges() {
        let response = read("HTTP/1.1 206 Part\nContent-Range: bytes 100-199/1000")
        #expect(response.rangeStart == 100)
        #expect(response.rangeTotal == 1000)
        #expect(read("HTTP/1.1 206 Part\nContent-Range: bytes */5").rangeStart == nil)
        #expect(read("HTTP/1.1 206 Part\nContent-Range: lines 1-2/3").rangeTotal == nil)
    }

    @Test(
        "fields that are none are passed over",
        arguments: [
            "ETag: abc", "ETag: \"a\"b\"", "ETag: \"", "Last-Modified: yesterday", "Content-Length: -1",
            "Content-Length: 99999999999999999999", "no colon", ":", "ETag: \"\u{1}\"",
        ]) func malformed(_ line: String)
    {
        #expect(read("HTTP/1.1 200 OK\n\(line)") == read("HTTP/1.1 200 OK"))
    }

    @Test("a header cannot be put into a later request") func injection() {
        var header = ResponseHeader(now: 0)
        header.add("HTTP/1.1 200 OK".utf8)
        header.add("ETag: \"a\r\nX-Evil: 1\"".utf8)
        #expect(header.response.validators.isEmpty)
    }

    @Test func retryAfter() {
        #expect(read("HTTP/1.1 503 No\nRetry-After: 120").retryAfter == 120)
        #expect(
            read("HTTP/1.1 503 No\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT", now: 784_111_777 - 60).retryAfter == 60)
        #expect(read("HTTP/1.1 503 No\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT", now: 784_111_778).retryAfter == 0)
        #expect(read("HTTP/1.1 503 No\nRetry-After: 999999999999").retryAfter == 30 * 86_400)
    }

    @Test("dates there and back", arguments: [0, 68_169_600, 951_782_400, 951_868_800, 1_795_262_400, 4_102_444_799])
    func dates(_ seconds: Int64) {
        #expect(HTTPDate.seconds(HTTPDate.text(seconds)) == seconds)
    }

    @Test func knownDates() {
        #expect(HTTPDate.text(784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.text(951_782_400) == "Tue, 29 Feb 2000 00:00:00 GMT")
        #expect(HTTPDate.seconds("Sunday, 06-Nov-94 08:49:37 GMT") == nil)
        #expect(HTTPDate.seconds("Sun, 32 Nov 1994 08:49:37 GMT") == nil)
    }

    @Test func requestFields() {
        var request = FetchRequest("http://h/", limit: 1)
        request.resume = (5, Validators(tag: "W/\"weak\""))
        #expect(Fetcher.headers(of: request) == ["Range: bytes=5-"])
        request.resume = (5, Validators(modified: "Sun, 06 Nov 1994 08:49:37 GMT"))
        #expect(Fetcher.headers(of: request).last == "If-Range: Sun, 06 Nov 1994 08:49:37 GMT")
        request.resume = nil
        request.unless = Validators(tag: "W/\"weak\"")
        #expect(Fetcher.headers(of: request) == ["If-None-Match: W/\"weak\""])
    }

    @Test func decisions() {
        let policy = RetryPolicy()
        func decide(_ kind: FetchError.Kind, _ attempt: Int, after: Int? = nil, chance: Double = 0.5)
            -> RetryPolicy.Decision
        {
            policy.decide(FetchError(kind, "", retryAfter: after), attempt: attempt, chance: chance)
        }
        #expect(decide(.missing, 1) == .giveUp)
        #expect(decide(.credentials, 1) == .giveUp)
        #expect(decide(.network, 1) == .again(1))
        #expect(decide(.network, 2) == .again(2))
        #expect(decide(.network, 3, chance: 0) == .again(2))
        #expect(decide(.network, 4) == .giveUp)
        #expect(decide(.busy, 1) == .again(4))
        #expect(decide(.busy, 4) == .leaveAlone(900))
        #expect(decide(.busy, 1, after: 100, chance: 0) == .again(100))
        #expect(decide(.busy, 1, after: 121) == .leaveAlone(121))
        #expect(decide(.network, 4, after: 10) == .leaveAlone(10))
    }

    @Test func addresses() {
        #expect(WebAddress("HTTP://Host:2221/A")?.host == "host:2221")
        #expect(WebAddress("http://host")?.path == "/")
        #expect(WebAddress("file:///a/b")?.path == "/a/b")
        #expect(WebAddress.join("http://h/x//", "a b%/ü") == "http://h/x/a%20b%25/%C3%BC")
    }
}
