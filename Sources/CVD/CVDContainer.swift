package import Bytes
import CCrypto

/// A container of signature files: a header, then an archive of them, packed or not.
///
/// Bytes in, members out; no I/O, and never more than a few hundred kilobytes of memory.
package struct CVDContainer {
    package enum Kind: Sendable {
        /// As released: signed as a whole.
        case cvd
        /// Changed by incremental updates: what its `.info` member says is signed.
        case cld
        /// Made by a user: not signed.
        case cud
    }

    package let kind: Kind
    package let header: CVDHeader
    private let bytes: ByteView
    private let body: ByteView
    private let isPacked: Bool
    private let keys: Keys

    /// The kind that a file name says; nil when the file is no container.
    package static func kind(ofFile name: String) -> Kind? {
        if name.lowercased().hasSuffix(".cvd") { return .cvd }
        if name.lowercased().hasSuffix(".cld") { return .cld }
        if name.lowercased().hasSuffix(".cud") { return .cud }
        return nil
    }

    /// Reads the header.
    ///
    /// - Parameter bytes: the whole file; must stay valid as long as this.
    package init(_ bytes: ByteView, kind: Kind) throws(CVDError) {
        try self.init(bytes, kind: kind, keys: .published)
    }

    /// The same with other keys, for tests.
    package init(_ bytes: ByteView, kind: Kind, keys: Keys) throws(CVDError) {
        guard bytes.count > CVDHeader.size + 7 else { throw CVDError(.malformed, "it is too short for a container") }
        self.kind = kind
        self.bytes = bytes
        self.keys = keys
        header = try CVDHeader(bytes.prefix(CVDHeader.size))
        body = bytes.dropFirst(CVDHeader.size)
        // An archive that is not packed begins with the name of its first member.
        isPacked = !body.hasPrefix(ByteView("COPYING"))
    }

    /// Who vouches for a released container.
    package enum Signer: Equatable, Sendable {
        /// The key that signs the header's MD5.
        case containerKey
        /// The owner of a certificate, by common name.
        case certificate(String)
        /// Nobody as a whole: see `Kind`.
        case none
    }

    /// Checks who signed the container as a whole.
    ///
    /// - Parameters:
    ///   - detached: its `.cvd.sign` file, if there is one.
    ///   - store: certificates that may have made that.
    ///   - level: functionality level of the engine.
    /// - Throws: when it was changed, or nobody who is trusted has signed it. A detached signature that is there and
    ///   wrong is not made good by the older one.
    package func verify(
        detached: DetachedSignature? = nil, store: CertificateStore? = nil, level: UInt64
    ) throws(CVDError) -> Signer {
        guard kind == .cvd else { return .none }
        if let detached, let store, store.count > 0 {
            return .certificate(try detached.verify(bytes, by: store, level: level))
        }
        guard let stated = header.digest, !header.signature.isEmpty else {
            throw CVDError(.signature, "the header has no signature")
        }
        var digest = [UInt8](repeating: 0, count: 16)
        guard CCrypto_digest(CCRYPTO_MD5, body.base, body.count, &digest) == 1 else {
            throw CVDError(.signature, "MD5 is not available")
        }
        guard digest == stated else {
            throw CVDError(.signature, "it was changed or cut: the MD5 of its content is not the one in the header")
        }
        let signed = header.signature.withUnsafeBufferPointer {
            keys.container.recover(ByteView($0), count: digest.count)
        }
        guard signed == digest else { throw CVDError(.signature, "the signature in the header is wrong") }
        return .containerKey
    }

    /// Hands out the members, and checks them against the `.info` member.
    ///
    /// What the sink took is good only when this returns.
    /// - Parameter information: hand out the `.info` member too.
    /// - Returns: how many members there are, `.info` not counted.
    @discardableResult
    package func read(_ sink: inout some CVDMemberSink, information: Bool = false) throws(CVDError) -> Int {
        var tar = TarReader()
        var check = MemberCheck(sink, key: keys.information, passesInformation: information)
        defer { sink = check.sink }
        if isPacked {
            let isWhole = try Inflater.unpack(body) { piece throws(CVDError) in
                try tar.feed(piece, &check)
                return !tar.isDone
            }
            guard isWhole else { throw CVDError(.malformed, "it ends before what it holds is complete") }
        } else {
            try tar.feed(body, &check)
        }
        guard tar.isDone || tar.isBetweenMembers else {
            throw CVDError(.malformed, "it ends in the middle of a member")
        }
        return try check.finish(header, mustBeSigned: kind != .cud)
    }
}
