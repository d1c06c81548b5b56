import Glibc
import JSON
import Platform
import TUF
import TUFRepository
import Testing

@Suite("A repository")
struct RepositoryTests {
    @Test("is good from its creation, with keys of every type", arguments: KeyType.allCases)
    func creation(type: KeyType) throws {
        let site = try Site()
        var plan = RepositoryPlan()
        plan.keyType = type
        try site.create(plan)
        #expect(try site.problems() == [])
        let (client, kept) = try site.client()
        #expect(client.targets.isEmpty)
        #expect(kept.keys.sorted() == ["lists.json", "root.json", "snapshot.json", "targets.json", "timestamp.json"])
        #expect(try Files.read("\(site.repositoryDirectory)/root.json") == site.metadata("1.root.json"))
        // Nobody else reads private keys.
        for name in try Files.names(in: site.keyDirectory) where name.hasSuffix(".pem") {
            var info = stat()
            #expect(stat("\(site.keyDirectory)/\(name)", &info) == 0)
            #expect(info.st_mode & 0o777 == 0o600)
        }
        #expect(throws: RepositoryError.self) { try site.create() }
    }

    @Test("is made again where an attempt was stopped")
    func creationInterrupted() throws {
        let site = try Site()
        try site.create()
        // Everything but the last step.
        try Files.remove("\(site.repositoryDirectory)/publish.json")
        try Files.remove("\(site.repositoryDirectory)/public/metadata")
        try Files.makeDirectory("\(site.repositoryDirectory)/staged")
        try Files.replace("\(site.repositoryDirectory)/staged/targets.json", with: Array("{".utf8))
        #expect(throws: RepositoryError.self) { try site.change { _ in } }
        try site.create()
        #expect(try site.problems() == [])
    }

    @Test("has exactly the files of its source after it was brought in line")
    func synchronizing() throws {
        let site = try Site()
        try site.create()
        _ = try site.write("signatures/a.ndb", "a")
        _ = try site.write("signatures/own/deep/b.ndb", "b")
        _ = try site.write("signatures/README.md", "no target")
        _ = try site.write("antispam/10.rules", "r")
        _ = try site.write("pcu/component.exe", "windows")
        try site.publish { _ = try $0.synchronize(with: site.source) }
        var (client, kept) = try site.client()
        #expect(
            client.targets.map(\.path)
                == ["antispam/10.rules", "pcu/component.exe", "signatures/a.ndb", "signatures/own/deep/b.ndb"])
        #expect(client.targets.map(\.role) == ["lists", "targets", "lists", "lists"])
        for target in client.targets { #expect(try target.kind().folder.isEmpty == false) }
        #expect(try client.targets.map { try site.content($0) } == ["r", "windows", "a", "b"].map { Array($0.utf8) })

        try Files.remove("\(site.source)/signatures/own")
        _ = try site.write("signatures/a.ndb", "changed")
        try site.publish { repository in
            let changes = try repository.synchronize(with: site.source)
            #expect(changes.added == ["signatures/a.ndb"])
            #expect(changes.removed == ["signatures/own/deep/b.ndb"])
        }
        (client, kept) = try site.client(kept: kept)
        #expect(client.targets.map(\.path) == ["antispam/10.rules", "pcu/component.exe", "signatures/a.ndb"])
        // Nothing changed: nothing is published.
        let report = try site.publish { _ = try $0.synchronize(with: site.source) }
        #expect(report.published.isEmpty)
        #expect(throws: RepositoryError.self) { try site.change { try $0.synchronize(with: site.directory) } }
    }

