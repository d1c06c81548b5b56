import JSON
import Testing

@testable import TUF

/// What whoever controls the server, the way to it, or some of the keys may try. Each is refused, says why, and leaves
/// what was trusted.
@Suite("An attack is refused")
struct AttackTests {
    // MARK: - Rollback

    @Test("an older timestamp")
    func timestampRollback() throws {
        let simulator = Simulator()
        let old = simulator.files["timestamp.json"]
        simulator.publish(["timestamp"])
        let disk = simulator.newClient()
        try simulator.update(disk)
        simulator.files["timestamp.json"] = old
        let error = try #require(simulator.failure(disk))
        #expect(error.kind == .rollback)
        #expect(error.description.contains("version 1 is older than version 2"))
        #expect(disk.version("timestamp") == 2)
    }

    @Test("a timestamp that names an older snapshot")
    func snapshotRollback() throws {
        let simulator = Simulator()
        let old = simulator.timestamp.snapshot
        simulator.publish(["snapshot", "timestamp"])
        let disk = simulator.newClient()
        try simulator.update(disk)
        simulator.timestamp.snapshot = old
        simulator.publish(["timestamp"])
        #expect(simulator.failure(disk)?.kind == .rollback)
        #expect(disk.version("timestamp") == 2)
        #expect(disk.version("snapshot") == 2)
    }

    @Test("a snapshot that names an older file of targets", arguments: [true, false])
    func targetsRollback(namesHashes: Bool) throws {
        let simulator = Simulator()
        simulator.namesHashes = namesHashes
        simulator.publish()
        let old = simulator.snapshot.files["targets.json"]
        simulator.publish(["targets", "snapshot", "timestamp"])
        let disk = simulator.newClient()
        try simulator.update(disk)
        simulator.snapshot.files["targets.json"] = old
        simulator.publish(["snapshot", "timestamp"])
        #expect(simulator.failure(disk)?.kind == .rollback)
        #expect(disk.version("targets") == 3)
        #expect(disk.version("snapshot") == 3)
    }

    @Test("a snapshot that names an older delegated file, or forgets it")
    func delegatedRollback() throws {
        let simulator = Simulator()
        simulator.delegate("lists")
        simulator.publishAll()
        let old = simulator.snapshot.files["lists.json"]
        simulator.publish(["lists", "snapshot", "timestamp"])
        let disk = simulator.newClient()
        try simulator.update(disk, all: true)
        for facts in [old, nil] {
            simulator.snapshot.files["lists.json"] = facts
            simulator.publish(["snapshot", "timestamp"])
            #expect(simulator.failure(disk, all: true)?.kind == .rollback)
            #expect(disk.version("lists") == 2)
        }
    }

    @Test("an older root in the place of a new one")
    func rootRollback() throws {
        let simulator = Simulator()
        simulator.publish(["root"])
        let disk = simulator.newClient()
        try simulator.update(disk)
        simulator.files["3.root.json"] = simulator.files["1.root.json"]
        let error = try #require(simulator.failure(disk))
        #expect(error.kind == .rollback)
        #expect(disk.version("root") == 2)
    }

    @Test("a root that skips a version")
    func rootGap() throws {
        let simulator = Simulator()
        let disk = simulator.newClient()
        simulator.root.common.version += 1
        simulator.publish(["root"])
        simulator.files["2.root.json"] = simulator.files["3.root.json"]
        #expect(simulator.failure(disk)?.kind == .version)
        #expect(disk.version("root") == 1)
    }

    // MARK: - Freeze

    @Test("the same old files for ever", arguments: ["root", "timestamp", "snapshot", "targets"])
    func freeze(role: String) throws {
        let simulator = Simulator()
        let soon = Simulator.now + Simulator.day
        switch role {
        case "root": simulator.root.common.expires = soon
        case "timestamp": simulator.timestamp.common.expires = soon
        case "snapshot": simulator.snapshot.common.expires = soon
        default: simulator.roles["targets"]?.common.expires = soon
        }
        simulator.publish()
        let disk = simulator.newClient()
        try simulator.update(disk, now: soon - 1)
        let error = try #require(simulator.failure(disk, now: soon))
        #expect(error.kind == .expired)
        #expect(error.subject.contains(role))
        #expect(error.reason.contains(MetadataTime.text(soon)))
    }

    @Test("an expired delegated role ends what it brings, and nothing else")
    func delegatedFreeze() throws {
        let simulator = Simulator()
        simulator.delegate("lists", rule: .paths(["signatures/*"]))
        simulator.roles["lists"]?.common.expires = Simulator.now
        simulator.add("signatures/a.ndb", "a", to: "lists")
        simulator.add("modules/em001_64.dat", "m")
        simulator.publishAll()
        let (client, _) = try simulator.update(simulator.newClient(), all: true)
        #expect(client.refused.map(\.role) == ["lists"])
        #expect(client.refused.first?.error.kind == .expired)
        #expect(client.targets.map(\.path) == ["modules/em001_64.dat"])
        #expect(simulator.failure(simulator.newClient(), find: "signatures/a.ndb")?.kind == .expired)
    }

