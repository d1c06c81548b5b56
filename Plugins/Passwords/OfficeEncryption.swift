package import BytesE
import CCrypto
import MIMEE
package import ModuleKit
package import Unpacking

/// The encryption of Office's packages (MS-OFFCRYPTO): the stream "EncryptionInfo" says how "EncryptedPackage" is
/// encrypted. Standard (2.3.4.5) and agile encryption (2.3.4.10) with AES.
package struct OfficeEncryption {
    private enum Kind {
        case standard(verifier: [UInt8], hash: [UInt8])
        case agile(Agile)
    }

    private let kind: Kind
    private let salt: [UInt8]
    private let keySize: Int
    private let algorithm: Int32
    private let rounds: UInt32

    /// What Excel uses when a sheet is protected, but nobody is asked for a password.
    package static let builtIn = ByteView("VelvetSweatshop")
    private static let segmentSize = 4096

    /// nil when it is another encryption.
    package init?(_ info: ByteView) {
        guard let major = info.load(UInt16.self, at: 0), let minor = info.load(UInt16.self, at: 2) else { return nil }
        if major == 4, minor == 4 {
            guard let agile = Agile(info.dropFirst(8)) else { return nil }
            kind = .agile(agile)
            salt = agile.salt
            keySize = agile.keySize
            algorithm = agile.algorithm
            rounds = agile.rounds
            return
        }
        guard minor == 2, (2...4).contains(major), let size = info.load(UInt32.self, at: 8), size < 4096 else {
            return nil
        }
        let header = info.dropFirst(12)
        let verifier = header.dropFirst(Int(size))
        guard let cipher = header.load(UInt32.self, at: 8), let bits = header.load(UInt32.self, at: 16),
            (0x660e...0x6610).contains(cipher), verifier.load(UInt32.self, at: 0) == 16, verifier.count >= 72
        else { return nil }
        kind = .standard(verifier: verifier.slice(20, 36).array, hash: verifier.slice(40, 72).array)
        salt = verifier.slice(4, 20).array
        keySize = bits == 0 ? 16 : Int(bits / 8)
        guard keySize == 16 || keySize == 24 || keySize == 32 else { return nil }
        algorithm = CCRYPTO_SHA1
        rounds = 50_000
    }

    /// What trying a password costs, in rounds of a hash.
    package var cost: Int { Int(rounds) }

    /// The key of the package, when the password is right.
    package func key(_ password: [UInt8]) -> [UInt8]? {
        var hash = digest(algorithm, salt + utf16(password))
        guard CCrypto_spin(algorithm, rounds, &hash) == 1 else { return nil }
        switch kind {
        case .standard(let verifier, let expected):
            let last = digest(algorithm, hash + [0, 0, 0, 0])
            var key: [UInt8] = []
            for pad: UInt8 in [0x36, 0x5c] {
                var block = [UInt8](repeating: pad, count: 64)
                for index in 0..<last.count { block[index] ^= last[index] }
                key += digest(algorithm, block)
            }
            key = Array(key.prefix(keySize))
            guard let plain = ecb(key, verifier), let hashed = ecb(key, expected) else { return nil }
            return digest(algorithm, plain) == Array(hashed.prefix(20)) ? key : nil
        case .agile(let agile):
            return agile.key(hash)
        }
    }

    /// Decrypts the package; false when a limit is met.
    package func decrypt(
        _ package: ByteView, _ key: [UInt8], into output: inout Output
    ) throws(ModuleError) -> Bool {
        guard let stated = package.load(UInt64.self, at: 0) else { return true }
        let data = package.dropFirst(8)
        let size = Int(min(stated, UInt64(data.count)))
        var index = 0
        var segment: UInt32 = 0
        while index < size {
            try output.check()
            let piece = data.slice(index, index + Self.segmentSize)
            let whole = piece.prefix(piece.count & ~15)
            guard !whole.isEmpty else { break }
            let plain: [UInt8]?
            switch kind {
            case .standard: plain = ecb(key, whole.array)
            case .agile(let agile): plain = agile.segment(whole, segment, key)
            }
            guard let plain else { break }
            let isKept = try plain.span.withUnsafeBufferPointer { buffer throws(ModuleError) in
                try output.append(ByteView(buffer).prefix(size - index))
            }
            guard isKept else { return false }
            index += piece.count
            segment += 1
        }
        return true
    }
}