    @Test("publishes deltas, which make the new file of the old one, and takes them back")
    func deltas() throws {
        let site = try Site()
        try site.create()
        let lines = (0..<2_000).map { "Name.\($0):0:*:\(String(($0 &* 2_654_435_761) & 0xFFFF_FFFF, radix: 16))\n" }
        let versions = (0..<3).map { lines.joined() + String(repeating: "New.\($0):0:*:4142\n", count: $0) }
        for version in versions {
            _ = try site.write("signatures/daily.ndb", version)
            try site.publish { _ = try $0.synchronize(with: site.source) }
        }
        let (client, _) = try site.client()
        let deltas = try client.targets.filter { try $0.kind() == .delta }
        #expect(deltas.count == 3)
        let new = try #require(client.target("signatures/daily.ndb"))
        for (old, version) in versions.dropLast().enumerated() {
            let from = Hexadecimal.text(SHA2.sha256(Array(version.utf8)))
            let to = Hexadecimal.text(try #require(new.hashes.sha256))
            let delta = try #require(client.target("deltas/\(from)-\(to).zst"), "\(old)")
            #expect(delta.length < new.length / 4)
            #expect(try site.content(delta).starts(with: "ESDELTA1".utf8))
            #expect(delta.custom["path"]?.string == "signatures/daily.ndb")
        }
        let digits = Hexadecimal.text(try #require(new.hashes.sha256))
        let whole = try #require(client.target("deltas/\(Hexadecimal.text(SHA2.sha256([])))-\(digits).zst"))
        #expect(whole.length < new.length * 7 / 10 && whole.custom["path"]?.string == "signatures/daily.ndb")
        try site.publish { try $0.remove(["signatures/daily.ndb"]) }
        #expect(try site.client().client.targets.isEmpty)
        #expect(throws: RepositoryError.self) { try site.change { try $0.remove(["signatures/daily.ndb"]) } }
    }

    @Test("spreads lists over hash bins", arguments: [2, 16, 32])
    func bins(count: Int) throws {
        let site = try Site()
        var plan = RepositoryPlan()
        plan.bins = count
        try site.create(plan)
        for index in 0..<20 { _ = try site.write("signatures/\(index).ndb", "content \(index)") }
        try site.publish { _ = try $0.synchronize(with: site.source) }
        let (client, kept) = try site.client()
        #expect(client.targets.count == 20)
        #expect(client.targets.allSatisfy { $0.roles.count == 3 && $0.roles[1] == "lists" })
        #expect(Set(client.targets.map(\.role)).count > 1)
        #expect(kept.keys.filter { $0.hasPrefix("lists-") }.count == count)
        _ = try site.write("signatures/7.ndb", "changed")
        let report = try site.publish { _ = try $0.synchronize(with: site.source) }
        // One bin, and what names it.
        #expect(report.published.count == 3)
        try site.publish { _ = try $0.rotate("lists", .ed25519, keepsOld: false, encrypted: false) }
        #expect(try site.client(kept: kept).client.targets.count == 20)
        try site.publish { try $0.expire("lists", days: 7) }
        let states = try site.change { $0.check().roles }.filter { $0.name.hasPrefix("lists") }
        #expect(states.count == count + 1)
        #expect(states.allSatisfy { $0.expiresIn == 7 * Site.day })
    }

    @Test("never lets a delegated role bring a module")
    func modulesAreTopLevel() throws {
        let site = try Site()
        try site.create()
        let file = try site.write("em001_64.dat", "not even a module")
        for role in ["lists", nil] {
            #expect(throws: RepositoryError.self) {
                try site.change { try $0.add(file, as: "modules/em001_64.dat", .module, role: role) }
            }
        }
        try site.change { repository in
            let key = try repository.makeKey(.ed25519, for: "acme", encrypted: false).publicKey
            for kinds in [[.module], [.signatures, .module]] as [Set<TargetKind>] {
                #expect(throws: RepositoryError.self) {
                    try repository.delegate(DelegationPlan(name: "acme", keys: [key], paths: ["*/*"], kinds: kinds))
                }
            }
            #expect(throws: RepositoryError.self) { try repository.add(file, as: "signatures/x.ndb", .module) }
            #expect(throws: RepositoryError.self) { try repository.add(file, as: "signatures/../x", .signatures) }
            #expect(throws: RepositoryError.self) { try repository.add(file, as: "/signatures/x", .signatures) }
            #expect(throws: RepositoryError.self) { try repository.add(file, as: "signatures/%2e", .signatures) }
        }
        // Nothing of it is left.
        #expect(try site.problems() == [])
        #expect(try Files.names(in: "\(site.repositoryDirectory)/public/targets") == [])
    }

    @Test("removes what nobody needs, and keeps what somebody may be fetching")
    func pruning() throws {
        let site = try Site()
        try site.create()
        for version in 0..<6 {
            _ = try site.write("signatures/a.ndb", "version \(version)")
            try site.publish { _ = try $0.synchronize(with: site.source) }
        }
        func stored() throws -> Int {
            try Files.names(in: "\(site.repositoryDirectory)/public/targets/signatures").count
        }
        #expect(try stored() == 6)
        let (_, kept) = try site.client()
        #expect(try site.change { try $0.prune(keep: 100) }.files == 0)
        #expect(try site.change { try $0.prune(keep: 3) }.files == 4 + 4 + 3)
        #expect(try stored() == 3)
        #expect(try site.change { try $0.prune(keep: 0) }.files == 2 + 2 + 2)
        #expect(try stored() == 1)
        #expect(try site.problems() == [])
        #expect(try site.client(kept: kept).client.targets.count == 1)
        #expect(try site.client().client.targets.count == 1)
    }

    @Test("says what is wrong with what it serves")
    func problems() throws {
        let site = try Site()
        try site.create()
        _ = try site.write("signatures/a.ndb", "right")
        try site.publish { _ = try $0.synchronize(with: site.source) }
        let folder = "\(site.repositoryDirectory)/public/targets/signatures"
        let name = try #require(try Files.names(in: folder).first)
        try Files.replace("\(folder)/\(name)", with: Array("wrong".utf8))
        #expect(try site.problems().first?.contains("another hash") == true)
        try Files.remove("\(folder)/\(name)")
        #expect(try site.problems().count == 1)
        site.now += 40 * Site.day
        #expect(try site.problems().contains { $0.contains("expired") })
    }

    @Test("is changed by one at a time")
    func locking() throws {
        let site = try Site()
        try site.create()
        try site.change { _ in
            #expect(throws: RepositoryError.self) { try site.change { _ in } }
        }
        try site.change { _ in }
    }
}
