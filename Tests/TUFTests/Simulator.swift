// swift-format-ignore-file: NeverForceUnwrap
import CKeys
import JSON

@testable import TUF

/// A private key of the simulated publisher.
final class TestKey {
    let key: OpaquePointer
    let publicKey: PublicKey
    let id: String

    init(_ kind: Int32 = CKEYS_ED25519, id: String? = nil) {
        key = CKeys_generate(kind)!
        var room = [CChar](repeating: 0, count: 4096)
        let count = CKeys_private_public(key, &room, room.count)
        let bytes = room[..<count].map { UInt8(bitPattern: $0) }
        let text = String(decoding: bytes, as: UTF8.self)
        publicKey =
            switch kind {
            case CKEYS_ED25519: PublicKey(type: "ed25519", scheme: "ed25519", value: Hexadecimal.text(bytes))
            case CKEYS_ECDSA_P256: PublicKey(type: "ecdsa", scheme: "ecdsa-sha2-nistp256", value: text)
            default: PublicKey(type: "rsa", scheme: "rsassa-pss-sha256", value: text)
            }
        self.id = id ?? publicKey.keyID
    }

    deinit { CKeys_private_free(key) }

    func sign(_ bytes: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: Int(CKEYS_SIGNATURE_SIZE))
        let count = CKeys_private_sign(key, bytes, bytes.count, &signature)
        return Array(signature[..<count])
    }
}

/// A repository in memory that does whatever a test wants, right or wrong.
final class Simulator {
    static let now: Int64 = 1_800_000_000
    static let day: Int64 = 86_400

    /// What the server has, by file name.
    var files: [String: [UInt8]] = [:]
    var signers: [String: [TestKey]] = [:]
    var root: Root
    var snapshot: Snapshot
    var timestamp: Timestamp
    var roles: [String: Targets] = [:]
    /// Length and hash of files in snapshot and timestamp.
    var namesHashes = true
    /// What clients asked for.
    var requests: [String] = []

    init() {
        let common = Common(version: 0, expires: Self.now + 30 * Self.day)
        root = Root(common: common, consistentSnapshot: true, keys: [:], roles: [:])
        snapshot = Snapshot(common: common, files: [:])
        timestamp = Timestamp(common: common, snapshot: FileFacts(version: 1))
        roles["targets"] = Targets(common: common)
        for name in Root.roleNames { setKeys(name, [TestKey()]) }
        publish()
    }

    func setKeys(_ role: String, _ keys: [TestKey], threshold: Int = 1) {
        signers[role] = keys
        root.roles[role] = Role(keyIDs: keys.map(\.id), threshold: threshold)
        for key in keys { root.keys[key.id] = key.publicKey }
    }

    /// Delegates from one role to another, which gets a key of its own.
    @discardableResult
    func delegate(
        _ name: String, from delegator: String = "targets", rule: Delegation.Rule = .paths(["*/*"]),
        isTerminating: Bool = false, kinds: [String]? = nil, keys: [TestKey] = [TestKey()]
    ) -> [TestKey] {
        var delegations = roles[delegator]?.delegations ?? Delegations()
        for key in keys { delegations.keys[key.id] = key.publicKey }
        delegations.roles.append(
            Delegation(
                name: name, role: Role(keyIDs: keys.map(\.id), threshold: 1), isTerminating: isTerminating, rule: rule,
                kinds: kinds))
        roles[delegator]?.delegations = delegations
        if roles[name] == nil {
            roles[name] = Targets(common: Common(version: 0, expires: Self.now + 30 * Self.day))
            signers[name] = keys
        }
        return keys
    }

    func add(_ path: String, _ content: String, to role: String = "targets", kind: String? = nil) {
        let bytes = Array(content.utf8)
        roles[role]?.files[path] = Targets.File(
            length: bytes.count, hashes: Hashes(sha256: SHA2.sha256(bytes)),
            custom: kind.map { ["kind": .string($0)] } ?? .null)
    }