    @Test("an expired timestamp on the disk still guards against older ones")
    func expiredButKnown() throws {
        let simulator = Simulator()
        let old = simulator.files["timestamp.json"]
        simulator.timestamp.common.expires = Simulator.now + 10
        simulator.publish(["timestamp"])
        let disk = simulator.newClient()
        try simulator.update(disk)
        simulator.files["timestamp.json"] = old
        #expect(simulator.failure(disk, now: Simulator.now + 20)?.kind == .rollback)
        simulator.timestamp.common.expires = Simulator.now + 30 * Simulator.day
        simulator.publish(["timestamp"])
        try simulator.update(disk, now: Simulator.now + 20)
    }

    // MARK: - Mix-and-match

    @Test("a snapshot of another state", arguments: [true, false])
    func mixedSnapshot(namesHashes: Bool) throws {
        let simulator = Simulator()
        simulator.namesHashes = namesHashes
        simulator.publish()
        let old = simulator.files["2.snapshot.json"]
        simulator.publish(["targets", "snapshot", "timestamp"])
        simulator.files["3.snapshot.json"] = old
        let error = simulator.failure(simulator.newClient())
        #expect(error?.kind == (namesHashes ? .content : .version))
    }

    @Test("targets of another state", arguments: [true, false])
    func mixedTargets(namesHashes: Bool) throws {
        let simulator = Simulator()
        simulator.namesHashes = namesHashes
        simulator.publish()
        let old = simulator.files["2.targets.json"]
        simulator.publish(["targets", "snapshot", "timestamp"])
        simulator.files["3.targets.json"] = old
        let error = simulator.failure(simulator.newClient())
        #expect(error?.kind == (namesHashes ? .content : .version))
    }

    @Test("a file of another role with the same signers")
    func otherType() throws {
        let simulator = Simulator()
        simulator.namesHashes = false
        let key = TestKey()
        for role in Root.roleNames { simulator.setKeys(role, [key]) }
        simulator.root.common.version = 0
        simulator.publish()
        let disk = simulator.newClient()
        for (place, other) in [("timestamp.json", "2.snapshot.json"), ("2.snapshot.json", "2.targets.json")] {
            let right = simulator.files[place]
            simulator.files[place] = simulator.files[other]
            let error = try #require(simulator.failure(disk))
            #expect(error.kind == .malformed)
            #expect(error.reason.contains("type"))
            simulator.files[place] = right
        }
    }

    @Test("a delegated file in the place of another one")
    func otherDelegated() throws {
        let simulator = Simulator()
        simulator.namesHashes = false
        let key = TestKey()
        simulator.delegate("trusted", rule: .paths(["signatures/own/*"]), keys: [key])
        simulator.delegate("other", rule: .paths(["signatures/other/*"]))
        simulator.add("signatures/own/a.ndb", "evil", to: "other")
        simulator.publishAll()
        simulator.files["1.trusted.json"] = simulator.files["1.other.json"]
        let (client, _) = try simulator.update(simulator.newClient(), all: true)
        #expect(client.refused.map(\.role) == ["trusted"])
        #expect(client.targets.isEmpty)
    }

    // MARK: - Fast-forward

    @Test("versions that an attacker set as high as can be, after new keys", arguments: ["timestamp", "snapshot"])
    func fastForwardRecovery(role: String) throws {
        let simulator = Simulator()
        if role == "timestamp" {
            simulator.timestamp.common.version = Int64.max - 2
        } else {
            simulator.snapshot.common.version = Int64.max - 2
            simulator.publish(["snapshot"])
        }
        simulator.publish(["timestamp"])
        let disk = simulator.newClient()
        try simulator.update(disk)
        // Without new keys there is no way back.
        simulator.timestamp.common.version = 5
        simulator.snapshot.common.version = 5
        simulator.publish(["snapshot", "timestamp"])
        #expect(simulator.failure(disk)?.kind == .rollback)
        // New keys for both, as whoever recovers does.
        simulator.setKeys("timestamp", [TestKey()])
        simulator.setKeys("snapshot", [TestKey()])
        simulator.publish(["root", "snapshot", "timestamp"])
        try simulator.update(disk)
        #expect(disk.version("timestamp") == 7)
        #expect(disk.version("snapshot") == 7)
    }

