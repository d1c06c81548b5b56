import JSON
import Testing

@testable import TUF

@Suite("Delegations")
struct DelegationTests {
    @Test("in a circle end, in a search and when all are loaded")
    func circles() throws {
        let simulator = Simulator()
        let a = simulator.delegate("a")
        let b = simulator.delegate("b", from: "a")
        simulator.delegate("a", from: "b", keys: a)
        simulator.delegate("b", from: "b", keys: b)
        simulator.add("x/y", "content", to: "b")
        simulator.publishAll()
        let (_, last) = try simulator.update(simulator.newClient(), find: "x/missing")
        #expect(last == .notFound)
        let (client, done) = try simulator.update(simulator.newClient(), all: true)
        #expect(done == .done)
        #expect(client.targets.map(\.path) == ["x/y"])
        #expect(client.targets.first?.roles == ["targets", "a", "b"])
        #expect(client.target("x/missing") == nil)
    }

    @Test("are asked depth first, in the order of trust; a terminating one ends the search")
    func order() throws {
        for isTerminating in [false, true] {
            let simulator = Simulator()
            simulator.delegate("a")
            simulator.delegate("b")
            simulator.delegate("c", from: "a", isTerminating: isTerminating)
            simulator.delegate("d", from: "a")
            simulator.publishAll()
            try simulator.update(simulator.newClient(), find: "x/y")
            let asked = simulator.requests.dropFirst(4).map { $0.dropFirst(2).dropLast(5) }
            #expect(asked == (isTerminating ? ["a", "c"] : ["a", "c", "d", "b"]))
        }
    }

    @Test("an earlier role's word counts before a later one's")
    func precedence() throws {
        let simulator = Simulator()
        simulator.delegate("first")
        simulator.delegate("second")
        simulator.add("x/y", "second", to: "second")
        simulator.add("x/y", "first!", to: "first")
        simulator.add("z", "not in its paths", to: "first")
        simulator.publishAll()
        let (client, last) = try simulator.update(simulator.newClient(), all: true, find: "x/y")
        let target = try #require(client.targets.first)
        #expect(last == .found(target))
        #expect(client.targets.count == 1)
        #expect(target.role == "first")
        try target.check(Array("first!".utf8))
    }

    @Test("no later role replaces one that cannot be used")
    func shadowing() throws {
        let simulator = Simulator()
        simulator.delegate("first")
        simulator.delegate("second")
        simulator.add("x/y", "real", to: "first")
        simulator.add("x/y", "false", to: "second")
        simulator.publishAll()
        simulator.files["1.first.json"] = nil
        let (client, _) = try simulator.update(simulator.newClient(), all: true)
        #expect(client.refused.map(\.error.kind) == [.missing])
        #expect(client.targets.isEmpty)
        #expect(client.accepted(role: "first") == nil)
        #expect(client.accepted(role: "second") == simulator.files["1.second.json"])
        #expect(simulator.failure(simulator.newClient(), find: "x/y")?.kind == .missing)
    }

    @Test("a role is checked by each who delegates to it")
    func diamond() throws {
        let simulator = Simulator()
        simulator.delegate("left", rule: .paths(["left/*"]))
        simulator.delegate("right", rule: .paths(["right/*"]))
        simulator.delegate("shared", from: "left", rule: .paths(["left/*"]))
        // The other one trusts another key.
        simulator.delegate("shared", from: "right", rule: .paths(["right/*"]))
        simulator.add("left/a", "good", to: "shared")
        simulator.add("right/a", "evil", to: "shared")
        simulator.publishAll()
        let disk = simulator.newClient()
        let (_, last) = try simulator.update(disk, find: "left/a")
        if case .found = last {} else { Issue.record("\(last)") }
        #expect(simulator.failure(disk, find: "right/a")?.kind == .signature)
        let (client, _) = try simulator.update(disk, all: true)
        #expect(client.targets.map(\.path) == ["left/a"])
        #expect(client.refused.map(\.delegator) == ["right"])
    }

