import BytesE
import CCrypto
import ModuleKit
import Passwords
import Unpacking

/// Decryption of PDF files: the standard security handler (ISO 32000-1, 7.6; the revisions 5 and 6 of ISO 32000-2) with
/// a user password, which most often is empty, or with the owner's.
struct PDFEncryption {
    private enum Method { case rc4, aes, none }

    private let key: [UInt8]
    private let method: Method
    /// Version 5: the key itself decrypts, not one made for each object.
    private let isDirect: Bool

    private static let padding: [UInt8] = [
        0x28, 0xbf, 0x4e, 0x5e, 0x4e, 0x75, 0x8a, 0x41, 0x64, 0x00, 0x4e, 0x56, 0xff, 0xfa, 0x01, 0x08,
        0x2e, 0x2e, 0x00, 0xb6, 0xd0, 0x68, 0x3e, 0x80, 0x2f, 0x0c, 0xa9, 0xfe, 0x64, 0x53, 0x69, 0x7a,
    ]

    /// - Parameters:
    ///   - dictionary: the encryption dictionary.
    ///   - identity: the first string of the file's /ID.
    ///   - password: the user's or the owner's.
    /// - Returns: nil when the file needs another password, or a handler that is not known.
    init?(_ syntax: PDFSyntax, dictionary: Range<Int>, identity: [UInt8], password: [UInt8] = []) {
        guard syntax.isName(at: syntax.value(of: "Filter", in: dictionary), "Standard"),
            let version = syntax.number(of: "V", in: dictionary), let revision = syntax.number(of: "R", in: dictionary),
            let owner = syntax.value(of: "O", in: dictionary).flatMap({ syntax.string(at: $0) }),
            let user = syntax.value(of: "U", in: dictionary).flatMap({ syntax.string(at: $0) })
        else { return nil }
        method = Self.method(syntax, dictionary, version)
        isDirect = version >= 5
        if version >= 5 {
            guard user.count >= 48,
                let wrapped = syntax.value(of: "UE", in: dictionary).flatMap({ syntax.string(at: $0) }),
                wrapped.count >= 32
            else { return nil }
            let password = Array(password.prefix(127))
            let wrappedForOwner = syntax.value(of: "OE", in: dictionary).flatMap({ syntax.string(at: $0) }) ?? []
            guard
                let key = Self.directKey(revision, user, wrapped, password, [])
                    ?? Self.directKey(revision, owner, wrappedForOwner, password, Array(user.prefix(48)))
            else { return nil }
            self.key = key
            return
        }
        let permissions = UInt32(truncatingIfNeeded: syntax.number(of: "P", in: dictionary) ?? 0)
        let length = version == 1 ? 5 : min(16, max(5, (syntax.number(of: "Length", in: dictionary) ?? 40) / 8))
        let bytes = version == 4 ? 16 : length
        let clear = syntax.value(of: "EncryptMetadata", in: dictionary)
        let isMetadataPlain =
            revision >= 4 && (clear.map { syntax.bytes.dropFirst($0.lowerBound).hasPrefix(ByteView("false")) } ?? false)
        // The owner's password opens the user's, which opens the file.
        for user32 in [
            Array((password + Self.padding).prefix(32)), Self.userPassword(password, owner, revision, bytes),
        ] {
            // Algorithm 2.
            var material = user32 + owner.prefix(32)
            for shift: UInt32 in [0, 8, 16, 24] { material.append(UInt8(truncatingIfNeeded: permissions >> shift)) }
            material += identity
            if isMetadataPlain { material += [0xff, 0xff, 0xff, 0xff] }
            var hash = Self.digest(CCRYPTO_MD5, material)
            if revision >= 3 { for _ in 0..<50 { hash = Self.digest(CCRYPTO_MD5, Array(hash.prefix(bytes))) } }
            let key = Array(hash.prefix(bytes))
            if Self.opens(key, revision, identity, user) {
                self.key = key
                return
            }
            // Nobody opens a file as its owner without a password.
            if password.isEmpty { break }
        }
        return nil
    }

    /// The user's password, padded, out of /O (algorithm 7).
    private static func userPassword(_ password: [UInt8], _ owner: [UInt8], _ revision: Int, _ bytes: Int) -> [UInt8] {
        var hash = digest(CCRYPTO_MD5, Array((password + padding).prefix(32)))
        guard revision >= 3 else { return rc4(Array(hash.prefix(bytes)), Array(owner.prefix(32))) }
        for _ in 0..<50 { hash = digest(CCRYPTO_MD5, hash) }
        var result = Array(owner.prefix(32))
        for round in stride(from: UInt8(19), through: 0, by: -1) {
            result = rc4(hash.prefix(bytes).map { $0 ^ round }, result)
        }
        return result
    }

    private static func method(_ syntax: PDFSyntax, _ dictionary: Range<Int>, _ version: Int) -> Method {
        guard version >= 4 else { return .rc4 }
        guard let filters = syntax.value(of: "CF", in: dictionary), let used = syntax.value(of: "StmF", in: dictionary)
        else {
            return .none
        }
        if syntax.isName(at: used, "Identity") { return .none }
        // There is one filter in practice, whatever it is called.
        let text = syntax.bytes.slice(filters.lowerBound, syntax.valueEnd(filters.lowerBound, filters.upperBound))
        return text.firstIndex(of: ByteView("/AESV")) != nil ? .aes : .rc4
    }

