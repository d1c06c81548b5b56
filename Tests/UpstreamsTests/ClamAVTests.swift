import CVD
import Testing
import Updates

@testable import Upstreams

@Suite("Mirrors of ClamAV's databases") struct ClamAVTests {
    private let bench: Bench
    private let server: FolderServer

    init() throws {
        bench = try Bench()
        bench.surroundings.keys = Containers.keys
        server = try FolderServer(["sample.cvd": try Containers.read("sample-1.cvd")])
    }

    private func upstream(_ change: (inout FetchPlan.Upstream) -> Void = { _ in }) -> FetchPlan.Upstream {
        var upstream = bench.upstream("clam", .clamav, [server])
        upstream.files = ["sample"]
        change(&upstream)
        return upstream
    }

    private func release() throws {
        for name in ["sample-2.cdiff", "sample-3.cdiff"] { server[name] = try Containers.read(name) }
        server["sample.cvd"] = try Containers.read("sample-3.cvd")
    }

    @Test("first the whole container, then nothing, then scripts of changes") func course() throws {
        let first = try bench.update(upstream())
        #expect(first.failure == nil)
        #expect(first.version == "sample 1")
        #expect(bench.content("upstreams/clam/sample.cvd") == (try Containers.read("sample-1.cvd")))

        let second = try bench.update(upstream())
        #expect(second.staged.isEmpty)
        #expect(second.requests == 1)
        #expect(second.bytes == 0, "the tag of the server says that nothing changed")

        try release()
        _ = server.takeRequests()
        let third = try bench.update(upstream())
        #expect(third.failure == nil)
        #expect(third.version == "sample 3")
        #expect(server.takeRequests().map(\.path) == ["sample.cvd", "sample-2.cdiff", "sample-3.cdiff"])
        let file = try #require(bench.state.upstreams["clam"]?.files.first)
        #expect(file.path == "upstreams/clam/sample.cld")
        #expect(file.version == "3")
        #expect(bench.state.upstreams["clam"]?.files.count == 1)
        #expect(bench.staged.isEmpty, "nothing is left behind")

        let fourth = try bench.update(upstream())
        #expect(fourth.staged.isEmpty && fourth.failure == nil)
    }

