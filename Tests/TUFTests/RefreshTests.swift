import CKeys
import JSON
import Testing

@testable import TUF

@Suite("An update of metadata")
struct RefreshTests {
    @Test("asks for root, timestamp, snapshot and targets, and keeps each")
    func order() throws {
        let simulator = Simulator()
        let disk = simulator.newClient()
        let (client, last) = try simulator.update(disk)
        #expect(last == .done)
        #expect(simulator.requests == ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"])
        #expect(disk.files.keys.sorted() == ["root.json", "snapshot.json", "targets.json", "timestamp.json"])
        #expect(disk.files["targets.json"] == simulator.files["1.targets.json"])
        #expect(client.targets.isEmpty)
    }

    @Test("asks for no more than root and timestamp when nothing is new")
    func nothingNew() throws {
        let simulator = Simulator()
        let disk = simulator.newClient()
        try simulator.update(disk)
        simulator.requests = []
        try simulator.update(disk)
        #expect(simulator.requests == ["2.root.json", "timestamp.json"])
    }

    @Test("uses names without versions where snapshots are not consistent")
    func inconsistent() throws {
        let simulator = Simulator()
        simulator.root.consistentSnapshot = false
        simulator.files = simulator.files.filter { $0.key.hasSuffix("root.json") }
        simulator.add("signatures/a.ndb", "content")
        simulator.publish()
        let (client, _) = try simulator.update(simulator.newClient())
        #expect(simulator.requests == ["3.root.json", "timestamp.json", "snapshot.json", "targets.json"])
        #expect(client.targets.map(\.location) == ["signatures/a.ndb"])
    }

    @Test("goes through every root in between, each signed by the one before", arguments: [1, 5, 40])
    func rootChain(count: Int) throws {
        let simulator = Simulator()
        let disk = simulator.newClient()
        for _ in 0..<count {
            let old = simulator.signers["root"]!
            simulator.setKeys("root", [TestKey()])
            let own = simulator.signers["root"]!
            simulator.signers["root"] = old + own
            simulator.publish(["root"])
            simulator.signers["root"] = own
        }
        try simulator.update(disk)
        #expect(disk.version("root") == Int64(count + 1))
    }

    @Test("reads keys of every kind", arguments: [CKEYS_ED25519, CKEYS_ECDSA_P256, CKEYS_RSA_PSS])
    func keyKinds(kind: Int32) throws {
        let simulator = Simulator()
        for role in Root.roleNames { simulator.setKeys(role, [TestKey(kind)]) }
        simulator.root.common.version = 0
        simulator.publish()
        let disk = simulator.newClient()
        try simulator.update(disk)
        #expect(disk.version("targets") == 2)
        // A signature of another kind of key, or one with a changed byte, is none.
        let text = String(decoding: simulator.files["timestamp.json"]!, as: UTF8.self)
        let digits: Substring = try #require(text.split(separator: "\"").first { $0.utf8.count > 100 })
        let other = String(digits.dropLast(4)) + (digits.hasSuffix("0000") ? "1111" : "0000")
        let changed = text[..<digits.startIndex] + other + text[digits.endIndex...]
        simulator.files["timestamp.json"] = Array(changed.utf8)
        #expect(simulator.failure(simulator.newClient())?.kind == .signature)
    }

    @Test("needs as many different keys as the threshold says")
    func thresholds() throws {
        let simulator = Simulator()
        let keys = [TestKey(), TestKey(), TestKey()]
        simulator.setKeys("timestamp", keys, threshold: 2)
        simulator.publish(["root"])
        for (signing, isGood) in [([0], false), ([0, 1], true), ([2, 1], true), ([0, 1, 2], true), ([], false)] {
            simulator.signers["timestamp"] = signing.map { keys[$0] }
            simulator.publish(["timestamp"])
            #expect((simulator.failure(simulator.newClient()) == nil) == isGood, "\(signing)")
        }
    }

