import CCrypto
import Glibc
import Platform
import Testing
import Updates

@testable import Upstreams

@Suite("Plain lists") struct ListTests {
    private let bench: Bench
    private let server: FolderServer
    private let content = Array("Test.One:0:*:6f6e65206f6e65206f6e65\n".utf8)

    init() throws {
        bench = try Bench()
        server = try FolderServer(["lists/a.ndb": content])
    }

    private func upstream(
        _ check: FetchPlan.Check, _ files: [String] = ["lists/a.ndb"], formats: [String]? = nil
    ) -> FetchPlan.Upstream {
        var upstream = bench.upstream("my", .list, [server])
        upstream.files = files
        upstream.check = check
        if let formats { upstream.formats = formats }
        return upstream
    }

    private func digest(_ bytes: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        _ = CCrypto_digest(CCRYPTO_SHA256, bytes, bytes.count, &digest)
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("a checksum beside the file, and only what changed") func beside() throws {
        server["lists/a.ndb.sha256"] = Array("\(digest(content))  a.ndb\n".utf8)
        let first = try bench.update(upstream(.beside))
        #expect(first.failure == nil, "\(first.reason)")
        let file = try #require(bench.state.upstreams["my"]?.files.first)
        #expect(file.name == "my/a.ndb" && file.role == .signatures)
        #expect(bench.content(file.path) == content)
        _ = server.takeRequests()
        #expect(try bench.update(upstream(.beside)).staged.isEmpty)
        #expect(server.takeRequests().map(\.path) == ["lists/a.ndb"])
        server["lists/a.ndb"] = content + content
        let wrong = try bench.update(upstream(.beside))
        #expect(wrong.failure == .download)
        #expect(bench.content(file.path) == content, "what was there stays")
        #expect(bench.state.upstreams["my"]?.files == [file])
    }

    @Test("a pinned file is fetched once, and never another one") func pinned() throws {
        let good = FetchPlan.Check.pinned([digest(content)])
        #expect(try bench.update(upstream(good)).failure == nil)
        _ = server.takeRequests()
        #expect(try bench.update(upstream(good)).failure == nil)
        #expect(server.takeRequests().isEmpty)
        let other = try bench.update(upstream(.pinned([digest([1])])))
        #expect(other.failure == .download)
    }

    @Test("a signature by a key") func key() throws {
        var seed = [UInt8](repeating: 0, count: 32)
        var key = [UInt8](repeating: 0, count: 32)
        #expect(CCrypto_ed25519_generate(&seed, &key) == 1)
        var signature = [UInt8](repeating: 0, count: 64)
        #expect(CCrypto_ed25519_sign(seed, content, content.count, &signature) == 1)
        let path = "\(bench.directory)/key.pub"
        let digits = key.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        try Files.replace(path, with: Array("\(digits)\n".utf8))
        #expect(try bench.update(upstream(.key(path))).failure == .download, "there is no signature")
        server["lists/a.ndb.sig"] = signature
        #expect(try bench.update(upstream(.key(path))).failure == nil)
        signature[5] ^= 1
        server["lists/a.ndb.sig"] = signature
        server["lists/a.ndb"] = content + [0x0a]
        #expect(try bench.update(upstream(.key(path))).failure == .download)
    }

    /// `gpg --export` of a key of 2020 that was thrown away, in base64, and its signature over `content`.
    private static let keyring =
        "mDMEXgvhABYJKwYBBAHaRw8BAQdARpm1OkcV5/4ktM1gGxuDH0avDkfZ9Vgr8IQO77CRpuu0F1Rlc3QgPHRlc3RAZXhhbXBs"
        + "ZS5vcmc+iJAEExYIADgWIQSRcx7NPq+HhujovRKlWNxhNa5lrQUCXgvhAAIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAK"
        + "CRClWNxhNa5lrdYgAP9O6h3/GFMIgIuXtNdZdPpwNuje6IwmPBVfjPPNfUpjPAEAih0/mhwMkBitF2Aygd99O9aF2pFjDT2K"
        + "UX1iG7UqDwE="
    private static let signature = """
        -----BEGIN PGP SIGNATURE-----

        iHUEABYIAB0WIQSRcx7NPq+HhujovRKlWNxhNa5lrQUCXgvhAAAKCRClWNxhNa5l
        rfPZAQCfsdTP4D80cV5hPNLPkzQNiLHnfsU76fKwy/Q4lTM6dAEA12LbTkoFBcwJ
        gkuxrmw0vAtR3cRWPTE548DOK9U8LAk=
        =BWRO
        -----END PGP SIGNATURE-----
        """

    @Test("an OpenPGP signature by a key of a keyring") func keyring() throws {
        let path = "\(bench.directory)/keys.gpg"
        let bytes = try #require(Base64.decode(Self.keyring))
        try Files.replace(path, with: bytes)
        let check = FetchPlan.Check.keyring(path)
        #expect(try bench.update(upstream(check)).reason.contains("no signature"))
        server["lists/a.ndb.asc"] = Array((Self.signature + "\n").utf8)
        let good = try bench.update(upstream(check))
        #expect(good.failure == nil, "\(good.reason)")
        server["lists/a.ndb"] = content + [0x0a]
        #expect(try bench.update(upstream(check)).reason.contains("is not right"))
        try Files.replace(path, with: [])
        server["lists/a.ndb"] = content + content
        #expect(try bench.update(upstream(check)).failure == .download)
    }

    @Test("the certificate of a server is none without https") func tls() throws {
        #expect(try bench.update(upstream(.tls)).failure == .download)
    }

    @Test(
        "a list never brings code, nor a format that it was not given",
        arguments: [
            ["lists/a.ndb=em001_64.dat"], ["lists/a.ndb=x.so"], ["lists/a.ndb=x.cvd"], ["lists/a.ndb=x.rules"],
            ["lists/a.ndb=x.hdb"], ["lists/a.ndb=../x.ndb"], ["lists/a.ndb=.x.ndb"],
        ]) func formats(_ files: [String]) throws
    {
        let result = try bench.update(upstream(.pinned([digest(content)]), files, formats: ["ndb"]))
        #expect(result.failure == .download)
        #expect(bench.state.upstreams["my"]?.files.isEmpty == true)
        #expect(!Files.exists("\(bench.mirror)/upstreams/my"))
    }

    @Test("names at the server and here") func names() {
        #expect(FileName("a/b.ndb") == FileName("a/b.ndb=b.ndb"))
        #expect(FileName("get?x=1=my.hdb").remote == "get?x=1")
        #expect(FileName("get?x=1=my.hdb").local == "my.hdb")
    }

    @Test("servers that ask for a rest get it, over updates") func rest() throws {
        server.refuse("lists/a.ndb", "429 Slow down\r\nRetry-After: 3600")
        let pinned = FetchPlan.Check.pinned([digest(content)])
        #expect(try bench.update(upstream(pinned)).failure == .download)
        #expect(bench.state.rests.count == 1)
        _ = server.takeRequests()
        server.refuse("lists/a.ndb", nil)
        #expect(try bench.update(upstream(pinned)).reason.contains("left alone until"))
        #expect(server.takeRequests().isEmpty)
        bench.now += 3601
        #expect(try bench.update(upstream(pinned)).failure == nil)
        #expect(bench.state.rests.isEmpty)
    }

    @Test("refused credentials are told apart") func credentials() throws {
        server.refuse("lists/a.ndb", "401 Who")
        #expect(try bench.update(upstream(.pinned([digest(content)]))).failure == .credentials)
    }

    @Test("from a folder that is a copy of a mirror") func offline() throws {
        let folder = "\(bench.directory)/stick"
        try Files.makeDirectory("\(folder)/upstreams/my")
        try Files.replace("\(folder)/upstreams/my/a.ndb", with: content)
        bench.plan.offline = folder
        #expect(try bench.update(upstream(.pinned([digest(content)]))).failure == nil)
        #expect(server.takeRequests().isEmpty)
        #expect(bench.content("upstreams/my/a.ndb") == content)
    }

    // MARK: Adoption: the process that fetched may have been taken over

    private func report(_ change: (inout FetchReport.Upstream) throws -> Void) throws -> UpdateError? {
        let upstream = upstream(.pinned([digest(content)]))
        var report = try bench.update(upstream, adopt: false)
        #expect(report.failure == nil)
        try change(&report)
        do throws(UpdateError) {
            _ = try Adoption(staging: bench.staging, mirror: bench.mirror, trusted: bench.trusted).adopt(
                report, of: upstream, before: nil, now: bench.now)
            return nil
        } catch {
            return error
        }
    }

    @Test("what a report says is checked") func adoption() throws {
        func refused(_ change: (inout FetchReport.Upstream) throws -> Void) throws -> Bool {
            try report(change) != nil
        }
        let isTaken = try !refused { _ in }
        #expect(isTaken)
        let path = "\(bench.staging)/upstreams/my/a.ndb"
        let outcomes = [
            try refused { $0.files[0].role = .module },
            try refused { $0.files[0].path = "upstreams/other/a.ndb" },
            try refused { $0.files[0].path = "modules/em001_64.dat" },
            try refused { $0.files[0].path = "upstreams/my/em001_64.dat" },
            try refused { $0.files[0].formats = ["dat"] },
            try refused { _ in try Files.replace(path, with: Array("changed".utf8)) },
            try refused { _ in
                unlink(path)
                #expect(symlink("/etc/passwd", path) == 0)
            },
        ]
        #expect(outcomes == [Bool](repeating: true, count: 7))
    }

    @Test(
        "names that lead out of a folder are no names",
        arguments: [
            "../x", "/x", "a//b", "a/./b", "a/../b", ".x", "a/.x", "a b", "a\u{0}b", "", "ü", "a\\b",
        ]) func unsafePaths(_ path: String)
    {
        #expect(!SafePath.isSafe(path))
    }

    @Test("files that nothing names any more go after a day") func pruning() throws {
        try bench.update(upstream(.pinned([digest(content)])))
        let old = "\(bench.mirror)/upstreams/my/old.ndb"
        try Files.replace(old, with: [1])
        let adoption = Adoption(staging: bench.staging, mirror: bench.mirror, trusted: bench.trusted)
        let real = Int64(Clock.realtime / 1_000_000_000)
        adoption.prune(bench.state, now: real)
        #expect(Files.exists(old))
        adoption.prune(bench.state, now: real + 90_000)
        #expect(!Files.exists(old))
        #expect(bench.content("upstreams/my/a.ndb") == content)
    }
}

@Suite("Channels of SpamAssassin") struct ChannelTests {
    private let bench: Bench
    private let server: FolderServer

