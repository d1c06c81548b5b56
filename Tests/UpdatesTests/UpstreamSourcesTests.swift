import CCrypto
import Generations
import Glibc
import JSON
import Platform
import Testing

@testable import Updates

/// Generations built from what upstreams brought.
final class UpstreamSourcesTests {
    private let directory = "/tmp/esets-sources-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    private let seed: [UInt8]
    private let trust: Trust
    private let store: GenerationStore
    private var state = SourceState()
    private var mirror: MirrorDirectory { MirrorDirectory("\(directory)/mirror", state: state) }

    init() throws {
        var seed = [UInt8](repeating: 0, count: 32)
        var key = [UInt8](repeating: 0, count: 32)
        #expect(CCrypto_ed25519_generate(&seed, &key) == 1)
        self.seed = seed
        trust = Trust(publishers: [], generationKey: key)
        store = GenerationStore(base: directory)
        for folder in ["modules", "signatures", "antispam"] { try Files.makeDirectory("\(directory)/mirror/\(folder)") }
    }

    deinit { try? Files.remove(directory) }

    /// Puts a file into the mirror as if an upstream had brought it.
    private func bring(_ name: String, _ content: [UInt8], _ role: SourceFile.Role, formats: [String] = []) throws {
        let path = "upstreams/\(name)"
        try Files.makeDirectory(Files.parent(of: "\(mirror.path)/\(path)"))
        try Files.replace("\(mirror.path)/\(path)", with: content)
        var digest = [UInt8](repeating: 0, count: 32)
        _ = CCrypto_digest(CCRYPTO_SHA256, content, content.count, &digest)
        var file = SourceFile(
            name: name, role: role, path: path, size: content.count, digest: hexadecimal(digest))
        file.formats = formats
        let upstream = String(name.prefix { $0 != "/" })
        var known = state.upstreams[upstream] ?? SourceState.Upstream(kind: .list)
        known.files.removeAll { $0.name == name }
        known.files.append(file)
        state.upstreams[upstream] = known
    }

    private var notes: [String] = []

    private func build(held: HeldContent? = nil) throws -> GenerationBuilder.Outcome {
        let mirror = mirror
        let builder = GenerationBuilder(store: store, mirror: mirror, trust: trust) {
            [unowned self] module, version, digest, path throws(UpdateError) in
            if module == "em002" {
                _ = try ModuleCompiler.compileSignatures(mirror, version: version, digest: digest, to: path)
            } else {
                notes = try ModuleCompiler.compileAntispam(mirror, version: version, digest: digest, to: path)
            }
        }
        let outcome = try builder.build(force: false, seed: seed, unless: held)
        if case .built(let number, _) = outcome { try store.activate(number) }
        return outcome
    }

    private func line(_ name: String) -> [UInt8] { Array("Test.\(name):0:*:6f6e65206f6e65206f6e65\n".utf8) }

    private func count() throws -> Int {
        let sources = SignatureSources(temporary: directory)
        for source in try mirror.sources(.signatures) {
            try sources.add(source.path, as: source.name, formats: source.formats)
        }
        #expect(try sources.unpack().isEmpty)
        return sources.files.count
    }

    @Test("what upstreams bring is compiled beside the administrator's files, and only again when it changed")
    func compiled() throws {
        try Files.replace("\(mirror.signatures)/own.ndb", with: line("Own"))
        try bring("lists/a.ndb", line("A"), .signatures)
        try bring("maps/evil.domains", Array("evil.example\n".utf8), .antispam)
        #expect(try mirror.sources(.signatures).map(\.name) == ["own.ndb", "lists/a.ndb"])
        #expect(try build() == .built(1, changed: ["em002", "em006"]))
        #expect(try build() == .current)
        try bring("lists/a.ndb", line("B"), .signatures)
        #expect(try build() == .built(2, changed: ["em002"]))
        // A source that is not configured any more.
        state.upstreams["lists"] = nil
        #expect(try build() == .built(3, changed: ["em002"]))
        #expect(notes.isEmpty)
    }

    @Test("what em006 is not compiled from is told") func unused() throws {
        try bring("sa/1900001.tar.gz", [1, 2, 3], .antispam)
        _ = try build()
        #expect(notes.count == 1 && notes.allSatisfy { $0.hasPrefix("sa/1900001.tar.gz: ") })
    }

