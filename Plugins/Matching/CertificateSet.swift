import BytesE
import CAuthenticode
import CModuleABI
import DatabaseSections
import Executables

/// Certificates whose owners are trusted or blocked as signers of Windows programs.
struct CertificateSet {
    private let certificates: Section
    private let keys: ByteView
    /// Whether any certificate is blocked, and whether any is trusted.
    private let blocks, trusts: Bool

    /// Links from a program's signer to a trusted certificate.
    private static let chainLimit = 8
    /// Entries that one search looks at, and certificates of a database.
    private static let searchLimit = 64
    private static let certificateLimit = 1 << 20

    init(_ table: SectionTable) throws(DatabaseError) {
        certificates = try table.section(EM_SECTION_CERTIFICATES, element: MemoryLayout<em_certificate>.stride)
        keys = try table.section(EM_SECTION_CERTIFICATE_KEYS, element: 1).bytes
        guard certificates.count <= Self.certificateLimit else {
            throw DatabaseError(.damaged, section: EM_SECTION_CERTIFICATES, "too many certificates")
        }
        var blocks = false
        var trusts = false
        for i in 0..<certificates.count {
            guard let entry = certificates.element(i, as: em_certificate.self) else { break }
            if entry.flags & EM_CERTIFICATE_BLOCKED != 0 { blocks = true } else { trusts = true }
            if blocks, trusts { break }
        }
        self.blocks = blocks
        self.trusts = trusts
    }

    /// The signature that blocks one of the certificates that come with a program, or nil.
    ///
    /// Whether the certificate signed the program does not matter, nor whether its signature is right.
    func blocker(of object: ByteView) -> Int? {
        guard blocks, let signature = Authenticode(object) else { return nil }
        for number in 0..<signature.count {
            guard let certificate = signature.certificate(number) else { continue }
            if let entry = entry(for: certificate, isBlocked: true) { return Int(entry.signature) }
        }
        return nil
    }

    /// Whether a program has the digest that its signature says, by somebody whose certificate is trusted or was
    /// issued by one that is, today.
    func isTrusted(_ object: ByteView, check: () -> Bool) -> Bool {
        guard trusts, let signature = Authenticode(object), let signer = signature.signer,
            let certificate = signature.certificate(signer), certificate.usage & CAUTHENTICODE_CODE != 0,
            isAnchored(signer, in: signature)
        else { return false }
        return signature.fits(object, check: check)
    }

    /// Follows issuers until one is trusted.
    private func isAnchored(_ signer: Int, in signature: Authenticode) -> Bool {
        var current = signer
        for _ in 0..<Self.chainLimit {
            guard let certificate = signature.certificate(current) else { return false }
            if entry(for: certificate, isBlocked: false) != nil { return true }
            if isIssuedByTrusted(current, certificate, in: signature) { return true }
            let issuer = (0..<signature.count).first { parent in
                parent != current && signature.certificate(parent).map { $0.usage & CAUTHENTICODE_CERT != 0 } == true
                    && signature.hasIssued(parent, current)
            }
            guard let issuer else { return false }
            current = issuer
        }
        return false
    }

    /// Whether a trusted certificate that need not come with the program signed another one.
    private func isIssuedByTrusted(
        _ number: Int, _ certificate: CAuthenticode_certificate, in signature: Authenticode
    ) -> Bool {
        var certificate = certificate
        return withUnsafeBytes(of: &certificate.issuer) { issuer in
            var tried = 0
            var index = first(subject: ByteView(issuer))
            while let entry = certificates.element(index, as: em_certificate.self), tried < Self.searchLimit,
                field(index, 0, 20).equals(ByteView(issuer))
            {
                index += 1
                tried += 1
                guard entry.flags & EM_CERTIFICATE_BLOCKED == 0, entry.flags & EM_CERTIFICATE_CERT != 0,
                    entry.key <= UInt64(keys.count)
                else { continue }
                let key = keys.slice(Int(entry.key), Int(entry.key) + Int(entry.key_length))
                if signature.isIssued(number, byKey: key) { return true }
            }
            return false
        }
    }

    /// The entry that means a certificate.
    private func entry(for certificate: CAuthenticode_certificate, isBlocked: Bool) -> em_certificate? {
        return withUnsafeBytes(of: certificate) { bytes in
            // Subject, issuer, serial number, key: see CAuthenticode_certificate.
            let whole = ByteView(bytes)
            let subject = whole.slice(0, 20)
            let serial = whole.slice(40, 60)
            let key = whole.slice(60, 92)
            var tried = 0
            var index = first(subject: subject)
            while let entry = certificates.element(index, as: em_certificate.self), tried < Self.searchLimit,
                field(index, 0, 20).equals(subject)
            {
                defer { index += 1 }
                tried += 1
                guard (entry.flags & EM_CERTIFICATE_BLOCKED != 0) == isBlocked, field(index, 40, 32).equals(key),
                    entry.flags & EM_CERTIFICATE_ANY_SERIAL != 0 || field(index, 20, 20).equals(serial)
                else { continue }
                if isBlocked || allows(entry, certificate) { return entry }
            }
            return nil
        }
    }

    /// Whether a trusted entry goes as far as the certificate.
    private func allows(_ entry: em_certificate, _ certificate: CAuthenticode_certificate) -> Bool {
        let pairs = [
            (CAUTHENTICODE_CODE, EM_CERTIFICATE_CODE), (CAUTHENTICODE_TIME, EM_CERTIFICATE_TIME),
            (CAUTHENTICODE_CERT, EM_CERTIFICATE_CERT),
        ]
        for (usage, flag) in pairs where certificate.usage & usage != 0 && entry.flags & flag == 0 { return false }
        return certificate.not_before >= entry.not_before
    }

    /// Bytes of an entry.
    private func field(_ index: Int, _ offset: Int, _ count: Int) -> ByteView {
        let start = index * MemoryLayout<em_certificate>.stride + offset
        return certificates.bytes.slice(start, start + count)
    }

    /// The first entry whose subject is not below.
    private func first(subject: ByteView) -> Int {
        var low = 0
        var high = certificates.count
        while low < high {
            let middle = (low + high) / 2
            if isBelow(field(middle, 0, 20), subject) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func isBelow(_ a: ByteView, _ b: ByteView) -> Bool {
        for i in 0..<min(a.count, b.count) where a[i] != b[i] { return a[i] < b[i] }
        return false
    }
}