    @Test("counts a key once, though it is listed under two names")
    func oneKeyTwoNames() {
        let simulator = Simulator()
        let key = TestKey()
        simulator.setKeys("timestamp", [key], threshold: 2)
        simulator.root.keys["another name"] = key.publicKey
        simulator.root.roles["timestamp"]?.keyIDs.append("another name")
        simulator.publish(["root"])
        let signed = simulator.timestamp.json
        let signature = JSONValue.string(Hexadecimal.text(key.sign(CanonicalJSON.encode(signed)!)))
        simulator.files["timestamp.json"] =
            JSONValue.object([
                "signed": signed,
                "signatures": [
                    ["keyid": .string(key.id), "sig": signature], ["keyid": "another name", "sig": signature],
                ],
            ]).bytes()
        #expect(simulator.failure(simulator.newClient())?.kind == .signature)
    }

    @Test("counts the same key once, though its PEM is written in two ways")
    func onePEMTwoForms() {
        let key = TestKey(CKEYS_ECDSA_P256)
        let other = PublicKey(
            type: "ecdsa-sha2-nistp256", scheme: "ecdsa-sha2-nistp256",
            value: "comment\n" + key.publicKey.value + "\n\n")
        #expect(other.identity == key.publicKey.identity)
        #expect(other.identity != nil)
    }

    @Test("passes over keys of kinds that it does not know")
    func unknownKeys() throws {
        let simulator = Simulator()
        simulator.root.keys["strange"] = PublicKey(type: "ml-dsa", scheme: "ml-dsa-65/1", value: "x")
        simulator.root.roles["timestamp"]?.keyIDs.insert("strange", at: 0)
        simulator.publish(["root"])
        try simulator.update(simulator.newClient())
    }

    @Test("signs and checks members that it does not know")
    func unknownMembers() throws {
        let simulator = Simulator()
        guard case .object(var members) = simulator.timestamp.json else { return }
        members["x-note"] = ["text": "ein \"Zitat\" \\ \u{1F512}\u{0}\u{7F}", "list": [1, -2, true, nil]]
        simulator.put("timestamp.json", .object(members), simulator.signers["timestamp"]!)
        try simulator.update(simulator.newClient())
    }

    @Test("needs a root to begin with, signed by itself")
    func noRoot() {
        #expect(throws: TUFError.self) { try TUFClient(trusted: TrustedMetadata(files: [:]), now: 0) }
        let simulator = Simulator()
        let unsigned = Simulator.file(simulator.root.json, [TestKey()])
        #expect(throws: TUFError.self) { try TUFClient(trusted: TrustedMetadata(root: unsigned), now: 0) }
    }

    @Test("goes on from what a stopped update left, at any step")
    func interrupted() throws {
        let simulator = Simulator()
        simulator.add("signatures/a.ndb", "content")
        simulator.publish()
        for stop in 1...4 {
            let disk = simulator.newClient()
            struct Stopped: Error {}
            var steps = 0
            var client = try TUFClient(trusted: TrustedMetadata(files: disk.files), now: Simulator.now)
            while steps < stop, case .fetch(let file, _) = try client.next() {
                if let bytes = simulator.files[file] { try client.received(bytes) } else { try client.notFound() }
                for case .write(let name, let bytes) in client.takeKept() { disk.files[name] = bytes }
                steps += 1
            }
            let (after, _) = try simulator.update(disk)
            #expect(after.targets.count == 1)
        }
    }

    @Test("damaged files on the disk are fetched again")
    func damagedDisk() throws {
        let simulator = Simulator()
        for name in ["timestamp.json", "snapshot.json", "targets.json"] {
            let disk = simulator.newClient()
            try simulator.update(disk)
            disk.files[name] = Array("{\"signed\":".utf8)
            try simulator.update(disk)
            #expect(disk.version(String(name.dropLast(5))) == 1)
        }
    }
}
