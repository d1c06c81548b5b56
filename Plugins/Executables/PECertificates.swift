package import BytesE

/// An entry of the certificate table (PE/COFF specification, 4.7).
package struct PECertificate: Sendable {
    /// 0x0200 in use.
    package let revision: UInt16
    /// 2: PKCS #7 signed data, which is Authenticode.
    package let type: UInt16
    package let content: ByteView
    /// Place of the content in the file.
    package let offset: Int
}

extension PEFile {
    private static let certificateLimit = 16
    package static let signedData: UInt16 = 2

    /// The entries of the certificate table that lie in the file.
    package var certificates: [PECertificate] {
        guard let table = directory(.certificates), table.address != 0 else { return [] }
        var certificates: [PECertificate] = []
        var at = Int(table.address)
        let end = min(bytes.count, at + Int(table.size))
        while certificates.count < PEFile.certificateLimit, at <= end - 8 {
            let fields = Fields(bytes: bytes, start: at)
            let length = Int(fields.long(0))
            guard length > 8, length <= end - at else { break }
            certificates.append(
                PECertificate(
                    revision: fields.half(4), type: fields.half(6), content: bytes.slice(at + 8, at + length),
                    offset: at + 8))
            at += (length + 7) & ~7
        }
        return certificates
    }

    /// The parts of the file that its Authenticode digest is of, in order: all but the checksum, the directory entry
    /// of the certificates, and these (Windows Authenticode Portable Executable Signature Format). nil when the
    /// headers have no room for that entry, or the certificates are not what the file ends with.
    package var authenticodeExtents: [Range<Int>]? {
        let checksum = header.optionalHeader + 64
        let entry = header.optionalHeader + header.fixedOptionalSize + 8 * Int(PEDirectory.certificates.rawValue)
        guard entry + 8 <= bytes.count else { return nil }
        var end = bytes.count
        if let table = directory(.certificates), table.address != 0 {
            end = Int(table.address)
            guard end >= entry + 8, end + Int(table.size) == bytes.count else { return nil }
        }
        return [0..<checksum, checksum + 4..<entry, entry + 8..<end]
    }
}