    @Test("new keys are not forgotten when the power fails before the old files are removed")
    func recoveryAfterPowerFailure() throws {
        let simulator = Simulator()
        simulator.timestamp.common.version = 1_000
        // A second key stays, so that the old file is still well signed.
        let staying = TestKey()
        simulator.setKeys("timestamp", [staying, TestKey()])
        simulator.publish(["root", "timestamp"])
        let disk = simulator.newClient()
        try simulator.update(disk)
        simulator.setKeys("timestamp", [staying, TestKey()])
        simulator.timestamp.common.version = 1
        simulator.publish(["root", "timestamp"])
        var client = try TUFClient(trusted: TrustedMetadata(files: disk.files), now: Simulator.now)
        _ = try client.next()
        try client.received(simulator.files["3.root.json"]!)
        let changes = client.takeKept()
        // In whatever place the power fails: the old timestamp is gone before the new root is there.
        #expect(changes.first == .remove(name: "timestamp.json"))
        #expect(changes.last == .write(name: "root.json", bytes: simulator.files["3.root.json"]!))
    }

    @Test("versions beyond 64 bits")
    func hugeVersion() throws {
        let simulator = Simulator()
        guard case .object(var members) = simulator.timestamp.json else { return }
        members["version"] = .number(1e300)
        simulator.put("timestamp.json", .object(members), simulator.signers["timestamp"]!)
        #expect(simulator.failure(simulator.newClient())?.kind == .malformed)
    }

    // MARK: - Data without end

