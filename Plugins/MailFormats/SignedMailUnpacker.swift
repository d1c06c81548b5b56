import BytesE
import CModuleABI
import ModuleKit
import Unpacking

/// Cryptographic messages (RFC 5652) as S/MIME uses them: the content of signed and of compressed data comes out;
/// enveloped data is encrypted.
final class SignedMailUnpacker: Unpacker {
    private var isDone = false

    /// Object identifiers behind the tag 6 and their length. PKCS #7 is 1.2.840.113549.1.7.
    private static let pkcs7: InlineArray<10, UInt8> = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07]
    /// id-ct-compressedData, 1.2.840.113549.1.9.16.1.9.
    private static let compressed: InlineArray<13, UInt8> = [
        0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x09,
    ]

    private enum Kind { case signed, enveloped, compressed }

    static var extractor: Extractor {
        Extractor(
            "SMIME", option: "av_scan_obj_emails",
            identify: { candidate in
                kind(candidate.data) != nil ? Claim(.whole, sureness: 90, type: EM_TYPE_ARCHIVE) : nil
            },
            open: { scan, object, _ throws(ModuleError) in SignedMailUnpacker(scan, object, format: "SMIME") })
    }

    /// What a ContentInfo holds; nil when the bytes are none.
    private static func kind(_ data: ByteView) -> Kind? {
        guard data.count > 24, data[0] == 0x30, let outer = BERElement(data, at: 0, limit: data.count) else {
            return nil
        }
        let rest = data.dropFirst(outer.content.lowerBound)
        if has(rest, compressed) { return .compressed }
        guard has(rest, pkcs7) else { return nil }
        switch rest[10] {
        case 2: return .signed
        case 3, 4, 6: return .enveloped
        default: return nil
        }
    }

    private static func has<let count: Int>(_ data: ByteView, _ bytes: InlineArray<count, UInt8>) -> Bool {
        guard data.count > count else { return false }
        for index in 0..<count where data[index] != bytes[index] { return false }
        return true
    }

    override func next() throws(ModuleError) -> Bool {
        guard !isDone, mayHaveChildren() else { return false }
        isDone = true
        guard let kind = Self.kind(data) else { return false }
        if kind == .enveloped {
            found(EM_OBJECT_ENCRYPTED)
            return false
        }
        var output = try Output(scan, in: object, expected: data.count)
        try collect(kind, &output)
        var child = Child()
        try close(&output, &child)
        if child.data.isEmpty {
            // A detached signature: what it signs lies beside it.
            return false
        }
        guard kind == .compressed else {
            try submit(child, name: [])
            return true
        }
        let packed = child.data
        var unpacked = try Output(scan, in: object)
        let result = try inflateZlib(packed, into: &unpacked)
        var content = Child()
        if result.end != .complete { content.flags |= EM_OBJECT_TRUNCATED }
        try close(&unpacked, &content)
        try submit(content, name: [])
        return true
    }

    /// Gathers the content: ContentInfo { type, [0] { version, algorithms, { type, [0] { octets, in pieces or not } } } }.
    private func collect(_ kind: Kind, _ output: inout Output) throws(ModuleError) {
        guard let outer = element(at: 0, data.count),
            let type = element(at: outer.content.lowerBound, outer.end),
            let explicit = element(at: type.end, outer.end), explicit.tag == 0xa0,
            let signed = element(at: explicit.content.lowerBound, explicit.end), signed.tag == 0x30,
            let version = element(at: signed.content.lowerBound, signed.end),
            let algorithms = element(at: version.end, signed.end),
            let inside = element(at: algorithms.end, signed.end), inside.tag == 0x30,
            let innerType = element(at: inside.content.lowerBound, inside.end),
            let innerExplicit = element(at: innerType.end, inside.end), innerExplicit.tag == 0xa0
        else { return }
        var position = innerExplicit.content.lowerBound
        // Pieces of pieces: each level of brackets is entered, and only octets count.
        while let piece = element(at: position, innerExplicit.end), output.stoppedBy == 0 {
            try scan.check()
            if piece.tag == 0x24 || piece.tag == 0x30 {
                position = piece.content.lowerBound
            } else if piece.tag == 0x04 {
                _ = try output.append(data.slice(piece.content.lowerBound, piece.content.upperBound))
                position = piece.end
            } else {
                break
            }
        }
    }

    private func element(at offset: Int, _ limit: Int) -> BERElement? {
        guard let element = BERElement(data, at: offset, limit: limit) else { return nil }
        return element.isIndefinite && !element.isConstructed ? nil : element
    }
}
