import Bytes
import CCrypto

/// The `.info` member: a line with the header's fields, `name:size:SHA-256` for each member, and a signature
/// over the lines before it.
struct CVDInformation {
    struct Member {
        let size: Int
        let digest: [UInt8]
    }

    let header: CVDHeader
    let members: [String: Member]
    /// Whether the signature is there and right.
    let isSigned: Bool

    init(_ text: ByteView, key: PublicKey) throws(CVDError) {
        var header: CVDHeader?
        var members: [String: Member] = [:]
        var isSigned = false
        var start = 0
        while start < text.count {
            let end = text.firstIndex(of: 0x0a, from: start) ?? text.count
            let line = text.slice(start, end).trimmed
            if line.hasPrefix(ByteView("DSIG:")) {
                var digest = [UInt8](repeating: 0, count: 32)
                let signed = text.prefix(start)
                guard CCrypto_digest(CCRYPTO_SHA256, signed.base, signed.count, &digest) == 1,
                    key.verify(line.dropFirst(5), digest: digest)
                else { throw CVDError(.signature, "the signature of its .info member is wrong") }
                isSigned = true
                break
            }
            start = end + 1
            if line.isEmpty { continue }
            if header == nil {
                header = try CVDHeader(line)
                continue
            }
            let (name, member) = try Self.member(line)
            guard members.updateValue(member, forKey: name) == nil else {
                throw CVDError(.malformed, "its .info member names \(name) twice")
            }
        }
        guard let header else { throw CVDError(.malformed, "its .info member has no header") }
        self.header = header
        self.members = members
        self.isSigned = isSigned
    }

    private static func member(_ line: ByteView) throws(CVDError) -> (String, Member) {
        guard let first = line.firstIndex(of: UInt8(ascii: ":")),
            let second = line.firstIndex(of: UInt8(ascii: ":"), from: first + 1),
            let size = Decimal.value(line.slice(first + 1, second)),
            line.count - second - 1 == 64, let digest = Hex.bytes(line.dropFirst(second + 1))
        else { throw CVDError(.malformed, "a line of its .info member is not \"name:size:SHA-256\"") }
        return (
            String(decoding: line.prefix(first).buffer, as: UTF8.self), Member(size: Int(size), digest: digest)
        )
    }
}
