import Glibc
import JSON
import Platform
import TUF
import TUFRepository
import Testing

@Suite("Signing a repository")
struct SigningTests {
    @Test("a refresh keeps it from expiring, with the online keys alone")
    func refresh() throws {
        let site = try Site()
        try site.create()
        _ = try site.write("signatures/a.ndb", "a")
        try site.publish { _ = try $0.synchronize(with: site.source) }
        let (_, kept) = try site.client()
        // The offline keys are elsewhere.
        try Files.makeDirectory("\(site.directory)/online")
        for name in try Files.names(in: site.keyDirectory) where !name.hasPrefix("root") && !name.hasPrefix("targets") {
            #expect(rename("\(site.keyDirectory)/\(name)", "\(site.directory)/online/\(name)") == 0)
        }
        let online = try site.ring(["\(site.directory)/online"])
        for _ in 0..<18 {
            site.now += 2 * Site.day
            #expect(try site.change(keys: online) { try $0.refresh() }.waiting.isEmpty)
            _ = try site.client(kept: kept)
        }
        site.now += 4 * Site.day
        #expect(throws: TUFError.self) { try site.client(kept: kept) }
        #expect(try site.change(keys: online) { try $0.refresh() }.waiting.isEmpty)
        _ = try site.client(kept: kept)
        // The targets role is the first whose time ends: its key is needed.
        site.now = 1_800_000_000 + 181 * Site.day
        _ = try site.change(keys: online) { try $0.refresh() }
        #expect(throws: TUFError.self) { try site.client(kept: kept) }
        let all = try site.ring([site.keyDirectory, "\(site.directory)/online"])
        #expect(try site.change(keys: all) { try $0.refresh() }.published.contains { $0.role == "targets" })
        _ = try site.client(kept: kept)
    }