    @Test("clients of a mirror get the scripts, and come to the same") func chain() throws {
        try bench.update(upstream())
        try release()
        bench.plan.mirrorsEverything = true
        try bench.update(upstream())
        let files = bench.state.upstreams["clam"]?.files.map(\.path).sorted()
        #expect(
            files == [
                "upstreams/clam/sample-2.cdiff", "upstreams/clam/sample-3.cdiff", "upstreams/clam/sample.cld",
            ])
        // A second system, whose server has what the mirror has.
        let second = try Bench()
        second.surroundings.keys = Containers.keys
        let mirror = try FolderServer(["sample.cvd": try Containers.read("sample-1.cvd")])
        var next = second.upstream("clam", .clamav, [mirror])
        next.files = ["sample"]
        try second.update(next)
        mirror["sample.cvd"] = nil
        for path in files ?? [] { mirror[String(path.dropFirst("upstreams/clam/".count))] = bench.content(path) }
        let result = try second.update(next)
        #expect(result.failure == nil)
        #expect(second.content("upstreams/clam/sample.cld") == bench.content("upstreams/clam/sample.cld"))
    }

    @Test("whole when a script is missing, empty, damaged, or for another version") func fallBack() throws {
        for fault in 0..<5 {
            let bench = try Bench()
            bench.surroundings.keys = Containers.keys
            server["sample.cvd"] = try Containers.read("sample-1.cvd")
            server["sample-2.cdiff"] = nil
            try bench.update(upstream())
            try release()
            switch fault {
            case 0: server["sample-2.cdiff"] = nil
            case 1: server["sample-2.cdiff"] = []
            case 2: server["sample-3.cdiff"]?[100] ^= 1
            case 3: server["sample-2.cdiff"] = try Containers.read("sample-3.cdiff")
            default: server["sample-3.cdiff"] = try Containers.read("sample-2.cdiff")
            }
            let result = try bench.update(upstream())
            #expect(result.failure == nil, "fault \(fault): \(result.reason)")
            #expect(bench.content("upstreams/clam/sample.cvd") == (try Containers.read("sample-3.cvd")))
            #expect(bench.state.upstreams["clam"]?.files.map(\.path) == ["upstreams/clam/sample.cvd"])
        }
    }

    @Test("no scripts when they are not wanted, or too many") func limits() throws {
        try bench.update(upstream())
        try release()
        _ = server.takeRequests()
        try bench.update(upstream { $0.changes = 1 })
        #expect(server.takeRequests().map(\.path) == ["sample.cvd", "sample.cvd"])
    }

    @Test("a DNS record spares the question at the server") func record() throws {
        let now = bench.now
        func record(_ version: Int, time: Int64) -> (String) -> TextRecord.Answer {
            { name in name == "v.example" ? .text("1.4.3:\(version):27000:\(time):1:90:49192:335") : .none }
        }
        server["main.cvd"] = try Containers.read("sample-1.cvd")
        bench.surroundings.text = record(1, time: now - 60)
        let main = upstream {
            $0.files = ["main"]
            $0.dns = "v.example"
        }
        try bench.update(main)
        _ = server.takeRequests()
        try bench.update(main)
        #expect(server.takeRequests().isEmpty)
        // A record that is too old is not believed.
        bench.surroundings.text = record(1, time: now - 4 * 3600)
        try bench.update(main)
        #expect(server.takeRequests().map(\.path) == ["main.cvd"])
        // A server that has not got what the record promises keeps what is there.
        bench.surroundings.text = record(2, time: now)
        let result = try bench.update(main)
        #expect(result.failure == nil)
        #expect(result.notes.contains { $0.contains("still have version 1") })
        #expect(bench.state.upstreams["clam"]?.files.first?.version == "1")
    }

    @Test("what is damaged or by somebody else is not taken") func refused() throws {
        var bytes = try Containers.read("sample-1.cvd")
        bytes[800] ^= 1
        server["sample.cvd"] = bytes
        let damaged = try bench.update(upstream())
        #expect(damaged.failure == .download)
        #expect(bench.content("upstreams/clam/sample.cvd") == nil)
        bench.surroundings.keys = .published
        server["sample.cvd"] = try Containers.read("sample-1.cvd")
        #expect(try bench.update(upstream()).failure == .download)
        #expect(bench.state.upstreams["clam"]?.files.isEmpty == true)
    }

    @Test("another server when the first one is damaged, closed or gone") func failOver() throws {
        let bad = try FolderServer(["sample.cvd": [UInt8](repeating: 0x41, count: 2000)])
        let closed = try FolderServer()
        closed.refuse("sample.cvd", "500 Broken")
        var upstream = upstream()
        upstream.servers = [bad, closed, server].map { .init(base: $0.base) }
        let result = try bench.update(upstream)
        #expect(result.failure == nil, "\(result.reason)")
        #expect(result.version == "sample 1")
        #expect(result.notes.count == 2)
    }

    @Test("an older container does not replace a newer one") func older() throws {
        server["sample.cvd"] = try Containers.read("sample-3.cvd")
        try bench.update(upstream())
        server["sample.cvd"] = try Containers.read("sample-1.cvd")
        let result = try bench.update(upstream())
        #expect(result.version == "sample 3")
        #expect(bench.content("upstreams/clam/sample.cvd") == (try Containers.read("sample-3.cvd")))
    }

    @Test("a cut connection is gone on with") func cut() throws {
        server.cut("sample.cvd", after: 700)
        // The first bytes were asked for before.
        let result = try bench.update(upstream())
        #expect(result.failure == nil, "\(result.reason)")
    }

    @Test func records() {
        #expect(VersionRecord("0.103:62:27700:1000:1:90:49192:339", now: 1000)?.version(of: "daily") == 27700)
        #expect(VersionRecord("0.103:62:27700:1000:1:90:49192:339", now: 1000)?.version(of: "other") == nil)
        #expect(VersionRecord("0.103:62:x:1000:1:90:49192:339", now: 1000)?.version(of: "daily") == nil)
        #expect(VersionRecord("0.103:62:27700:1000", now: 1000) == nil)
        #expect(VersionRecord("", now: 0) == nil)
        #expect(VersionRecord("0.103:62:27700:1000:1:90:49192:339", now: 11_801) == nil)
    }
}
