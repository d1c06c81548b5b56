import Bytes
import CCrypto
import CModuleABI

/// A line of the certificate format: `name;trusted;subject;serial;key;exponent;signs code;signs time;signs
/// certificates;not before;comment[;lowest level[;highest level]]`.
///
/// The exponent is always 65537, whatever the line says; an empty serial number means any.
struct CertificateLine {
    let name: ByteView
    let subject, serial, key, keyDigest: [UInt8]
    /// EM_CERTIFICATE_….
    let flags: UInt32
    let notBefore: Int64

    private static let keyLimit = 1024

    init(_ line: ByteView) throws(LineError) {
        var fields = Fields(line, separator: UInt8(ascii: ";"))
        var parts: [ByteView] = []
        while parts.count < 11, let part = fields.read() { parts.append(part) }
        guard parts.count == 11 else { throw .malformed("fewer than eleven fields") }
        name = try parts[0].isEmpty ? ByteView("unnamed certificate") : Catalogue.checked(parts[0])
        var flags: UInt32 = try Self.flag(parts[1]) ? 0 : EM_CERTIFICATE_BLOCKED
        subject = try Self.digest(parts[2])
        if parts[3].isEmpty {
            flags |= EM_CERTIFICATE_ANY_SERIAL
            serial = [UInt8](repeating: 0, count: 20)
        } else {
            serial = try Self.digest(parts[3])
        }
        key = try Self.key(parts[4])
        var digest = [UInt8](repeating: 0, count: 32)
        guard CCrypto_digest(CCRYPTO_SHA256, key, key.count, &digest) == 1 else {
            throw .unsupported("a key whose digest cannot be computed")
        }
        keyDigest = digest
        if try Self.flag(parts[6]) { flags |= EM_CERTIFICATE_CODE }
        if try Self.flag(parts[7]) { flags |= EM_CERTIFICATE_TIME }
        if try Self.flag(parts[8]) { flags |= EM_CERTIFICATE_CERT }
        self.flags = flags
        if parts[9].isEmpty {
            notBefore = 0
        } else {
            guard let seconds = Number.decimal(parts[9]) else { throw .malformed("the first day is no number") }
            notBefore = Int64(seconds)
        }
        try fields.readLevels()
    }

    private static func flag(_ text: ByteView) throws(LineError) -> Bool {
        guard let digit = text.isEmpty ? nil : text[0], digit == 0x30 || digit == 0x31 else {
            throw .malformed("a flag is neither 0 nor 1")
        }
        return digit == 0x31
    }

    private static func digest(_ digits: ByteView) throws(LineError) -> [UInt8] {
        guard digits.count == 40, let bytes = HexText.bytes(digits) else { throw .malformed("a digest is no SHA-1") }
        return bytes
    }

    /// The modulus without leading zeros.
    private static func key(_ digits: ByteView) throws(LineError) -> [UInt8] {
        guard digits.count <= 2 * keyLimit + 2, let bytes = HexText.bytes(digits) else {
            throw .malformed("the key is no hex number of at most 8192 bits")
        }
        let key = Array(bytes.drop { $0 == 0 })
        guard !key.isEmpty else { throw .malformed("the key is zero") }
        return key
    }
}
