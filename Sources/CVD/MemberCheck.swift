import Bytes
import CCrypto

/// Passes members on, and notes size and SHA-256 of each for the comparison with the `.info` member.
struct MemberCheck<Sink: CVDMemberSink>: CVDMemberSink {
    /// More than the largest database needs for its list.
    private static var informationLimit: Int { 64 << 20 }

    var sink: Sink
    private var members: [String: CVDInformation.Member] = [:]
    private var information: [UInt8]?
    private var name = ""
    private var size = 0
    private let hash = Hash()
    private let key: PublicKey
    private let passesInformation: Bool

    /// - Parameter key: that signs the `.info` member.
    init(_ sink: Sink, key: PublicKey, passesInformation: Bool = false) {
        self.sink = sink
        self.key = key
        self.passesInformation = passesInformation
    }

    private var isInformation: Bool { name.hasSuffix(".info") }

    mutating func begin(_ name: String, size: Int) throws(CVDError) {
        self.name = name
        self.size = size
        if isInformation {
            guard information == nil else { throw CVDError(.malformed, "it has two .info members") }
            guard size <= Self.informationLimit else { throw CVDError(.limit, "its .info member is too large") }
            information = []
        }
        if !isInformation || passesInformation { try sink.begin(name, size: size) }
    }

    mutating func append(_ bytes: ByteView) throws(CVDError) {
        if isInformation {
            information?.append(contentsOf: bytes.buffer)
            if passesInformation { try sink.append(bytes) }
        } else {
            guard hash.update(bytes) else { throw CVDError(.signature, "SHA-256 is not available") }
            try sink.append(bytes)
        }
    }

    mutating func end() throws(CVDError) {
        if isInformation {
            if passesInformation { try sink.end() }
            return
        }
        guard let digest = hash.finish() else { throw CVDError(.signature, "SHA-256 is not available") }
        members[name] = CVDInformation.Member(size: size, digest: digest)
        try sink.end()
    }

    /// Compares; returns the number of members.
    func finish(_ header: CVDHeader, mustBeSigned: Bool) throws(CVDError) -> Int {
        guard let text = information else { throw CVDError(.malformed, "it has no .info member") }
        let stated = try text.withUnsafeBufferPointer { buffer throws(CVDError) in
            try CVDInformation(ByteView(buffer), key: key)
        }
        guard stated.isSigned || !mustBeSigned else {
            throw CVDError(.signature, "its .info member is not signed")
        }
        guard stated.header.version == header.version, stated.header.signatures == header.signatures,
            stated.header.level == header.level, stated.header.created == header.created
        else { throw CVDError(.signature, "the header is not the one that its .info member states") }
        for (name, member) in members.sorted(by: { $0.key < $1.key }) {
            // The licence lies beside the signatures, and lists of older containers do not have it.
            guard let expected = stated.members[name] else {
                if name == "COPYING" { continue }
                throw CVDError(.signature, "the member \(name) is not in its .info member")
            }
            guard expected.size == member.size, expected.digest == member.digest else {
                throw CVDError(.signature, "the member \(name) was changed: its SHA-256 is not the stated one")
            }
        }
        for name in stated.members.keys.sorted() where members[name] == nil {
            throw CVDError(.signature, "the member \(name) is missing")
        }
        return members.count
    }
}

/// SHA-256 of one member after another.
private final class Hash {
    private let hash = CCrypto_hash_new(CCRYPTO_SHA256)

    func update(_ bytes: ByteView) -> Bool {
        guard let hash else { return false }
        return CCrypto_hash_update(hash, bytes.base, bytes.count) == 1
    }

    func finish() -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: 32)
        guard let hash, CCrypto_hash_final(hash, &digest) == 1 else { return nil }
        return digest
    }

    deinit {
        if let hash { CCrypto_hash_free(hash) }
    }
}