    @Test("members of an archive by their endings") func archives() throws {
        // What `printf … > a.ndb; tar czf` and `zip` make, and gzip alone.
        let script = """
            cd \(directory) && mkdir -p in/sub && printf 'Test.A:0:*:6f6e65206f6e65206f6e65\\n' > in/a.ndb &&
            cp in/a.ndb in/sub/b.ndb && cp in/a.ndb in/c.hdb && cp in/a.ndb in/d.so && tar czf x.tar.gz in &&
            python3 -c "import shutil; shutil.make_archive('x', 'zip', 'in')" && gzip -k in/a.ndb
            """
        let child = try ChildProcess.spawn(
            "/bin/sh", arguments: ["sh", "-c", script], environment: ChildProcess.environment)
        #expect(try ChildProcess.wait(child) == .exited(0))
        let formats = ["gz", "ndb", "tar.gz", "zip"]
        for (name, path, members) in [
            ("x.tar.gz", "x.tar.gz", 2), ("x.zip", "x.zip", 2), ("a.ndb.gz", "in/a.ndb.gz", 1),
        ] {
            state = SourceState()
            try bring("lists/\(name)", Files.read("\(directory)/\(path)"), .signatures, formats: formats)
            #expect(try count() == members, "\(name)")
            var damaged = try Files.read("\(directory)/\(path)")
            damaged.removeLast(damaged.count / 2)
            try bring("lists/\(name)", damaged, .signatures, formats: formats)
            #expect(throws: UpdateError.self, "\(name)") { try build() }
        }
    }

    @Test("what was gone back from is not built again until it changes") func held() throws {
        try bring("lists/a.ndb", line("A"), .signatures)
        _ = try build()
        try bring("lists/a.ndb", line("B"), .signatures)
        _ = try build()
        let held = HeldContent(directory)
        try held.hold(ContentIdentity(installed: store.path(2)), reason: "generation 2, by hand\nor so")
        try store.activate(1)
        #expect(try build(held: held) == .held("generation 2, by hand or so"))
        #expect(store.current == 1)
        try bring("lists/a.ndb", line("C"), .signatures)
        #expect(try build(held: held) == .built(3, changed: ["em002"]))
        held.release()
        #expect(try build(held: held) == .current)
        // The daemon left it by itself.
        let left = BadGeneration(number: 3, time: 1, content: "c", reason: "it crashed")
        try store.activate(1)
        try store.markBad(left)
        #expect(try build(held: held) == .held("generation 3: it crashed"))
        try bring("lists/a.ndb", line("D"), .signatures)
        #expect(try build(held: held) == .built(4, changed: ["em002"]))
    }

    @Test("what killed updates left is removed, and nothing of others") func remains() throws {
        _ = try build()
        let gone = ["\(store.directory)/.staged-1-2", "\(directory)/esets-compile-999999999-5"]
        let kept = ["\(directory)/esets-compile-\(getpid())-5", "\(directory)/other", "\(store.directory)/1"]
        for path in gone + kept.prefix(2) { try Files.makeDirectory("\(path)/inside") }
        #expect(symlink("/etc", "\(directory)/esets-compile-999999998-1") == 0)
        Remains.remove(store, temporary: directory)
        #expect(gone.allSatisfy { !Files.exists($0) })
        #expect(kept.allSatisfy { Files.exists($0) })
        #expect(Files.exists("/etc/passwd"))
    }

    @Test("the state there and back, and damaged") func files() throws {
        let path = "\(directory)/data/sources.json"
        #expect(try SourceState.load(path) == SourceState())
        try bring("lists/a.ndb", line("A"), .signatures, formats: ["ndb"])
        state.upstreams["lists"]?.checked = 5
        state.upstreams["lists"]?.failure = "no \"answer\""
        state.rests = ["a.example:80": 7]
        try state.save(path)
        #expect(try SourceState.load(path) == state)
        for text in ["", "{", "[]", "{\"format\":2,\"upstreams\":{}}", "{\"format\":1,\"upstreams\":{\"../x\":{}}}"] {
            try Files.replace(path, with: Array(text.utf8))
            #expect(throws: UpdateError.self) { try SourceState.load(path) }
        }
    }

    @Test("files that the state cannot name", arguments: ["../etc/passwd", "/etc/passwd", "a/../../b", ".x", "a b"])
    func paths(_ path: String) {
        let json: JSONValue = [
            "name": "a/b", "role": "signatures", "path": .string(path), "size": 1,
            "sha256": .string(String(repeating: "0", count: 64)),
        ]
        #expect(SourceFile(json) == nil)
    }

    @Test func times() throws {
        let times = UpdateTimes(directory)
        times.attempted(100)
        times.attempted(200, updated: true)
        times.attempted(300)
        #expect(try Files.text("\(directory)/data.txt") == "InstallTime=100\nLastUpdate=200\nLastUpdateAttempt=300\n")
        #expect(UpdateTimes.text(1_795_262_400) == "2026-11-21 12:00 UTC")
    }

    @Test func versions() {
        #expect(VersionNumbers("1.9") < VersionNumbers("1.10"))
        #expect(VersionNumbers("1.10") < VersionNumbers("1.10.1"))
        #expect(VersionNumbers("") < VersionNumbers("1"))
        #expect(!(VersionNumbers("2026112101") < VersionNumbers("2026112100")))
    }
}