    init() throws {
        bench = try Bench()
        server = try FolderServer(["VERSION": Array("1900001\n".utf8), "1900001.tar.gz": [1, 2, 3]])
        server["1900001.tar.gz.sha256"] = Array(
            "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81  x\n".utf8)
    }

    private func upstream(dns: String = "") -> FetchPlan.Upstream {
        var upstream = bench.upstream("sa", .spamassassin, [server])
        upstream.check = .beside
        upstream.dns = dns
        return upstream
    }

    @Test("by a record or a file that tells the version") func versions() throws {
        let first = try bench.update(upstream())
        #expect(first.failure == nil, "\(first.reason)")
        #expect(first.version == "1900001")
        #expect(bench.content("upstreams/sa/VERSION") == Array("1900001\n".utf8))
        #expect(bench.state.upstreams["sa"]?.files.first?.role == .antispam)
        _ = server.takeRequests()
        bench.surroundings.text = { $0 == "1.0.4.c.example" ? .text("1900001") : .none }
        #expect(try bench.update(upstream(dns: "1.0.4.c.example")).failure == nil)
        #expect(server.takeRequests().isEmpty, "the record says that nothing is new")
    }

    @Test("an older version is not taken, nor one that is none") func older() throws {
        try bench.update(upstream())
        server["VERSION"] = Array("1900000\n".utf8)
        #expect(try bench.update(upstream()).failure == .download)
        server["VERSION"] = Array("../x\n".utf8)
        #expect(try bench.update(upstream()).failure == .download)
        #expect(bench.state.upstreams["sa"]?.version == "1900001")
    }

    @Test("servers of a channel by its list") func servers() throws {
        #expect(
            ChannelUpstream.servers("# list\nhttp://a/ weight=1\nhttps://b/x weight=5\nfile:///etc\nhttp://c/\n")
                == ["https://b/x", "http://a/", "http://c/"])
        let list = "\(server.base)/MIRRORED.BY"
        server["MIRRORED.BY"] = Array("\(server.base) weight=1\n".utf8)
        bench.surroundings.text = { name in
            switch name {
            case "1.0.4.c.example": .text("1900001")
            case "mirrors.c.example": .text(list)
            default: .none
            }
        }
        var upstream = upstream(dns: "1.0.4.c.example")
        upstream.servers = []
        let result = try bench.update(upstream)
        #expect(result.failure == nil, "\(result.reason)")
    }
}

/// RFC 4648, for fixtures.
private enum Base64 {
    static func decode(_ text: String) -> [UInt8]? {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var bits: UInt32 = 0
        var count = 0
        var result: [UInt8] = []
        for byte in text.utf8 where byte != UInt8(ascii: "=") {
            guard let value = letters.firstIndex(of: byte) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return result
    }
}