    @Test("every role gets a new key, and clients of any age follow")
    func rotation() throws {
        let site = try Site()
        try site.create()
        _ = try site.write("signatures/a.ndb", "a")
        try site.publish { _ = try $0.synchronize(with: site.source) }
        let (_, kept) = try site.client()
        for (role, type) in zip(
            ["timestamp", "snapshot", "targets", "lists", "root", "root"],
            [.ecdsa, .rsa, .ed25519, .ecdsa, .rsa, .ed25519] as [KeyType])
        {
            let report = try site.publish {
                _ = try $0.rotate(role, type, keepsOld: false, encrypted: false)
            }
            #expect(report.waiting.isEmpty)
            #expect(try site.problems() == [], "\(role)")
            #expect(try site.client(kept: kept).client.targets.count == 1)
            #expect(try site.client().client.targets.count == 1)
        }
        #expect(throws: RepositoryError.self) {
            try site.change { try $0.rotate("nobody", .ed25519, keepsOld: false, encrypted: false) }
        }
    }

    @Test("waits until as many keys signed as are needed, each in its own place")
    func thresholds() throws {
        let site = try Site()
        var plan = RepositoryPlan()
        plan.rootKeys = 3
        plan.rootThreshold = 2
        plan.targetsKeys = 2
        plan.targetsThreshold = 2
        try site.create(plan)
        _ = try site.client()
        // Each offline key goes to its owner.
        var owners: [String] = []
        for name in try Files.names(in: site.keyDirectory) where name.hasPrefix("root") || name.hasPrefix("targets") {
            let stem = String(name.dropLast(4))
            let owner = "\(site.directory)/\(stem)"
            try Files.makeDirectory(owner)
            #expect(rename("\(site.keyDirectory)/\(name)", "\(owner)/\(name)") == 0)
            if !owners.contains(owner) { owners.append(owner) }
        }
        let roots = owners.filter { $0.contains("/root") }
        let targets = owners.filter { $0.contains("/targets") }
        #expect(roots.count == 3)
        #expect(targets.count == 2)

        _ = try site.write("pcu/component.exe", "windows")
        var report = try site.publish { _ = try $0.synchronize(with: site.source) }
        #expect(report.published.isEmpty)
        #expect(report.waiting.map(\.role) == ["targets"])
        #expect(report.waiting.map(\.signatures) == [0])
        report = try site.publish(keys: site.ring([targets[0]]))
        #expect(report.waiting.map(\.signatures) == [1])
        #expect(try site.client().client.targets.isEmpty)
        report = try site.publish(keys: site.ring([targets[1]]))
        // Complete, but snapshot and timestamp are signed elsewhere.
        #expect(report.waiting.map(\.role) == ["snapshot"])
        report = try site.publish()
        #expect(report.published.map(\.role) == ["targets", "snapshot", "timestamp"])
        #expect(try site.client().client.targets.count == 1)

        // A new root key: two of the old ones, and two of the new ones, must sign.
        report = try site.publish {
            _ = try $0.rotate("root", .ecdsa, keepsOld: false, replaced: nil, encrypted: false, threshold: 1)
        }
        #expect(report.waiting.map(\.role) == ["root"])
        report = try site.publish(keys: site.ring([roots[0]]))
        #expect(report.waiting.map(\.role) == ["root"])
        report = try site.publish(keys: site.ring([roots[2]]))
        #expect(report.published.map(\.role) == ["root"])
        #expect(try site.client().client.root.common.version == 2)
        #expect(try site.problems() == [])
    }

    @Test("somebody else's key signs what is delegated to it")
    func delegation() throws {
        let site = try Site()
        try site.create()
        // The other party makes a key, and hands over its public half.
        let other = try Site()
        try other.create()
        let theirs = try other.change { try $0.makeKey(.ecdsa, for: "acme", encrypted: false).keyID }
        let path = try #require(try other.ring().path(theirs))
        let publicKey = try KeyRing.readPublic("\(path.dropLast(4)).pub")
        var report = try site.publish {
            try $0.delegate(
                DelegationPlan(name: "acme", keys: [publicKey], paths: ["signatures/acme/*"], kinds: [.signatures]))
        }
        #expect(report.waiting.map(\.role) == ["acme"])
        let file = try site.write("list.ndb", "list")
        for (path, kind) in [("signatures/other/x.ndb", TargetKind.signatures), ("antispam/acme/x", .antispam)] {
            #expect(throws: RepositoryError.self) { try site.change { try $0.add(file, as: path, kind, role: "acme") } }
        }
        report = try site.publish { _ = try $0.add(file, as: "signatures/acme/x.ndb", .signatures, role: "acme") }
        #expect(report.waiting.map(\.role) == ["acme"])
        report = try site.publish(keys: try site.ring([other.keyDirectory, site.keyDirectory]))
        #expect(report.waiting.isEmpty)
        let (client, kept) = try site.client()
        #expect(client.targets.map(\.role) == ["acme"])
        _ = try site.write("signatures/own.ndb", "own")
        // Bringing one's own folder in line leaves what others brought.
        try site.publish { _ = try $0.synchronize(with: site.source) }
        #expect(try site.client().client.targets.count == 2)
        try site.publish { try $0.undelegate("acme") }
        #expect(try site.client(kept: kept).client.targets.map(\.path) == ["signatures/own.ndb"])
        #expect(try site.problems() == [])
    }

    @Test("encrypted keys need their passphrase, and only when they sign")
    func passphrases() throws {
        let site = try Site()
        var plan = RepositoryPlan()
        plan.encrypts = true
        #expect(throws: RepositoryError.self) { try site.create(plan) }
        try Files.remove(site.repositoryDirectory)
        try Files.remove(site.keyDirectory)
        try site.create(plan, passphrase: "correct horse")
        // The online keys are not encrypted.
        _ = try site.write("signatures/a.ndb", "a")
        #expect(try site.publish { _ = try $0.synchronize(with: site.source) }.waiting.isEmpty)
        _ = try site.write("pcu/component.exe", "windows")
        for wrong in [nil, "", "wrong"] {
            #expect(throws: RepositoryError.self) {
                try site.publish(keys: try site.ring(passphrase: wrong)) { _ = try $0.synchronize(with: site.source) }
            }
            #expect(try site.client().client.targets.count == 1)
        }
        try site.publish(keys: try site.ring(passphrase: "correct horse")) {
            _ = try $0.synchronize(with: site.source)
        }
        #expect(try site.client().client.targets.count == 2)
    }

    @Test("what a stopped program left is finished by the next one")
    func interrupted() throws {
        let site = try Site()
        try site.create()
        _ = try site.write("signatures/a.ndb", "a")
        let staged = "\(site.repositoryDirectory)/staged/lists.json"
        // Stopped after signing, before publishing.
        let report = try site.publish(keys: try site.ring([])) { _ = try $0.synchronize(with: site.source) }
        #expect(report.waiting.map(\.role) == ["lists"])
        #expect(Files.exists(staged))
        #expect(try site.publish().waiting.isEmpty)
        #expect(!Files.exists(staged))
        // Stopped after publishing, before removing what was staged.
        try Files.replace(staged, with: try site.metadata("2.lists.json"))
        #expect(try site.publish().published.isEmpty)
        #expect(!Files.exists(staged))
        // Stopped before the timestamp: newer files that nobody names yet.
        try Files.replace("\(site.repositoryDirectory)/public/metadata/3.lists.json", with: [1, 2, 3])
        _ = try site.write("signatures/a.ndb", "changed")
        try site.publish { _ = try $0.synchronize(with: site.source) }
        #expect(try site.client().client.targets.count == 1)
        #expect(try site.problems() == [])
    }

    @Test("files of a role count for as many days as is set")
    func periods() throws {
        let site = try Site()
        try site.create()
        for (role, days) in [("root", 10), ("targets", 20), ("lists", 5), ("snapshot", 6), ("timestamp", 1)] {
            try site.change { repository in
                try repository.expire(role, days: days)
                _ = try repository.publish(forcing: ["snapshot", "timestamp"])
            }
        }
        let roles = try site.change { $0.check().roles }
        let left = Dictionary(uniqueKeysWithValues: roles.map { ($0.name, $0.expiresIn / Site.day) })
        #expect(left == ["root": 10, "targets": 20, "lists": 5, "snapshot": 6, "timestamp": 1])
        #expect(throws: RepositoryError.self) { try site.change { try $0.expire("nobody", days: 1) } }
    }
}
