import Fetching
import Glibc
import Platform
import Testing
import WebServer

/// Downloads that are cut, changed and gone on with.
final class DownloadTests {
    private let directory = "/tmp/esets-download-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    private var path: String { "\(directory)/file" }
    private let fetcher: Fetcher
    private let content = (0..<10_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
    private let digest = "sha"

    init() throws {
        var settings = NetworkSettings()
        settings.timeout = 5
        fetcher = Fetcher(settings)
        try Files.makeDirectory(directory)
    }

    deinit { try? Files.remove(directory) }

    private func sha256(_ bytes: [UInt8]) throws -> String {
        try Files.replace("\(directory)/digest", with: bytes)
        return try FileDigest.sha256("\(directory)/digest")
    }

    private func kind(_ body: () throws -> Void) -> FetchError.Kind? {
        do {
            try body()
            return nil
        } catch {
            return (error as? FetchError)?.kind
        }
    }

    /// Serves `content` with ranges; the first answer is cut after `cut` bytes.
    private func server(cut: Int, tag: @escaping @Sendable (Int) -> String) throws -> ScriptedServer {
        let content = content
        return try ScriptedServer { request, number in
            let tag = tag(number)
            if number == 1 {
                return .init("200 OK", ["ETag": tag], Array(content[..<cut]), announced: content.count)
            }
            if let range = request.fields["range"], request.fields["if-range"] ?? tag == tag,
                let start = Int(range.dropFirst("bytes=".count).dropLast())
            {
                let fields = ["ETag": tag, "Content-Range": "bytes \(start)-\(content.count - 1)/\(content.count)"]
                return .init("206 Part", fields, Array(content[start...]))
            }
            return .init("200 OK", ["ETag": tag], content)
        }
    }

    @Test func goesOnWhereItWasCut() throws {
        let server = try server(cut: 4000) { _ in "\"v1\"" }
        defer { server.stop() }
        let download = Download("\(server.base)/f", to: path, limit: 20_000)
        #expect(kind { _ = try download.run(fetcher) } == .network)
        #expect(!Files.exists(path), "an incomplete file is not there under its name")
        #expect(try download.run(fetcher) == .complete(Validators(tag: "\"v1\"")))
        #expect(try Files.read(path) == content)
        let second = try #require(server.requests.last)
        #expect(second.fields["range"] == "bytes=4000-")
        #expect(second.fields["if-range"] == "\"v1\"")
        #expect(!Files.exists("\(path).part") && !Files.exists("\(path).note"))
    }

    @Test func anotherVersionBeginsAnew() throws {
        let server = try server(cut: 4000) { "\"v\($0)\"" }
        defer { server.stop() }
        let download = Download("\(server.base)/f", to: path, limit: 20_000)
        #expect(kind { _ = try download.run(fetcher) } == .network)
        #expect(try download.run(fetcher) == .complete(Validators(tag: "\"v2\"")))
        #expect(try Files.read(path) == content)
    }

    @Test func aKnownDigestNeedsNoVersion() throws {
        let server = try server(cut: 4000) { "\"v\($0)\"" }
        defer { server.stop() }
        var download = Download("\(server.base)/f", to: path, limit: 20_000)
        download.digest = try sha256(content)
        download.size = content.count
        #expect(kind { _ = try download.run(fetcher) } == .network)
        _ = try download.run(fetcher)
        #expect(try Files.read(path) == content)
        #expect(server.requests.last?.fields["range"] == "bytes=4000-")
        #expect(server.requests.last?.fields["if-range"] == nil)
    }

    @Test func damagedPartIsFetchedWhole() throws {
        let server = try server(cut: 4000) { _ in "\"v1\"" }
        defer { server.stop() }
        var download = Download("\(server.base)/f", to: path, limit: 20_000)
        download.digest = try sha256(content)
        #expect(kind { _ = try download.run(fetcher) } == .network)
        var part = try Files.read("\(path).part")
        part[100] ^= 1
        try Files.replace("\(path).part", with: part)
        _ = try download.run(fetcher)
        #expect(try Files.read(path) == content)
        #expect(server.requests.count == 3)
    }

    @Test("what is not written down counts not: a power failure may have left a gap") func unnotedPart() throws {
        let server = try server(cut: 4000) { _ in "\"v1\"" }
        defer { server.stop() }
        let download = Download("\(server.base)/f", to: path, limit: 20_000)
        #expect(kind { _ = try download.run(fetcher) } == .network)
        unlink("\(path).note")
        _ = try download.run(fetcher)
        #expect(server.requests.last?.fields["range"] == nil)
        #expect(try Files.read(path) == content)
    }

    @Test func wrongContentOfRightLengthIsRefused() throws {
        let content = content
        let server = try ScriptedServer { _, _ in .init("200 OK", [:], content) }
        defer { server.stop() }
        var download = Download("\(server.base)/f", to: path, limit: 20_000)
        var other = content
        other[9_999] ^= 1
        download.digest = try sha256(other)
        download.size = content.count
        #expect(kind { _ = try download.run(fetcher) } == .damaged)
        #expect(!Files.exists(path))
    }

    @Test func onlyWhatChangedIsAskedFor() throws {
        let content = content
        let server = try ScriptedServer { request, _ in
            request.fields["if-none-match"] == "\"v1\""
                ? .init("304 Same") : .init("200 OK", ["ETag": "\"v1\""], content)
        }
        defer { server.stop() }
        var download = Download("\(server.base)/f", to: path, limit: 20_000)
        #expect(try download.run(fetcher) == .complete(Validators(tag: "\"v1\"")))
        download.unless = Validators(tag: "\"v1\"")
        #expect(try download.run(fetcher) == .notModified)
        #expect(try Files.read(path) == content)
    }

    @Test func emptyFile() throws {
        let server = try ScriptedServer { _, _ in .init("200 OK", ["ETag": "\"e\""]) }
        defer { server.stop() }
        #expect(
            try Download("\(server.base)/f", to: path, limit: 10).run(fetcher) == .complete(Validators(tag: "\"e\"")))
        #expect(try Files.read(path) == [])
    }

