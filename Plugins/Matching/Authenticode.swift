import BytesE
import CAuthenticode
import Executables

/// The signature inside a Windows program.
final class Authenticode {
    private let handle: OpaquePointer
    private let extents: [Range<Int>]
    /// Certificates that came with it.
    let count: Int

    /// Bytes of a signature that are read: real ones have some ten thousand.
    private static let sizeLimit = 1 << 20
    private static let revision: UInt16 = 0x0200

    /// nil when the program has none, or one that the system would not look at: the certificates must be what the file
    /// ends with, and the first one the signature.
    init?(_ object: ByteView) {
        guard let file = PEFile(object), PELayout(file) != nil, let extents = file.authenticodeExtents,
            let certificate = file.certificates.first, certificate.revision == Self.revision,
            certificate.type == PEFile.signedData, certificate.content.count <= Self.sizeLimit,
            let handle = CAuthenticode_new(certificate.content.buffer.baseAddress, certificate.content.count)
        else { return nil }
        self.handle = handle
        self.extents = extents
        count = Int(CAuthenticode_count(handle))
    }

    deinit { CAuthenticode_free(handle) }

    func certificate(_ number: Int) -> CAuthenticode_certificate? {
        var certificate = CAuthenticode_certificate()
        return CAuthenticode_certificate_at(handle, Int32(number), &certificate) == 1 ? certificate : nil
    }

    /// The certificate whose key made the signature; nil when none did or it is not valid today.
    var signer: Int? {
        let number = CAuthenticode_signer(handle)
        return number < 0 ? nil : Int(number)
    }

    func hasIssued(_ parent: Int, _ child: Int) -> Bool {
        CAuthenticode_issued(handle, Int32(parent), Int32(child)) == 1
    }

    func isIssued(_ child: Int, byKey modulus: ByteView) -> Bool {
        CAuthenticode_issued_by_key(handle, modulus.buffer.baseAddress, modulus.count, Int32(child)) == 1
    }

    /// Whether the program has the digest in the signature.
    func fits(_ object: ByteView, check: () -> Bool) -> Bool {
        guard CAuthenticode_digest_begin(handle) == 1 else { return false }
        for extent in extents {
            var at = extent.lowerBound
            while at < extent.upperBound {
                let part = object.slice(at, min(extent.upperBound, at + Digests.stride))
                guard CAuthenticode_digest_update(handle, part.buffer.baseAddress, part.count) == 1 else {
                    return false
                }
                at += part.count
                guard check() else { return false }
            }
        }
        return CAuthenticode_digest_matches(handle) == 1
    }
}