    @Test("spread targets over bins by the hash of their paths", arguments: [1, 4, 8])
    func hashBins(bits: Int) throws {
        let simulator = Simulator()
        let key = TestKey()
        let digits = (bits + 3) / 4
        let count = 1 << bits
        for bin in 0..<count {
            let perBin = (1 << (4 * digits)) / count
            let prefixes = (0..<perBin).map { index in
                let text = String(bin * perBin + index, radix: 16)
                return String(repeating: "0", count: digits - text.count) + text
            }
            simulator.delegate("bin-\(bin)", rule: .hashPrefixes(prefixes), isTerminating: true, keys: [key])
        }
        for index in 0..<8 {
            let path = "signatures/\(index).ndb"
            let digest = SHA2.sha256(Array(path.utf8))
            let bin = (Int(digest[0]) << 8 | Int(digest[1])) >> (16 - bits)
            simulator.add(path, "content \(index)", to: "bin-\(bin)")
        }
        simulator.publishAll()
        simulator.requests = []
        let (client, last) = try simulator.update(simulator.newClient(), find: "signatures/3.ndb")
        guard case .found(let target) = last else {
            Issue.record("\(last)")
            return
        }
        try target.check(Array("content 3".utf8))
        #expect(simulator.requests.filter { $0.contains("bin-") }.count == 1)
        #expect(client.refused.isEmpty)
        let (all, _) = try simulator.update(simulator.newClient(), all: true)
        #expect(all.targets.count == 8)
    }

    @Test("have names that are good for files and addresses, whatever they are")
    func strangeNames() throws {
        for name in ["?", "#", "/role", "../role", "a b", "ä", ".", ".."] {
            let simulator = Simulator()
            simulator.delegate(name)
            simulator.publishAll()
            let disk = simulator.newClient()
            try simulator.update(disk, all: true)
            #expect(disk.files.count == 5)
            #expect(
                disk.files.keys.allSatisfy {
                    $0.utf8.allSatisfy { ($0 > 0x2F || $0 == 0x2E || $0 == 0x25 || $0 == 0x2D) && $0 < 0x7F }
                })
            #expect(disk.files.keys.allSatisfy { !$0.hasPrefix("..") || $0.hasSuffix(".json") })
        }
    }

    @Test("cannot have the name of a top-level role, none, or one without end")
    func forbiddenNames() {
        for name in ["root", "timestamp", "snapshot", "targets", "", String(repeating: "x", count: 300)] {
            let simulator = Simulator()
            simulator.roles["targets"]?.delegations = Delegations(
                roles: [
                    Delegation(
                        name: name, role: Role(keyIDs: [], threshold: 1), isTerminating: false, rule: .paths(["*"]))
                ])
            simulator.publish(["targets", "snapshot", "timestamp"])
            #expect(simulator.failure(simulator.newClient())?.kind == .malformed, "\(name)")
        }
    }

    @Test(
        "match paths as shells do, one component at a time",
        arguments: [
            ("*", "a", true), ("*", "a/b", false), ("a/*", "a/b", true), ("a/*", "a", false), ("a/*", "a/b/c", false),
            ("*.ndb", "x.ndb", true), ("*.ndb", "x.ldb", false), ("foo-?.tgz", "foo-1.tgz", true),
            ("foo-?.tgz", "foo-10.tgz", false), ("foo-?.tgz", "foo-ä.tgz", true), ("[abc]x", "bx", true),
            ("[abc]x", "dx", false), ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false), ("[!a-c]x", "dx", true),
            ("[]]x", "]x", true), ("[x", "[x", true), ("[x", "x", false), ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "aXXbYY", false), ("", "", true), ("*", "", true), ("**", "abc", true),
            ("README.md", "readme.md", false),
        ])
    func patterns(pattern: String, path: String, isMatch: Bool) {
        #expect(PathPattern.matches(pattern, path) == isMatch)
    }

    @Test("a pattern of many stars takes no time")
    func evilPattern() {
        let pattern = String(repeating: "a*", count: 200) + "b"
        #expect(!PathPattern.matches(pattern, String(repeating: "a", count: 800)))
    }

    @Test("hash bins in short are understood")
    func succinct() throws {
        let simulator = Simulator()
        let key = TestKey()
        let json: JSONValue = [
            "keys": .object([key.id: key.publicKey.json]),
            "succinct_roles": [
                "keyids": [.string(key.id)], "threshold": 1, "bit_length": 3, "name_prefix": "bin",
            ],
        ]
        simulator.roles["targets"]?.delegations = try Delegations(
            json, Envelope(Array(#"{"signed":{},"signatures":[]}"#.utf8), file: "x"))
        for bin in 0..<8 {
            simulator.roles["bin-\(bin)"] = Targets(common: Common(version: 0, expires: Simulator.now + 100))
            simulator.signers["bin-\(bin)"] = [key]
        }
        let digest = SHA2.sha256(Array("signatures/a.ndb".utf8))
        simulator.add("signatures/a.ndb", "content", to: "bin-\(digest[0] >> 5)")
        simulator.publishAll()
        let (client, _) = try simulator.update(simulator.newClient(), all: true)
        #expect(client.targets.map(\.path) == ["signatures/a.ndb"])
        #expect(client.refused.isEmpty)
    }
}