    @Test func tooLarge() throws {
        let content = content
        let server = try ScriptedServer { _, _ in .init("200 OK", [:], content) }
        defer { server.stop() }
        #expect(kind { _ = try Download("\(server.base)/f", to: path, limit: 9_999).run(fetcher) } == .tooLarge)
    }

    // MARK: Several servers

    private func servers(_ bases: [String], rests: [String: Int64] = [:], pauses: @escaping (Double) -> Void = { _ in })
        -> ServerList
    {
        ServerList(bases.map { .init($0) }, fetcher: fetcher, rests: rests, now: { 1_000_000 }, pause: pauses)
    }

    @Test func theNextServerTakesOver() throws {
        let good = try ScriptedServer { _, _ in .init("200 OK", [:], [1]) }
        let broken = try ScriptedServer { _, _ in .init("500 No") }
        defer { good.stop(); broken.stop() }
        let list = servers([broken.base, "http://127.0.0.1:1", good.base])
        #expect(try list.bytes("a", limit: 10) == [1])
        #expect(list.current == 2)
        #expect(list.failures.count == 2)
        #expect(try list.bytes("b", limit: 10) == [1])
        #expect(broken.requests.count == 2, "a server that failed is not asked again in the same update")
    }

    @Test func aMissingFileIsAnAnswer() throws {
        let empty = try ScriptedServer { _, _ in .init("404 No") }
        let good = try ScriptedServer { _, _ in .init("200 OK", [:], [1]) }
        defer { good.stop(); empty.stop() }
        #expect(try servers([empty.base, good.base]).bytes("a", limit: 10) == nil)
        #expect(good.requests.isEmpty)
    }

    @Test func busyServersAreLeftAlone() throws {
        let busy = try ScriptedServer { _, _ in .init("429 Slow", ["Retry-After": "7200"]) }
        defer { busy.stop() }
        let list = servers([busy.base])
        #expect(kind { _ = try list.bytes("a", limit: 10) } == .busy)
        let host = try #require(WebAddress(busy.base)?.host)
        #expect(list.rests == [host: 1_007_200])
        #expect(busy.requests.count == 1)
        let later = servers([busy.base], rests: list.rests)
        #expect(kind { _ = try later.bytes("a", limit: 10) } == .busy)
        #expect(busy.requests.count == 1, "a later update does not ask before the time")
        let wrong = servers([busy.base], rests: [host: 1_000_000 + 40 * 86_400])
        #expect(wrong.rests.isEmpty, "a rest that long comes from a clock that was wrong")
    }

    @Test func shortPausesAreWaitedFor() throws {
        let busy = try ScriptedServer { _, number in
            number == 1 ? .init("503 Slow", ["Retry-After": "30"]) : .init("200 OK", [:], [1])
        }
        defer { busy.stop() }
        nonisolated(unsafe) var waited: [Double] = []
        #expect(try servers([busy.base], pauses: { waited.append($0) }).bytes("a", limit: 10) == [1])
        #expect(waited.count == 1)
        #expect(waited.allSatisfy { (30...33).contains($0) })
    }

    @Test func refusedCredentialsAreToldAboutFirst() throws {
        let closed = try ScriptedServer { _, _ in .init("401 Who") }
        defer { closed.stop() }
        #expect(kind { _ = try servers([closed.base, "http://127.0.0.1:1"]).bytes("a", limit: 10) } == .credentials)
    }
}