    // MARK: - Publishing

    func publish(_ names: [String] = ["root", "targets", "snapshot", "timestamp"]) {
        for name in names { publish(name) }
    }

    func publishAll() { publish(roles.keys.sorted().reversed() + ["snapshot", "timestamp"]) }

    private func publish(_ name: String) {
        switch name {
        case "root":
            root.common.version += 1
            put("\(root.common.version).root.json", root.json, signers["root"]!)
        case "snapshot":
            snapshot.common.version += 1
            let bytes = put(consistent("snapshot", snapshot.common.version), snapshot.json, signers["snapshot"]!)
            timestamp.snapshot = facts(snapshot.common.version, bytes)
        case "timestamp":
            timestamp.common.version += 1
            put("timestamp.json", timestamp.json, signers["timestamp"]!)
        default:
            roles[name]!.common.version += 1
            let version = roles[name]!.common.version
            let bytes = put(consistent(name, version), roles[name]!.json, signers[name]!)
            snapshot.files["\(name).json"] = facts(version, bytes)
        }
    }

    func consistent(_ name: String, _ version: Int64) -> String {
        FileNames.metadata(name, version: root.consistentSnapshot ? version : nil)
    }

    private func facts(_ version: Int64, _ bytes: [UInt8]) -> FileFacts {
        namesHashes
            ? FileFacts(version: version, length: bytes.count, hashes: Hashes(sha256: SHA2.sha256(bytes)))
            : FileFacts(version: version)
    }

    @discardableResult
    func put(_ file: String, _ signed: JSONValue, _ keys: [TestKey]) -> [UInt8] {
        let bytes = Self.file(signed, keys)
        files[file] = bytes
        return bytes
    }

    static func file(_ signed: JSONValue, _ keys: [TestKey]) -> [UInt8] {
        let canonical = CanonicalJSON.encode(signed) ?? []
        let signatures = keys.map { key in
            JSONValue.object(["keyid": .string(key.id), "sig": .string(Hexadecimal.text(key.sign(canonical)))])
        }
        return JSONValue.object(["signatures": .array(signatures), "signed": signed]).bytes()
    }

    // MARK: - A client

    /// What a client keeps on its disk.
    final class Disk {
        var files: [String: [UInt8]]

        init(root: [UInt8]) { files = ["root.json": root] }

        func version(_ role: String) -> Int64? {
            guard let bytes = files["\(role).json"], let envelope = try? Envelope(bytes, file: role) else { return nil }
            return envelope.signed["version"]?.integer
        }
    }

    /// A client that begins with the newest root.
    func newClient() -> Disk { Disk(root: files["\(root.common.version).root.json"]!) }

    /// Updates a client until it is done; the disk changes as it would.
    @discardableResult
    func update(
        _ disk: Disk, now: Int64 = Simulator.now, all: Bool = false, find path: String? = nil,
        limits: TUFLimits = TUFLimits(), before: (String) -> Void = { _ in }
    ) throws(TUFError) -> (client: TUFClient, last: TUFClient.Step) {
        var client = try TUFClient(trusted: TrustedMetadata(files: disk.files), now: now, limits: limits)
        if all { client.loadDelegations() }
        if let path { client.find(target: path) }
        while true {
            let step = try client.next()
            guard case .fetch(let file, _) = step else { return (client, step) }
            requests.append(file)
            before(file)
            defer {
                for change in client.takeKept() {
                    switch change {
                    case .write(let name, let bytes): disk.files[name] = bytes
                    case .remove(let name): disk.files[name] = nil
                    }
                }
            }
            if let bytes = files[file] { try client.received(bytes) } else { try client.notFound() }
        }
    }

    /// How an update fails.
    func failure(_ disk: Disk, now: Int64 = Simulator.now, all: Bool = false, find: String? = nil) -> TUFError? {
        do throws(TUFError) {
            try update(disk, now: now, all: all, find: find)
            return nil
        } catch {
            return error
        }
    }
}
