import BytesE
import CCrypto
import CModuleABI
import Testing

@testable import Archives

/// Encrypted archives of RAR 5 with stored files; no free tool makes them.
@Suite struct RARTests {
    private let salt = [UInt8](0..<16)
    private let vector = [UInt8](repeating: 9, count: 16)
    private static let power = 4

    private func number(_ value: Int) -> [UInt8] {
        value < 128 ? [UInt8(value)] : [UInt8(value & 0x7F | 0x80)] + number(value >> 7)
    }

    private func crc(_ bytes: [UInt8]) -> Int {
        var value: UInt32 = .max
        for byte in bytes {
            value ^= UInt32(byte)
            for _ in 0..<8 { value = value & 1 != 0 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
        return Int(~value)
    }

    private func header(_ fields: [UInt8]) -> [UInt8] {
        let sized = number(fields.count) + fields
        return little(crc(sized), 4) + sized
    }

    private func derived(_ password: String, _ more: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        let bytes = Array(password.utf8)
        _ = CCrypto_pbkdf2(
            CCRYPTO_SHA256, bytes, bytes.count, salt, 16, UInt32((1 << Self.power) + more), &result, 32)
        return result
    }

    private func encrypted(_ data: [UInt8], _ key: [UInt8]) -> [UInt8] {
        let padded = data + [UInt8](repeating: 0, count: (16 - data.count % 16) % 16)
        var result = [UInt8](repeating: 0, count: padded.count)
        _ = CCrypto_aes_cbc_encrypt(key, 32, vector, padded, padded.count, &result)
        return result
    }

    private func check(_ password: String) -> [UInt8] {
        var folded = [UInt8](repeating: 0, count: 8)
        for (index, byte) in derived(password, 32).enumerated() { folded[index % 8] ^= byte }
        return folded + [0, 0, 0, 0]
    }

    /// A stored file with the record that says how it is encrypted.
    private func file(_ name: String, _ text: String, _ password: String) -> [UInt8] {
        let data = encrypted(Array(text.utf8), derived(password, 0))
        var record = number(1) + number(0) + number(1) + [UInt8(Self.power)] + salt + vector + check(password)
        record = number(record.count) + record
        let fields =
            number(2) + number(3) + number(record.count) + number(data.count) + number(0) + number(text.utf8.count)
            + number(0) + number(0) + number(1) + number(name.utf8.count) + Array(name.utf8) + record
        return header(fields) + data
    }

    private func archive(_ files: [UInt8]) -> [UInt8] {
        [0x52, 0x61, 0x72, 0x21, 0x1A, 7, 1, 0] + header([1, 0, 0]) + files + header([5, 0, 0])
    }

    private func opened(_ archive: [UInt8], name: StaticString) -> TrialHost {
        let host = TrialHost(memory: 4 << 20)
        host.walksDown = true
        _ = archive.withUnsafeBufferPointer { host.unpack(ByteView($0), name: name) }
        return host
    }

    @Test func filesWithPassword() {
        let files = file("a.exe", "the first file", "s3cret") + file("b.exe", "the second of them", "s3cret")
        let host = opened(archive(files), name: "invoice s3cret.rar")
        #expect(host.texts.suffix(2) == ["the first file", "the second of them"])
        #expect(host.names.suffix(2) == ["a.exe", "b.exe"])
        #expect(host.flags & (EM_OBJECT_ENCRYPTED | EM_OBJECT_UNSUPPORTED) == 0)
    }

    @Test func encryptedHeaders() {
        let key = derived("s3cret", 0)
        let announcement = header(
            number(4) + number(0) + number(0) + number(1) + [UInt8(Self.power)] + salt + check("s3cret"))
        let plain = file("a.exe", "the only file", "s3cret")
        // The header is encrypted as a whole; the data behind it is already.
        let size = plain.count - 16
        let hidden = vector + encrypted(Array(plain[..<size]), key) + plain[size...]
        let bytes = [0x52, 0x61, 0x72, 0x21, 0x1A, 7, 1, 0] + announcement + hidden
        #expect(opened(bytes, name: "s3cret.rar").texts.last == "the only file")
    }

    @Test func withoutThePassword() {
        let host = opened(archive(file("a.exe", "the first file", "s3cret")), name: "other.rar")
        #expect(!host.texts.contains("the first file"))
        #expect(host.flags & EM_OBJECT_ENCRYPTED != 0)
    }
}
