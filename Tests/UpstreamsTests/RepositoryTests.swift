import Deltas
import Glibc
import Platform
import TUF
import TUFRepository
import Testing
import Updates

@testable import Upstreams

/// A repository made by our publisher, served over HTTP.
private final class Publisher {
    let directory = "/tmp/esets-published-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    let repository: Repository

    init(now: Int64) throws {
        try Files.makeDirectory(directory)
        repository = try Repository.create(
            "\(directory)/r", RepositoryPlan(), keys: KeyRing(["\(directory)/keys"]) { nil }, now: now)
        _ = try repository.publish()
    }

    deinit { try? Files.remove(directory) }

    /// Puts a file into the repository and publishes.
    func put(_ path: String, _ content: [UInt8], _ kind: TargetKind = .signatures, deltas: Bool = false) throws {
        let source = "\(directory)/source"
        try Files.replace(source, with: content)
        _ = try repository.add(source, as: path, kind)
        if deltas {
            let role = try #require(repository.entries.first { $0.path == path }?.role)
            try repository.makeDeltas(path, in: role)
        }
        _ = try repository.publish()
    }

    /// Every file below public/, by its path.
    func files(_ folder: String = "") throws -> [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        let place = "\(directory)/r/public/\(folder)"
        for name in try Files.names(in: place) where !name.hasPrefix(".") {
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            if (try? Files.names(in: "\(directory)/r/public/\(path)")) != nil {
                result.merge(try files(path)) { _, new in new }
            } else {
                result[path] = try Files.read("\(directory)/r/public/\(path)")
            }
        }
        return result
    }
}

@Suite("Update repositories") struct RepositoryTests {
    private let bench: Bench
    private let publisher: Publisher
    private let server: FolderServer
    private let first = Array("Test.One:0:*:6f6e65206f6e65206f6e65\n".utf8)

    init() throws {
        bench = try Bench()
        publisher = try Publisher(now: bench.now)
        server = try FolderServer()
        try publisher.put("signatures/a.ndb", first)
        try serve()
        try Files.replace("\(bench.directory)/root.json", with: Files.read(publisher.repository.rootFile))
    }

    private func serve() throws {
        for (path, content) in try publisher.files() { server[path] = content }
    }

    private func upstream(_ servers: [FolderServer]? = nil) -> FetchPlan.Upstream {
        var upstream = bench.upstream("repository", .repository, servers ?? [server])
        upstream.root = "\(bench.directory)/root.json"
        return upstream
    }

    private func names() -> [String] {
        (bench.state.upstreams["repository"]?.files ?? []).filter { $0.role != .served }.map(\.name).sorted()
    }

    /// Lines enough for a delta to be worth it.
    private func database(_ count: Int) -> [UInt8] {
        (0..<count).flatMap { line -> [UInt8] in
            let body = (0..<8).map { String(UInt64(line * 8 + $0) &* 0x9e37_79b9_7f4a_7c15, radix: 16) }.joined()
            return Array("Test.Line-\(line):0:*:\(body)\n".utf8)
        }
    }

    @Test("everything, then nothing but the timestamp, then what is new") func course() throws {
        let result = try bench.update(upstream())
        #expect(result.failure == nil, "\(result.reason)")
        #expect(names() == ["repository/a.ndb"])
        let file = try #require(bench.state.files(.signatures).first)
        #expect(bench.content(file.path) == first)
        _ = server.takeRequests()

        let second = try bench.update(upstream())
        #expect(second.failure == nil && second.staged.isEmpty, "\(second.reason)")
        // A newer root, which is not there, and the timestamp.
        #expect(server.takeRequests().count == 2)

        try publisher.put("signatures/b.ndb", database(10))
        try serve()
        #expect(try bench.update(upstream()).failure == nil)
        #expect(names() == ["repository/a.ndb", "repository/b.ndb"])

        try publisher.repository.remove(["signatures/a.ndb"])
        _ = try publisher.repository.publish()
        try serve()
        #expect(try bench.update(upstream()).failure == nil)
        #expect(names() == ["repository/b.ndb"])
    }