/// What the XML of agile encryption says.
private struct Agile {
    let salt: [UInt8]
    let keySize: Int
    let algorithm: Int32
    let rounds: UInt32
    private let input, value, wrapped: [UInt8]
    private let packageSalt: [UInt8]
    private let packageAlgorithm: Int32
    private let packageKeySize: Int

    init?(_ xml: ByteView) {
        guard let data = Element(xml, "keyData"), let key = Element(xml, "encryptedKey"),
            let packageAlgorithm = data.algorithm, let algorithm = key.algorithm,
            let packageBits = data.number("keyBits"), let bits = key.number("keyBits"),
            let rounds = key.number("spinCount"), rounds <= 10_000_000
        else { return nil }
        packageSalt = data.bytes("saltValue")
        self.packageAlgorithm = packageAlgorithm
        packageKeySize = packageBits / 8
        salt = key.bytes("saltValue")
        self.algorithm = algorithm
        keySize = bits / 8
        self.rounds = UInt32(rounds)
        input = key.bytes("encryptedVerifierHashInput")
        value = key.bytes("encryptedVerifierHashValue")
        wrapped = key.bytes("encryptedKeyValue")
        for size in [keySize, packageKeySize] where size != 16 && size != 24 && size != 32 { return nil }
        guard salt.count == 16, packageSalt.count == 16, input.count % 16 == 0, value.count % 16 == 0,
            wrapped.count % 16 == 0, wrapped.count >= packageKeySize, !input.isEmpty, !value.isEmpty
        else { return nil }
    }

    /// The key of the package out of the hash of the password.
    func key(_ hash: [UInt8]) -> [UInt8]? {
        func open(_ block: [UInt8], _ encrypted: [UInt8]) -> [UInt8]? {
            var key = digest(algorithm, hash + block)
            while key.count < keySize { key.append(0x36) }
            return cbc(Array(key.prefix(keySize)), salt, encrypted)
        }
        guard let plain = open([0xfe, 0xa7, 0xd2, 0x76, 0x3b, 0x4b, 0x9e, 0x79], input),
            let hashed = open([0xd7, 0xaa, 0x0f, 0x6d, 0x30, 0x61, 0x34, 0x4e], value)
        else { return nil }
        let right = digest(algorithm, Array(plain.prefix(16)))
        guard hashed.count >= right.count, Array(hashed.prefix(right.count)) == right,
            let key = open([0x14, 0x6e, 0x0b, 0xe7, 0xab, 0xac, 0xd0, 0xd6], wrapped)
        else { return nil }
        return Array(key.prefix(packageKeySize))
    }

    func segment(_ data: ByteView, _ number: UInt32, _ key: [UInt8]) -> [UInt8]? {
        var counted = packageSalt
        for shift: UInt32 in [0, 8, 16, 24] { counted.append(UInt8(truncatingIfNeeded: number >> shift)) }
        return cbc(key, Array(digest(packageAlgorithm, counted).prefix(16)), data.array)
    }
}

/// An element with its attributes.
private struct Element {
    private let text: ByteView

    /// The first one of a name, whatever its prefix.
    init?(_ xml: ByteView, _ name: StaticString) {
        let name = ByteView(name)
        var index = 0
        while let hit = xml.firstIndex(of: name, from: index) {
            index = hit + 1
            let before: UInt8 = hit > 0 ? xml[hit - 1] : 0
            let after = hit + name.count
            guard before == 0x3c || before == 0x3a, after < xml.count, isASCIISpace(xml[after]) else { continue }
            // Not the closing tag.
            text = xml.slice(after, xml.firstIndex(of: 0x3e, from: after) ?? xml.count)
            return
        }
        return nil
    }

