import CKeys
import JSON

/// Runs an update with a server that is up to any mischief and has stolen every key: the pieces of the input, split at
/// NUL bytes, are what it answers in turn. An empty piece is "not found"; one that begins with "!" is sent as it is; any
/// other is signed first, with `"@"` replaced by the key. Traps when a promise is broken. For fuzzing and replay tests.
package func fuzzTUF(_ bytes: UnsafeRawBufferPointer) {
    var pieces = bytes.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
    pieces = pieces.reversed()
    guard var client = try? TUFClient(trusted: TrustedMetadata(root: FuzzKey.shared.root), now: 1_800_000_000) else {
        preconditionFailure("the root to begin with is good")
    }
    client.loadDelegations()
    client.find(target: "signatures/a.ndb")
    for _ in 0..<64 {
        guard let step = try? client.next() else { break }
        if step == .done { break }
        if case .found(let target) = step { check(target) }
        guard case .fetch(let path, let limit) = step else { continue }
        precondition(path.hasSuffix(".json") && path.utf8.count <= 255 && !path.utf8.contains(UInt8(ascii: "/")))
        precondition(limit >= 0 && limit <= 8_000_000)
        let piece = pieces.popLast() ?? []
        if piece.isEmpty {
            guard (try? client.notFound()) != nil else { break }
        } else {
            let answer = piece[0] == UInt8(ascii: "!") ? Array(piece.dropFirst()) : FuzzKey.shared.signed(piece)
            guard (try? client.received(answer)) != nil else { break }
        }
        for change in client.takeKept() {
            let name =
                switch change {
                case .write(let name, _): name
                case .remove(let name): name
                }
            precondition(name.hasSuffix(".json") && !name.utf8.contains(UInt8(ascii: "/")))
            if case .write(_, let bytes) = change { checkRewriting(bytes) }
        }
    }
    for target in client.targets { check(target) }
}

private func check(_ target: Target) {
    precondition(FileNames.isSafe(path: target.path) && target.length >= 0)
    precondition(!target.path.hasPrefix("/") && !target.path.utf8.contains(0))
    precondition(target.address.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
    if (try? target.kind()) == .module { precondition(target.role == "targets" && target.roles.count == 1) }
}

/// What was read says the same when it is written and read again.
private func checkRewriting(_ bytes: [UInt8]) {
    guard let envelope = try? Envelope(bytes, file: "accepted") else { preconditionFailure("accepted, not readable") }
    func again(_ json: JSONValue) -> Envelope? {
        try? Envelope(JSONValue.object(["signed": json, "signatures": []]).bytes(), file: "again")
    }
    switch envelope.signed["_type"]?.string {
    case "root":
        let value = try? Root(envelope)
        precondition(value != nil && (value.flatMap { again($0.json) }.flatMap { try? Root($0) }) == value)
    case "timestamp":
        let value = try? Timestamp(envelope)
        precondition(value != nil && (value.flatMap { again($0.json) }.flatMap { try? Timestamp($0) }) == value)
    case "snapshot":
        let value = try? Snapshot(envelope)
        precondition(value != nil && (value.flatMap { again($0.json) }.flatMap { try? Snapshot($0) }) == value)
    default:
        let value = try? Targets(envelope)
        precondition(value != nil && (value.flatMap { again($0.json) }.flatMap { try? Targets($0) }) == value)
    }
}

/// A key that protects nothing, and a root that trusts it with everything.
private final class FuzzKey: Sendable {
    static let shared = FuzzKey()

    private let pem: [UInt8]
    private let key: JSONValue
    let root: [UInt8]

    private init() {
        guard let made = CKeys_generate(CKEYS_ED25519) else { preconditionFailure("no key can be made") }
        defer { CKeys_private_free(made) }
        var room = [CChar](repeating: 0, count: 1_024)
        let count = CKeys_private_write(made, nil, &room, room.count)
        pem = room[..<count].map { UInt8(bitPattern: $0) }
        let length = CKeys_private_public(made, &room, room.count)
        let value = Hexadecimal.text(room[..<length].map { UInt8(bitPattern: $0) })
        let publicKey = PublicKey(type: "ed25519", scheme: "ed25519", value: value)
        key = publicKey.json
        let roles = Dictionary(uniqueKeysWithValues: Root.roleNames.map { ($0, Role(keyIDs: ["k"], threshold: 1)) })
        let root = Root(
            common: Common(version: 1, expires: 1_900_000_000), consistentSnapshot: true, keys: ["k": publicKey],
            roles: roles)
        self.root = Self.sign(root.json, pem)
    }

    /// Signs a text if it is one that can be signed.
    func signed(_ text: [UInt8]) -> [UInt8] {
        let mark = Array("\"@\"".utf8)
        let key = key.bytes()
        var replaced: [UInt8] = []
        var index = 0
        while index < text.count {
            if text[index...].starts(with: mark) {
                replaced += key
                index += mark.count
            } else {
                replaced.append(text[index])
                index += 1
            }
        }
        guard let value = try? JSONValue(parsing: replaced) else { return text }
        return Self.sign(value, pem)
    }

    private static func sign(_ value: JSONValue, _ pem: [UInt8]) -> [UInt8] {
        var signature = [UInt8](repeating: 0, count: Int(CKEYS_SIGNATURE_SIZE))
        guard let canonical = CanonicalJSON.encode(value), let key = CKeys_private_read(pem, pem.count, nil) else {
            return value.bytes()
        }
        defer { CKeys_private_free(key) }
        let count = CKeys_private_sign(key, canonical, canonical.count, &signature)
        let list: JSONValue = [["keyid": "k", "sig": .string(Hexadecimal.text(signature[..<count]))]]
        return JSONValue.object(["signatures": list, "signed": value]).bytes()
    }
}