    @Test("a mirror has the same bytes, and its clients need nobody else") func mirrors() throws {
        bench.plan.mirrorsEverything = true
        try publisher.put("signatures/big.ndb", database(200))
        try serve()
        try bench.update(upstream())
        try publisher.put("signatures/big.ndb", database(201), deltas: true)
        try serve()
        let result = try bench.update(upstream())
        #expect(result.failure == nil, "\(result.reason)")
        let paths = bench.state.upstreams["repository"]?.files.map(\.path) ?? []
        let published = try publisher.files()
        for path in paths { #expect(bench.content(path) == published[path], "\(path)") }
        #expect(paths.contains { $0.hasPrefix("targets/deltas/") })
        #expect(paths.last == "metadata/timestamp.json", "what names the others comes last")

        let second = try Bench()
        let mirror = try FolderServer()
        for path in paths { mirror[path] = bench.content(path) }
        var next = second.upstream("repository", .repository, [mirror])
        next.root = "\(bench.directory)/root.json"
        let chained = try second.update(next)
        #expect(chained.failure == nil, "\(chained.reason)")
        #expect(
            second.state.files(.signatures).map(\.digest).sorted()
                == bench.state.files(.signatures).map(\.digest).sorted())
    }

    @Test("program components are stored only by mirrors that are asked to") func components() throws {
        try publisher.put("pcu/windows/component.nup", database(3), .pcu)
        try serve()
        func isThere() -> Bool {
            bench.state.upstreams["repository"]?.files.contains { $0.path.hasSuffix(".component.nup") } ?? false
        }
        try bench.update(upstream())
        #expect(!isThere())
        bench.plan.mirrorsEverything = true
        try bench.update(upstream())
        #expect(!isThere())
        bench.plan.mirrorsComponents = true
        #expect(try bench.update(upstream()).failure == nil)
        #expect(isThere())
        #expect(bench.state.files(.served).contains { $0.path.hasSuffix(".component.nup") }, "nothing is made of it")
    }

    @Test("a delta in place of the whole file") func deltas() throws {
        try publisher.put("signatures/big.ndb", database(500))
        try serve()
        try bench.update(upstream())
        try publisher.put("signatures/big.ndb", database(501), deltas: true)
        try serve()
        _ = server.takeRequests()
        let result = try bench.update(upstream())
        #expect(result.failure == nil, "\(result.reason)")
        let paths = server.takeRequests().map(\.path)
        #expect(paths.contains { $0.hasPrefix("targets/deltas/") })
        #expect(!paths.contains { $0.hasSuffix(".big.ndb") })
        #expect(result.bytes < database(501).count / 2)
        let file = try #require(bench.state.files(.signatures).first { $0.name == "repository/big.ndb" })
        #expect(bench.content(file.path) == database(501))
        #expect(bench.staged.isEmpty, "\(bench.staged)")
    }

    @Test("the first time the whole file, compressed") func compressed() throws {
        try publisher.put("signatures/big.ndb", database(500))
        try serve()
        let result = try bench.update(upstream())
        #expect(result.failure == nil, "\(result.reason)")
        let paths = server.takeRequests().map(\.path)
        #expect(paths.contains { $0.contains("/deltas/") && $0.contains(".\(Delta.nothing)-") }, "\(paths)")
        #expect(!paths.contains { $0.hasSuffix(".big.ndb") })
        #expect(result.bytes < database(500).count * 7 / 10)
        let file = try #require(bench.state.files(.signatures).first { $0.name == "repository/big.ndb" })
        #expect(bench.content(file.path) == database(500))
        #expect(bench.staged.isEmpty, "\(bench.staged)")
    }

    @Test("a compressed file that unpacks to more than the target has is not believed") func bomb() throws {
        try publisher.put("signatures/big.ndb", database(500))
        try serve()
        // Of the right length, signed by nobody.
        let path = try #require(try publisher.files().keys.first { $0.contains("/deltas/") })
        let length = try #require(server[path]?.count)
        let bomb = try Delta.make(from: [], to: [UInt8](repeating: 0x41, count: 64 << 20))
        server[path] = bomb + [UInt8](repeating: 0, count: max(0, length - bomb.count))
        let result = try bench.update(upstream())
        #expect(result.failure == nil, "\(result.reason)")
        #expect(result.notes.contains { $0.contains("the whole is fetched") }, "\(result.notes)")
        let file = try #require(bench.state.files(.signatures).first { $0.name == "repository/big.ndb" })
        #expect(bench.content(file.path) == database(500))
    }

    @Test("the whole file when the delta is damaged") func damagedDelta() throws {
        try publisher.put("signatures/big.ndb", database(500))
        try serve()
        try bench.update(upstream())
        try publisher.put("signatures/big.ndb", database(501), deltas: true)
        try serve()
        for path in try publisher.files().keys where path.hasPrefix("targets/deltas/") { server[path]?[120] ^= 1 }
        let result = try bench.update(upstream())
        #expect(result.failure == nil, "\(result.reason)")
        let file = try #require(bench.state.files(.signatures).first { $0.name == "repository/big.ndb" })
        #expect(bench.content(file.path) == database(501))
    }