    private func value(_ name: StaticString) -> ByteView? {
        let name = ByteView(name)
        var index = 0
        while let hit = text.firstIndex(of: name, from: index) {
            index = hit + name.count
            guard hit > 0, isASCIISpace(text[hit - 1]), text.slice(index, index + 2).equals(ByteView("=\"")) else {
                continue
            }
            return text.slice(index + 2, text.firstIndex(of: 0x22, from: index + 2) ?? text.count)
        }
        return nil
    }

    func number(_ name: StaticString) -> Int? {
        guard let digits = value(name), !digits.isEmpty, digits.count < 10 else { return nil }
        var result = 0
        for byte in digits.buffer {
            guard byte &- 0x30 < 10 else { return nil }
            result = result * 10 + Int(byte - 0x30)
        }
        return result
    }

    func bytes(_ name: StaticString) -> [UInt8] {
        guard let text = value(name), text.count <= 512 else { return [] }
        var result = [UInt8](repeating: 0, count: 512)
        var decoder = TransferDecoder(.base64)
        var from = 0
        var count = 0
        result.withUnsafeMutableBufferPointer { buffer in
            while from < text.count, buffer.count - count >= 64 {
                count += decoder.decode(text, from: &from, into: UnsafeMutableBufferPointer(rebasing: buffer[count...]))
            }
        }
        return Array(result.prefix(count))
    }

    var algorithm: Int32? {
        guard let name = value("hashAlgorithm") else { return nil }
        if name.equals(ByteView("SHA512")) || name.equals(ByteView("SHA-512")) { return CCRYPTO_SHA512 }
        if name.equals(ByteView("SHA384")) || name.equals(ByteView("SHA-384")) { return CCRYPTO_SHA384 }
        if name.equals(ByteView("SHA256")) || name.equals(ByteView("SHA-256")) { return CCRYPTO_SHA256 }
        if name.equals(ByteView("SHA1")) || name.equals(ByteView("SHA-1")) { return CCRYPTO_SHA1 }
        return nil
    }
}

// MARK: Primitives

/// The digest of some bytes.
func digest(_ algorithm: Int32, _ bytes: [UInt8]) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: 64)
    let size: Int
    switch algorithm {
    case CCRYPTO_MD5: size = 16
    case CCRYPTO_SHA1: size = 20
    case CCRYPTO_SHA256: size = 32
    case CCRYPTO_SHA384: size = 48
    default: size = 64
    }
    _ = CCrypto_digest(algorithm, bytes, bytes.count, &result)
    return Array(result.prefix(size))
}

/// UTF-8 as UTF-16, little-endian; what is not valid is left out.
func utf16(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var index = 0
    func put(_ unit: UInt32) {
        result.append(UInt8(truncatingIfNeeded: unit))
        result.append(UInt8(truncatingIfNeeded: unit >> 8))
    }
    while index < text.count {
        let byte = text[index]
        let size = byte < 0x80 ? 1 : byte & 0xe0 == 0xc0 ? 2 : byte & 0xf0 == 0xe0 ? 3 : byte & 0xf8 == 0xf0 ? 4 : 0
        guard size > 0, index + size <= text.count else {
            index += 1
            continue
        }
        var value = size == 1 ? UInt32(byte) : UInt32(byte & (0x7f >> UInt8(size)))
        for next in text[(index + 1)..<(index + size)] { value = value << 6 | UInt32(next & 0x3f) }
        index += size
        if value < 0x10000 {
            put(value)
        } else {
            put(0xd800 + ((value - 0x10000) >> 10 & 0x3ff))
            put(0xdc00 + (value & 0x3ff))
        }
    }
    return result
}

private func ecb(_ key: [UInt8], _ data: [UInt8]) -> [UInt8]? {
    var result = [UInt8](repeating: 0, count: data.count)
    return CCrypto_aes_ecb_decrypt(key, key.count, data, data.count, &result) == 1 ? result : nil
}