    /// Whether the key fits the dictionary's /U (algorithms 4 and 5): the password opens the file.
    private static func opens(_ key: [UInt8], _ revision: Int, _ identity: [UInt8], _ user: [UInt8]) -> Bool {
        if revision == 2 { return rc4(key, padding) == Array(user.prefix(32)) }
        var hash = digest(CCRYPTO_MD5, padding + identity)
        for round in 0..<20 { hash = rc4(key.map { $0 ^ UInt8(round) }, hash) }
        return hash == Array(user.prefix(16))
    }

    /// Algorithms 2.A, 11 and 12: the validation salt first, then the key salt opens /UE or /OE.
    ///
    /// - Parameter more: for the owner, the user's 48 bytes.
    private static func directKey(
        _ revision: Int, _ check: [UInt8], _ wrapped: [UInt8], _ password: [UInt8], _ more: [UInt8]
    ) -> [UInt8]? {
        guard check.count >= 48, wrapped.count >= 32,
            hardened(revision, password, Array(check[32..<40]), more) == Array(check[0..<32])
        else { return nil }
        let key = hardened(revision, password, Array(check[40..<48]), more)
        return aes(key, [UInt8](repeating: 0, count: 16), Array(wrapped.prefix(32)), decrypts: true)
    }

    /// Algorithm 2.B.
    private static func hardened(
        _ revision: Int, _ password: [UInt8], _ salt: [UInt8], _ more: [UInt8]
    ) -> [UInt8] {
        var key = digest(CCRYPTO_SHA256, password + salt + more)
        guard revision >= 6 else { return key }
        var round = 0
        while true {
            let unit = password + key + more
            var repeated: [UInt8] = []
            repeated.reserveCapacity(64 * unit.count)
            for _ in 0..<64 { repeated += unit }
            guard let encrypted = aes(Array(key[0..<16]), Array(key[16..<32]), repeated, decrypts: false) else {
                return key
            }
            var sum = 0
            for byte in encrypted.prefix(16) { sum += Int(byte) }
            key = digest(sum % 3 == 0 ? CCRYPTO_SHA256 : sum % 3 == 1 ? CCRYPTO_SHA384 : CCRYPTO_SHA512, encrypted)
            round += 1
            if round >= 64, Int(encrypted[encrypted.count - 1]) <= round - 32 { return Array(key.prefix(32)) }
        }
    }

    /// Decrypts a stream of an object into an output.
    func decrypt(
        _ data: ByteView, of object: PDFObject, into output: inout Output
    ) throws(ModuleError) {
        var key = self.key
        if !isDirect {
            // Algorithm 1.
            for shift in [0, 8, 16] { key.append(UInt8(truncatingIfNeeded: object.number >> shift)) }
            for shift in [0, 8] { key.append(UInt8(truncatingIfNeeded: object.generation >> shift)) }
            if method == .aes { key += [0x73, 0x41, 0x6c, 0x54] }
            key = Array(Self.digest(CCRYPTO_MD5, key).prefix(min(16, self.key.count + 5)))
        }
        switch method {
        case .none: _ = try output.append(data)
        case .rc4:
            var stream = RC4(key)
            for index in 0..<data.count {
                if index & 0xffff == 0 { try output.check() }
                guard try output.append(data[index] ^ stream.next()) else { return }
            }
        case .aes: try decryptAES(data, key, into: &output)
        }
    }

    /// The IV stands before the data, padding behind it; pieces of 64 KiB, each with the block before as its IV.
    private func decryptAES(_ data: ByteView, _ key: [UInt8], into output: inout Output) throws(ModuleError) {
        var index = 16
        let end = data.count / 16 * 16
        while index < end {
            try output.check()
            let piece = data.slice(index, min(end, index + 65536))
            guard var plain = Self.aes(key, data.slice(index - 16, index).array, piece.array, decrypts: true) else {
                return
            }
            index += piece.count
            if index >= end, let last = plain.last, (1...16).contains(last) { plain.removeLast(Int(last)) }
            let isKept = try plain.span.withUnsafeBufferPointer { buffer throws(ModuleError) in
                try output.append(ByteView(buffer))
            }
            guard isKept else { return }
        }
    }

    // MARK: Primitives

    private static func digest(_ algorithm: Int32, _ bytes: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 64)
        let size =
            algorithm == CCRYPTO_MD5 ? 16 : algorithm == CCRYPTO_SHA256 ? 32 : algorithm == CCRYPTO_SHA384 ? 48 : 64
        _ = CCrypto_digest(algorithm, bytes, bytes.count, &result)
        return Array(result.prefix(size))
    }

    private static func aes(_ key: [UInt8], _ iv: [UInt8], _ data: [UInt8], decrypts: Bool) -> [UInt8]? {
        var result = [UInt8](repeating: 0, count: data.count)
        let status =
            decrypts
            ? CCrypto_aes_cbc_decrypt(key, key.count, iv, data, data.count, &result)
            : CCrypto_aes_cbc_encrypt(key, key.count, iv, data, data.count, &result)
        return status == 1 ? result : nil
    }

    private static func rc4(_ key: [UInt8], _ data: [UInt8]) -> [UInt8] {
        var stream = RC4(key)
        return data.map { $0 ^ stream.next() }
    }
}