    @Test("another target of the right length is refused, what was there stays") func wrongTarget() throws {
        try bench.update(upstream())
        let before = bench.state.upstreams["repository"]?.files
        try publisher.put("signatures/a.ndb", Array("Test.Two:0:*:74776f2074776f2074776f\n".utf8))
        try serve()
        let path = try #require(
            try publisher.files().first { $0.key.hasSuffix(".a.ndb") && $0.value != first }?.key)
        server[path]?[5] ^= 1
        let result = try bench.update(upstream())
        #expect(result.failure == .download)
        #expect(bench.state.upstreams["repository"]?.files == before)
        // The next attempt, with the right file.
        try serve()
        #expect(try bench.update(upstream()).failure == nil)
    }

    @Test("the next server when the first one freezes, lies or has nothing") func failOver() throws {
        let stale = try FolderServer(publisher.files())
        try bench.update(upstream())
        try publisher.put("signatures/b.ndb", database(3))
        try serve()
        try bench.update(upstream([server]))
        // The first server still has the old state: a rollback, after the new one was seen.
        let empty = try FolderServer()
        let result = try bench.update(upstream([stale, empty, server]))
        #expect(result.failure == nil, "\(result.reason)")
        #expect(names() == ["repository/a.ndb", "repository/b.ndb"])
        #expect(result.notes.contains { $0.contains("older than version") }, "\(result.notes)")
        let alone = try bench.update(upstream([stale]))
        #expect(alone.failure == .download)
        #expect(names() == ["repository/a.ndb", "repository/b.ndb"])
    }

    @Test(
        "a server that refuses to say whether there is a newer root has none", arguments: ["403 Forbidden", "410 Gone"])
    func forbiddenRoot(answer: String) throws {
        server.refuse("metadata/2.root.json", answer)
        let result = try bench.update(upstream())
        #expect(result.failure == nil, "\(result.reason)")
        #expect(names() == ["repository/a.ndb"])
        // Everything else must be there.
        server.refuse("metadata/timestamp.json", answer)
        #expect(try bench.update(upstream()).failure == (answer.hasPrefix("403") ? .credentials : .download))
    }

    @Test("a server that wants credentials for the next root gets no further") func unauthorizedRoot() throws {
        server.refuse("metadata/2.root.json", "401 Unauthorized")
        #expect(try bench.update(upstream()).failure == .credentials)
    }

    @Test("expired metadata are refused: a clock that is wrong changes nothing") func clock() throws {
        try bench.update(upstream())
        let before = bench.state.upstreams["repository"]?.files
        let now = bench.now
        bench.now += 20 * 365 * 86_400
        #expect(try bench.update(upstream()).failure == .download)
        bench.now = now - 20 * 365 * 86_400
        #expect(try bench.update(upstream()).failure == nil)
        bench.now = now
        #expect(try bench.update(upstream()).failure == nil)
        #expect(bench.state.upstreams["repository"]?.files == before)
    }

    @Test("a root by nobody who is trusted") func otherRoot() throws {
        let other = try Publisher(now: bench.now)
        try Files.replace("\(bench.directory)/root.json", with: Files.read(other.repository.rootFile))
        #expect(try bench.update(upstream()).failure == .download)
        try Files.remove("\(bench.directory)/root.json")
        #expect(try bench.update(upstream()).reason.contains("update_root"))
    }

    @Test("an endless timestamp is cut off") func endless() throws {
        server["metadata/timestamp.json"] = [UInt8](repeating: 0x20, count: 1 << 20)
        let result = try bench.update(upstream())
        #expect(result.failure == .download)
        #expect(result.bytes < 1 << 18)
    }

    @Test("from a folder") func offline() throws {
        let folder = "\(bench.directory)/stick"
        for (path, content) in try publisher.files() {
            try Files.makeDirectory(Files.parent(of: "\(folder)/\(path)"))
            try Files.replace("\(folder)/\(path)", with: content)
        }
        bench.plan.offline = folder
        _ = server.takeRequests()
        let result = try bench.update(upstream())
        #expect(result.failure == nil, "\(result.reason)")
        #expect(names() == ["repository/a.ndb"])
        #expect(server.takeRequests().isEmpty)
    }
}