    @Test("files that are longer than they may be", arguments: ["2.root.json", "timestamp.json", "2.snapshot.json"])
    func endlessData(file: String) throws {
        let simulator = Simulator()
        simulator.publish(["targets", "snapshot", "timestamp"])
        let disk = simulator.newClient()
        var client = try TUFClient(trusted: TrustedMetadata(files: disk.files), now: Simulator.now)
        while case .fetch(let path, let limit) = try client.next() {
            if path == file {
                #expect(limit <= 2_000_000)
                let error = #expect(throws: TUFError.self) {
                    try client.received([UInt8](repeating: 0x20, count: limit + 1))
                }
                #expect(error?.kind == .tooLong)
                // It is over: nothing is asked for any more.
                #expect(throws: TUFError.self) { try client.next() }
                return
            }
            if let bytes = simulator.files[path] { try client.received(bytes) } else { try client.notFound() }
        }
        Issue.record("\(file) was not asked for")
    }

    @Test("a signed length beyond all limits does not raise them")
    func endlessSigned() throws {
        let simulator = Simulator()
        simulator.timestamp.snapshot.length = 1 << 40
        simulator.publish(["timestamp"])
        var client = try TUFClient(
            trusted: TrustedMetadata(files: simulator.newClient().files), now: Simulator.now)
        while case .fetch(let path, let limit) = try client.next() {
            #expect(limit <= 2_000_000)
            if path == "1.snapshot.json" { return }
            if let bytes = simulator.files[path] { try client.received(bytes) } else { try client.notFound() }
        }
    }

    @Test("new roots without end, a few at a time")
    func endlessRoots() throws {
        let simulator = Simulator()
        let disk = simulator.newClient()
        for _ in 0..<12 { simulator.publish(["root"]) }
        var limits = TUFLimits()
        limits.rotations = 5
        for expected in [6, 11] as [Int64] {
            let error = #expect(throws: TUFError.self) { try simulator.update(disk, limits: limits) }
            #expect(error?.kind == .limit)
            #expect(disk.version("root") == expected)
        }
        try simulator.update(disk, limits: limits)
        #expect(disk.version("root") == 13)
    }

    @Test("delegated roles without end")
    func endlessRoles() throws {
        let simulator = Simulator()
        for index in 0..<20 { simulator.delegate("role\(index)") }
        simulator.publishAll()
        var limits = TUFLimits()
        limits.roles = 8
        let (client, _) = try simulator.update(simulator.newClient(), all: true, limits: limits)
        #expect(client.refused.count == 13)
        #expect(client.refused.allSatisfy { $0.error.kind == .limit })
        limits.visits = 5
        limits.roles = 100
        let (_, last) = try simulator.update(simulator.newClient(), find: "a/b", limits: limits)
        #expect(last == .notFound)
        #expect(simulator.requests.filter { $0.contains("role") }.count == 7 + 4)
    }

    // MARK: - JSON

    @Test("nesting without end", arguments: [30, 100_000])
    func hugeNesting(depth: Int) {
        let simulator = Simulator()
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested =
                String(repeating: open, count: depth) + (open == "[" ? "" : "1")
                + String(repeating: close, count: depth)
            simulator.files["2.root.json"] = Array("{\"signed\":\(nested),\"signatures\":[]}".utf8)
            let error = simulator.failure(simulator.newClient())
            #expect(error?.kind == .malformed || error?.kind == .tooLong)
            #expect(error?.reason.contains("nested") == true || depth > 30)
        }
    }

    @Test(
        "JSON that readers could understand in two ways",
        arguments: [
            #"{"signed":{},"signed":{},"signatures":[]}"#, #"{"signed":{"a":1.5},"signatures":[]}"#,
            #"{"signed":[],"signatures":[]}"#, #"{"signed":{},"signatures":{}}"#, #"[]"#, "", "{",
            "{\"signed\":{},\"signatures\":[]}x", #"{"signed":{},"signatures":[{"keyid":1,"sig":""}]}"#,
            #"{"signed":{"\ud800":1},"signatures":[]}"#, "\u{FEFF}{\"signed\":{},\"signatures\":[]}",
        ])
    func ambiguousJSON(text: String) {
        let simulator = Simulator()
        simulator.files["2.root.json"] = Array(text.utf8)
        #expect(simulator.failure(simulator.newClient())?.kind == .malformed)
    }

    @Test("two signatures of one key")
    func twoSignatures() {
        let simulator = Simulator()
        let key = simulator.signers["timestamp"]![0]
        simulator.put("timestamp.json", simulator.timestamp.json, [key, key])
        #expect(simulator.failure(simulator.newClient())?.kind == .malformed)
    }

    // MARK: - Keys

    @Test("a stolen timestamp key brings no new content, and withholds news only until it expires")
    func stolenTimestampKey() throws {
        let simulator = Simulator()
        simulator.add("signatures/a.ndb", "good")
        simulator.publish(["targets", "snapshot", "timestamp"])
        let disk = simulator.newClient()
        try simulator.update(disk)
        // The thief signs timestamps, and has no other key.
        let thief = simulator.signers["timestamp"]!
        let evil = Simulator()
        evil.signers["timestamp"] = thief
        evil.add("signatures/a.ndb", "evil")
        evil.snapshot.common.version = 9
        evil.publish(["targets", "snapshot", "timestamp"])
        evil.timestamp.common.version = 9
        evil.publish(["timestamp"])
        simulator.files["timestamp.json"] = evil.files["timestamp.json"]
        simulator.files["10.snapshot.json"] = evil.files["10.snapshot.json"]
        #expect(simulator.failure(disk)?.kind == .signature)
        #expect(disk.version("snapshot") == 2)
        // The owner gives the role a new key: what the thief did is forgotten.
        simulator.setKeys("timestamp", [TestKey()])
        simulator.publish(["root", "timestamp"])
        let (client, _) = try simulator.update(disk)
        #expect(client.targets.count == 1)
        // The thief's key counts no more.
        simulator.files["timestamp.json"] = evil.files["timestamp.json"]
        #expect(simulator.failure(disk)?.kind == .signature)
    }

    @Test("keys that change during an update: it fails, and the next one succeeds")
    func rotationDuringUpdate() throws {
        let simulator = Simulator()
        let disk = simulator.newClient()
        try simulator.update(disk)
        let before = disk.files
        simulator.publish(["targets", "snapshot"])
        let error = #expect(throws: TUFError.self) {
            try simulator.update(disk) { file in
                // The client has heard that there is no newer root when the keys change.
                guard file == "timestamp.json", simulator.root.common.version == 1 else { return }
                simulator.setKeys("timestamp", [TestKey()])
                simulator.setKeys("snapshot", [TestKey()])
                simulator.publish(["root", "snapshot", "timestamp"])
            }
        }
        #expect(error?.kind == .signature)
        #expect(disk.files == before)
        try simulator.update(disk)
        #expect(disk.version("targets") == 2)
    }

    @Test("a root that the old keys did not sign, or its own did not")
    func unauthorizedRoot() {
        for keepsOld in [true, false] {
            let simulator = Simulator()
            let disk = simulator.newClient()
            let old = simulator.signers["root"]!
            simulator.setKeys("root", [TestKey()])
            if keepsOld { simulator.signers["root"] = old }
            simulator.publish(["root"])
            #expect(simulator.failure(disk)?.kind == .signature)
            #expect(disk.version("root") == 1)
        }
    }

    @Test("files with one byte changed, wherever")
    func changedByte() throws {
        let simulator = Simulator()
        simulator.namesHashes = false
        simulator.add("signatures/a.ndb", "content", kind: "signatures")
        simulator.publish()
        let disk = simulator.newClient()
        for name in ["timestamp.json", "2.snapshot.json", "2.targets.json"] {
            let right = simulator.files[name]!
            for index in stride(from: 0, to: right.count, by: 7) {
                var bytes = right
                bytes[index] ^= 0x01
                simulator.files[name] = bytes
                // Digits of signatures may change their case, and blanks do not count.
                if bytes[index] | 0x20 == right[index] | 0x20 { continue }
                #expect(simulator.failure(Simulator.Disk(root: disk.files["root.json"]!)) != nil, "\(name) \(index)")
            }
            simulator.files[name] = right
        }
    }
}
