import BytesE
import CCrypto
import CModuleABI
import Passwords
import Testing

@testable import Archives

/// Archives of RAR 3 with stored files, encrypted and in volumes; no free tool makes them.
@Suite struct OldRARTests {
    static let salt = [UInt8](0..<8)
    // What another implementation makes of the password "s3cret" and the salt.
    private static let key: [UInt8] = [
        0xa7, 0xfd, 0x9b, 0xee, 0x97, 0x17, 0x5f, 0xee, 0x10, 0xaa, 0x1a, 0x62, 0x5e, 0x97, 0x12, 0x12,
    ]
    private static let vector: [UInt8] = [
        0xe0, 0x56, 0xb8, 0x50, 0xb1, 0x0a, 0x11, 0xd4, 0x2c, 0x2b, 0x17, 0x76, 0x35, 0xc1, 0xb6, 0x5f,
    ]
    static let signature: [UInt8] = [0x52, 0x61, 0x72, 0x21, 0x1A, 7, 0]

    static func header(_ kind: UInt8, _ flags: Int, _ body: [UInt8]) -> [UInt8] {
        let bytes = [kind] + little(flags, 2) + little(7 + body.count, 2) + body
        return little(crc(bytes) & 0xFFFF, 2) + bytes
    }

    private static func encrypted(_ data: [UInt8]) -> [UInt8] {
        let padded = data + [UInt8](repeating: 0, count: (16 - data.count % 16) % 16)
        var result = [UInt8](repeating: 0, count: padded.count)
        _ = CCrypto_aes_cbc_encrypt(key, 16, vector, padded, padded.count, &result)
        return result
    }

    static func file(_ name: String, _ size: Int, _ crc: Int, _ packed: Int, flags: Int, salt: [UInt8] = []) -> [UInt8]
    {
        header(
            0x74, 0x8000 | flags,
            little(packed, 4) + little(size, 4) + [3] + little(crc, 4) + [0, 0, 0x21, 0x5c, 29, 0x30]
                + little(name.utf8.count, 2) + little(0x81A4, 4) + Array(name.utf8) + salt)
    }

    private func file(_ name: String, _ text: String) -> (header: [UInt8], data: [UInt8]) {
        let data = Self.encrypted(Array(text.utf8))
        let header = Self.file(
            name, text.utf8.count, crc(Array(text.utf8)), data.count, flags: 0x404, salt: Self.salt)
        return (header, data)
    }

    private func opened(_ archive: [UInt8], name: StaticString) -> TrialHost {
        let host = TrialHost(memory: 4 << 20)
        host.walksDown = true
        _ = archive.withUnsafeBufferPointer { host.unpack(ByteView($0), name: name) }
        return host
    }

    private var plainArchive: [UInt8] {
        let first = file("a.exe", "the first file, which is longer than one block")
        let second = file("b.exe", "the second")
        return Self.signature + Self.header(0x73, 0, [0, 0, 0, 0, 0, 0]) + first.header + first.data + second.header
            + second.data + Self.header(0x7B, 0x4000, [])
    }

    private var hiddenArchive: [UInt8] {
        let first = file("a.exe", "the only file")
        let end = Self.header(0x7B, 0x4000, [])
        return Self.signature + Self.header(0x73, 0x80, [0, 0, 0, 0, 0, 0]) + Self.salt + Self.encrypted(first.header)
            + first.data + Self.salt + Self.encrypted(end)
    }

    @Test func keyOfAPassword() {
        let key = Self.salt.withUnsafeBufferPointer { OldRARCipher(salt: ByteView($0))?.key(Array("s3cret".utf8)) }
        #expect(key?.key == Self.key)
        #expect(key?.vector == Self.vector)
    }

    @Test func filesWithPassword() {
        let host = opened(plainArchive, name: "s3cret.rar")
        #expect(host.texts.suffix(2) == ["the first file, which is longer than one block", "the second"])
        #expect(host.names.suffix(2) == ["a.exe", "b.exe"])
        #expect(host.flags & (EM_OBJECT_ENCRYPTED | EM_OBJECT_UNSUPPORTED) == 0)
    }

    @Test func encryptedHeaders() {
        #expect(opened(hiddenArchive, name: "s3cret.rar").texts.last == "the only file")
    }

    /// A wrong password before the right one, and a file of which the checksum stands only at the end.
    @Test func largeStoredFile() {
        let content = String(repeating: "a stored file of more than one megabyte. ", count: 30_000)
        let large = file("a.exe", content)
        let archive =
            Self.signature + Self.header(0x73, 0, [0, 0, 0, 0, 0, 0]) + large.header + large.data
            + Self.header(0x7B, 0x4000, [])
        let host = TrialHost(memory: 32 << 20)
        host.walksDown = true
        _ = archive.withUnsafeBufferPointer { host.unpack(ByteView($0), name: "other s3cret.rar") }
        #expect(host.texts.last == content)
    }

    @Test func withoutThePassword() {
        for archive in [plainArchive, hiddenArchive] {
            let host = opened(archive, name: "other.rar")
            #expect(host.flags & EM_OBJECT_ENCRYPTED != 0)
            #expect(!host.texts.contains("the only file") && !host.texts.contains("the second"))
        }
    }

    @Test func cutAndDamaged() {
        for archive in [plainArchive, hiddenArchive] {
            for count in stride(from: 7, to: archive.count, by: 3) {
                var bytes = Array(archive[..<count])
                bytes[count - 1] ^= 0x55
                _ = opened(bytes, name: "s3cret.rar")
            }
        }
    }
}

/// The CRC-32 of some bytes.
func crc(_ bytes: [UInt8]) -> Int {
    var value: UInt32 = .max
    for byte in bytes {
        value ^= UInt32(byte)
        for _ in 0..<8 { value = value & 1 != 0 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }
    return Int(~value)
}
